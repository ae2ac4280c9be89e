"""SMART App Launch from the outside: an app, the browser of its person, and what each is refused."""

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.utils import timezone

from healthrecords.accounts import attempts
from healthrecords.accounts.models import Role
from healthrecords.oauth.models import AccessToken, Authorization, Grant, RefreshToken
from tests.smart.app import RETURN, Browser

WHOLE = "openid fhirUser profile launch/patient offline_access patient/Patient.rs patient/Immunization.rs"


def told(back):
    return {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}


@pytest.fixture
def patient(integrator):
    return integrator.create()["id"]


@pytest.fixture
def allowed(app, browser, patient):
    """The app, and the answer to its code."""
    chart = app(WHOLE)
    code = chart.code(browser.allow(chart.address(WHOLE), patient))
    answer = chart.exchange(code)
    assert answer.status_code == 200, answer.text
    return chart, answer.json()


# Standalone launch


@pytest.mark.parametrize("key", [False, True], ids=["public", "confidential"])
def test_an_app_reads_the_record_of_the_patient_that_was_picked_and_of_nobody_else(
    key, app, browser, patient, integrator
):
    other = integrator.create(identifier=[{"system": "urn:example:mrn", "value": "2"}])["id"]
    chart = app(WHOLE, key=key)
    said = chart.exchange(chart.code(browser.allow(chart.address(WHOLE), patient))).json()
    assert (said["patient"], said["expires_in"], said["token_type"]) == (patient, 3600, "Bearer")
    assert set(said["scope"].split()) == set(WHOLE.split())
    assert chart.read(f"Patient/{patient}", said["access_token"]).json()["id"] == patient
    assert chart.read(f"Patient/{other}", said["access_token"]).status_code == 404
    found = chart.read("Patient?name=Jansen", said["access_token"]).json()
    assert [entry["resource"]["id"] for entry in found["entry"]] == [patient]
    assert chart.read("DocumentReference", said["access_token"]).status_code == 403


def test_the_id_token_says_who_it_is_and_verifies_by_the_published_keys(allowed, person):
    chart, said = allowed
    claims = chart.person(said["id_token"])
    assert (claims["sub"], claims["name"]) == (str(person.pk), "Casey Clinician")
    assert claims["fhirUser"] == f"{chart.fhir}/Practitioner/casey-1"
    discovered = requests.get(f"{chart.server['issuer']}/.well-known/openid-configuration", timeout=10).json()
    assert (discovered["issuer"], discovered["jwks_uri"]) == (claims["iss"], chart.server["jwks_uri"])


def test_the_page_says_who_asks_for_what_for_whom_and_for_how_long(app, browser, patient):
    chart = app(WHOLE)
    page = browser.open(chart.address(WHOLE))
    assert "Pick a patient" in page.text
    browser.send(name="jan", born="1980-05-17")
    page = browser.send(patient=patient)
    for text in (
        "Allow Growth Chart?", "Casey Clinician", "app.example.org", "Maria Louise Jansen", "born 1980-05-17",
        "See immunizations of this patient", "Know who you are", "30 days after the app was last used",
    ):  # fmt: skip
        assert text in page.text
    assert "form-action 'self' https://app.example.org;" in page.headers["Content-Security-Policy"] + ";"


def test_a_person_who_does_not_allow_it_sends_no_code(app, browser, patient):
    chart = app(WHOLE)
    browser.open(chart.address(WHOLE))
    said = told(browser.send(decision="deny").headers["Location"])
    assert (said["error"], said["state"]) == ("access_denied", chart.state)
    assert not Grant.objects.exists()


def test_whoever_is_not_signed_in_signs_in_first(app):
    answer = Browser({}).open(app(WHOLE).address(WHOLE))
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/accounts/login/?next=/oauth/authorize")


def test_a_patient_whom_the_person_may_not_see_can_not_be_picked(app, browser):
    chart = app(WHOLE)
    browser.open(chart.address(WHOLE))
    assert browser.send(decision="allow", patient="somebody").status_code == 403
    assert not Grant.objects.exists()


def test_somebody_whose_role_opens_no_patient_can_pick_none(app, browser, person, patient):
    person.roles.set(Role.objects.filter(name="operator"))
    chart = app(WHOLE)
    browser.open(chart.address(WHOLE))
    assert browser.send(name="Jansen").status_code == 403


def test_an_app_opens_no_more_than_its_person_may(app, browser, person, patient):
    scope = "user/Patient.cruds"
    chart = app(scope)
    said = chart.exchange(chart.code(browser.allow(chart.address(scope)))).json()
    assert chart.read(f"Patient/{patient}", said["access_token"]).status_code == 200
    person.roles.set(Role.objects.filter(name="operator"))
    assert chart.read(f"Patient/{patient}", said["access_token"]).status_code == 403


def test_what_is_done_by_an_app_stands_under_the_person_s_name_with_the_app_s(allowed, patient, person, trail):
    chart, said = allowed
    chart.read(f"Patient/{patient}", said["access_token"])
    read = trail(action="read", patient=patient)[-1]
    assert (read.actor_kind, read.actor_id, read.actor) == ("user", str(person.pk), "Casey Clinician")
    assert read.detail.startswith("by the app Growth Chart")
    given = trail(action="app-allowed")[-1]
    assert (given.actor, given.patient, given.resources) == ("Casey Clinician", patient, [f"Client/{chart.client_id}"])


# What the app must send


WRONG = {
    "no state": {"state": None},
    "no challenge": {"code_challenge": None, "code_challenge_method": None},
    "a plain challenge": {"code_challenge_method": "plain"},
    "a challenge of unknown kind": {"code_challenge_method": None},
    "a short challenge": {"code_challenge": "short"},
    "no audience": {"aud": None},
    "another server's audience": {"aud": "https://elsewhere.example.org/fhir"},
    "a token instead of a code": {"response_type": "token"},
    "an id token in the address": {"response_type": "code id_token"},
    "no response type": {"response_type": None},
    "a scope it was not registered for": {"scope": "user/Patient.rs"},
    "a scope that is none": {"scope": "patient/Patient.xyz"},
    "no question to the person": {"prompt": "none"},
    "a request object": {"request": "eyJhbGciOiJub25lIn0.e30."},
}


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG)
def test_a_wrong_question_is_answered_with_an_error_and_its_state(changes, app, browser, trail):
    chart = app(WHOLE)
    answer = browser.open(chart.address(**{"scope": WHOLE, **changes}))
    assert answer.status_code == 302, answer.text
    assert answer.headers["Location"].startswith(f"{RETURN}?")
    said = told(answer.headers["Location"])
    assert said["error"] in (
        "invalid_request",
        "invalid_scope",
        "unsupported_response_type",
        "unauthorized_client",
        "login_required",
    )
    assert said.get("state") == (None if "state" in changes else chart.state)
    assert "code" not in said
    assert len(trail(action="app-allowed", outcome="failure")) == 1


ELSEWHERE = {
    "another host": "https://evil.example.org/callback",
    "a host that begins alike": "https://app.example.org.evil.example/callback",
    "a user name": "https://app.example.org@evil.example/callback",
    "a longer path": f"{RETURN}/more",
    "a way up": "https://app.example.org/callback/../other",
    "a query": f"{RETURN}?next=evil",
    "a fragment": f"{RETURN}#code",
    "another case": "https://app.example.org/Callback",
    "another port": "https://app.example.org:8443/callback",
    "plain http": "http://app.example.org/callback",
    "a script": "javascript:alert(1)",
    "none": None,
    "an empty one": "",
}


@pytest.mark.parametrize("uri", ELSEWHERE.values(), ids=ELSEWHERE)
def test_nobody_is_sent_to_an_address_that_is_not_registered_to_the_letter(uri, app, browser):
    chart = app(WHOLE)
    answer = browser.open(chart.address(WHOLE, redirect_uri=uri))
    assert answer.status_code == 400
    assert "Location" not in answer.headers


@pytest.mark.parametrize("name", ["client_id", "redirect_uri", "state", "scope", "response_type"])
def test_a_parameter_that_comes_twice_leads_nowhere(name, app, browser):
    answer = browser.open(f"{app(WHOLE).address(WHOLE)}&{name}=another")
    assert answer.status_code == 400


def test_a_client_that_is_no_app_or_none_at_all_is_refused(registered, app, browser):
    chart = app(WHOLE)
    assert browser.open(chart.address(WHOLE, client_id="nobody")).status_code == 400
    chart.client_id = registered().client_id
    assert browser.open(chart.address(WHOLE)).status_code == 400


# The code


@pytest.fixture
def coded(app, browser, patient):
    """The app, with a code."""
    chart = app(WHOLE)
    return chart, chart.code(browser.allow(chart.address(WHOLE), patient))


EXCHANGES = {
    "no verifier": {"code_verifier": None},
    "a wrong verifier": {"code_verifier": "a" * 43},
    "another address to return to": {"redirect_uri": "https://app.example.org/other"},
    "a code that is none": {"code": "nonsense"},
    "another client": {"client_id": "nobody"},
}


@pytest.mark.parametrize("changes", EXCHANGES.values(), ids=EXCHANGES)
def test_a_wrong_exchange_gets_no_token(changes, coded):
    chart, code = coded
    answer = chart.exchange(changes.pop("code", code), **changes)
    assert answer.status_code in (400, 401), answer.text
    assert not AccessToken.objects.exists()


def test_a_code_that_is_used_twice_ends_what_it_led_to(coded, patient, trail):
    chart, code = coded
    said = chart.exchange(code).json()
    again = chart.exchange(code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert chart.read(f"Patient/{patient}", said["access_token"]).status_code == 401
    assert chart.refresh(said["refresh_token"]).status_code == 400
    assert "its code was used twice" in trail(action="app-ended")[-1].detail


def test_of_ten_who_send_one_code_at_once_none_keeps_more_than_one_token(coded):
    chart, code = coded
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: chart.exchange(code).status_code, range(10)))
    assert answers.count(200) <= 1
    assert AccessToken.objects.count() <= 1


def test_of_thirty_guessed_codes_no_more_than_the_limit_are_looked_at(coded, still):
    chart, code = coded
    with ThreadPoolExecutor(30) as pool:
        answers = list(pool.map(lambda number: chart.exchange(f"guess-{number}").status_code, range(30)))
    assert (answers.count(400), answers.count(429)) == (attempts.MOST, 30 - attempts.MOST)
    assert chart.exchange(code).status_code == 429


def test_a_code_ends_after_a_minute(coded):
    chart, code = coded
    Grant.objects.update(expires="2026-01-01T00:00Z")
    assert chart.exchange(code).status_code == 400


def test_a_code_is_of_no_use_to_another_app(coded, app):
    chart, code = coded
    thief = app(WHOLE, name="Thief")
    thief.verifier = chart.verifier
    assert thief.exchange(code).status_code == 400
    assert chart.exchange(code).status_code == 200


def test_a_confidential_app_must_prove_who_it_is(app, browser, patient):
    chart = app(WHOLE, key=True)
    code = chart.code(browser.allow(chart.address(WHOLE), patient))
    key, chart.key = chart.key, None
    assert chart.exchange(code).status_code == 401
    chart.key = key
    assert chart.exchange(code).status_code == 200


def test_codes_and_tokens_are_kept_as_hashes_alone(app, browser, patient):
    chart = app(WHOLE)
    code = chart.code(browser.allow(chart.address(WHOLE), patient))
    said = chart.exchange(code).json()
    rows = str([*Grant.objects.values(), *AccessToken.objects.values(), *RefreshToken.objects.values()])
    assert not [secret for secret in (code, said["access_token"], said["refresh_token"]) if secret in rows]


# Refresh tokens


def test_a_refresh_token_is_exchanged_once_for_the_next_pair(allowed, patient):
    chart, first = allowed
    second = chart.refresh(first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert (second["patient"], second["scope"]) == (patient, first["scope"])
    assert chart.read(f"Patient/{patient}", second["access_token"]).status_code == 200
    assert chart.read(f"Patient/{patient}", first["access_token"]).status_code == 401
    assert chart.refresh(second["refresh_token"]).status_code == 200


def test_a_refresh_token_that_is_used_twice_ends_the_whole_family(allowed, patient, trail):
    chart, first = allowed
    second = chart.refresh(first["refresh_token"]).json()
    again = chart.refresh(first["refresh_token"])
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert chart.read(f"Patient/{patient}", second["access_token"]).status_code == 401
    assert chart.refresh(second["refresh_token"]).status_code == 400
    assert "used twice" in trail(action="app-ended")[-1].detail


def test_of_ten_who_send_one_refresh_token_at_once_one_goes_on(allowed):
    chart, said = allowed
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: chart.refresh(said["refresh_token"]).status_code, range(10)))
    assert answers.count(200) <= 1
    assert set(answers) <= {200, 400}


def test_a_refresh_token_is_of_no_use_to_another_app(allowed, app):
    chart, said = allowed
    assert app(WHOLE, name="Thief").refresh(said["refresh_token"]).status_code == 400
    assert chart.refresh(said["refresh_token"]).status_code == 200


def test_a_refresh_opens_no_more_than_before(allowed):
    chart, said = allowed
    assert chart.refresh(said["refresh_token"], scope="patient/DocumentReference.rs").json()["error"] == "invalid_scope"
    assert chart.refresh(said["refresh_token"], scope="patient/Patient.rs").json()["scope"] == "patient/Patient.rs"


def test_without_a_scope_for_it_there_is_no_refresh_token(app, browser, patient):
    scope = "launch/patient patient/Patient.rs"
    chart = app(scope)
    said = chart.exchange(chart.code(browser.allow(chart.address(scope), patient))).json()
    assert "refresh_token" not in said
    assert "id_token" not in said


# What ends an app


def online(app, browser, patient):
    scope = "launch/patient online_access patient/Patient.rs"
    chart = app(scope)
    return chart, chart.exchange(chart.code(browser.allow(chart.address(scope), patient))).json()


def test_signing_out_ends_an_app_that_was_allowed_for_the_session(app, browser, patient, person):
    chart, said = online(app, browser, patient)
    assert chart.read(f"Patient/{patient}", said["access_token"]).status_code == 200
    browser.open(f"{chart.server['issuer']}/accounts/security/")
    browser.page.url = f"{chart.server['issuer']}/accounts/logout/"
    assert browser.send().status_code == 302
    assert chart.read(f"Patient/{patient}", said["access_token"]).status_code == 401
    assert chart.refresh(said["refresh_token"]).status_code == 400


def test_an_app_that_was_allowed_for_longer_outlives_the_session(allowed, patient, person):
    chart, said = allowed
    for each in person.sessions.all():
        each.delete()
    assert chart.read(f"Patient/{patient}", said["access_token"]).status_code == 200


def test_a_session_that_ran_out_renews_no_app(app, browser, patient, person):
    chart, said = online(app, browser, patient)
    person.sessions.update(expire_date="2026-01-01T00:00Z")
    assert chart.read(f"Patient/{patient}", said["access_token"]).status_code == 200
    assert chart.refresh(said["refresh_token"]).status_code == 400


@pytest.mark.parametrize("verb", [["disable"], ["role", "--add", "operator"], ["reset-factor"]], ids=lambda v: v[0])
def test_what_shuts_a_person_out_ends_their_apps(verb, allowed, patient, person):
    from django.core.management import call_command

    chart, said = allowed
    call_command("users", verb[0], person.email, *verb[1:])
    assert chart.read(f"Patient/{patient}", said["access_token"]).status_code == 401
    assert chart.refresh(said["refresh_token"]).status_code == 400


def test_a_person_sees_and_ends_the_apps_they_allowed(allowed, browser, patient, trail):
    chart, said = allowed
    page = browser.open(f"{chart.server['issuer']}/accounts/security/")
    assert "Growth Chart" in page.text
    assert "See immunizations of this patient" in page.text
    browser.page.url = f"{chart.server['issuer']}/oauth/apps/end/"
    assert browser.send(authorization=str(Authorization.objects.get().pk)).status_code == 302
    assert chart.read(f"Patient/{patient}", said["access_token"]).status_code == 401
    assert (
        "Growth Chart"
        not in browser.open(f"{chart.server['issuer']}/accounts/security/").text.split("may no longer")[1]
    )
    assert trail(action="app-ended")[-1].actor == "Casey Clinician"


def test_nobody_ends_the_apps_of_somebody_else(allowed, browser, signed_in):
    other = signed_in("clinician")
    answer = other.post("/oauth/apps/end/", {"authorization": str(Authorization.objects.get().pk)})
    assert answer.status_code == 404


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
def test_an_app_that_revokes_a_token_gives_all_of_them_up(which, allowed, patient):
    chart, said = allowed
    assert chart.post({"token": said[which]}, "revocation_endpoint").status_code == 200
    assert chart.read(f"Patient/{patient}", said["access_token"]).status_code == 401
    assert chart.refresh(said["refresh_token"]).status_code == 400


def test_no_app_revokes_the_token_of_another(allowed, app, patient):
    chart, said = allowed
    thief = app(WHOLE, name="Thief")
    assert thief.post({"token": said["access_token"]}, "revocation_endpoint").status_code == 200
    assert chart.read(f"Patient/{patient}", said["access_token"]).status_code == 200


# EHR launch


@pytest.fixture
def launched(app, browser, patient):
    """The app, and the address at which it was opened from the patient's page."""
    chart = app(WHOLE + " launch", launch="https://app.example.org/launch")
    answer = browser.open(f"{chart.server['issuer']}/oauth/launch/{chart.client_id}/{patient}/")
    assert answer.status_code == 302, answer.text
    return chart, told(answer.headers["Location"])


EHR = "openid launch patient/Patient.rs"


def test_an_app_opened_from_a_patient_s_page_has_this_patient_in_context(launched, browser, patient, trail):
    chart, handed = launched
    assert handed["iss"] == chart.fhir
    page = browser.open(chart.address(EHR, launch=handed["launch"]))
    assert "Maria Louise Jansen" in page.text
    said = chart.exchange(chart.code(browser.send(decision="allow").headers["Location"])).json()
    assert said["patient"] == patient
    assert chart.read(f"Patient/{patient}", said["access_token"]).status_code == 200
    assert trail(action="launch")[-1].patient == patient


def test_a_launch_counts_once(launched, browser):
    chart, handed = launched
    assert browser.allow(chart.address(EHR, launch=handed["launch"]))
    assert browser.open(chart.address(EHR, launch=handed["launch"])).status_code == 400


def test_a_launch_belongs_to_its_person_and_its_app(launched, app, browser, signed_in):
    chart, handed = launched
    other = signed_in("clinician")
    strange = Browser({name: each.value for name, each in other.cookies.items()})
    assert strange.open(chart.address(EHR, launch=handed["launch"])).status_code == 400
    thief = app(EHR, name="Thief")
    assert browser.open(thief.address(EHR, launch=handed["launch"])).status_code == 400
    assert browser.open(chart.address(EHR, launch="made-up")).status_code == 400


def test_the_patient_of_a_launch_can_not_be_changed(launched, browser, integrator, patient):
    other = integrator.create(identifier=[{"system": "urn:example:mrn", "value": "2"}])["id"]
    chart, handed = launched
    browser.open(chart.address(EHR, launch=handed["launch"]))
    said = chart.exchange(chart.code(browser.send(decision="allow", patient=other).headers["Location"])).json()
    assert said["patient"] == patient


def test_nobody_opens_an_app_for_a_patient_whom_they_may_not_see(launched, browser):
    chart, _ = launched
    assert browser.open(f"{chart.server['issuer']}/oauth/launch/{chart.client_id}/nobody/").status_code == 403


# Introspection


def test_a_client_learns_about_its_own_tokens_and_about_no_others(app, registered, browser, patient):
    chart, backend = app(WHOLE, key=True), registered()
    said = chart.exchange(chart.code(browser.allow(chart.address(WHOLE), patient))).json()
    known = chart.post({"token": said["access_token"]}, "introspection_endpoint").json()
    assert (known["active"], known["patient"], known["client_id"]) == (True, patient, chart.client_id)
    assert chart.post({"token": backend.token()}, "introspection_endpoint").json() == {"active": False}
    chart.post({"token": said["access_token"]}, "revocation_endpoint")
    assert chart.post({"token": said["access_token"]}, "introspection_endpoint").json() == {"active": False}


def test_introspection_is_closed_to_whoever_proves_nothing(allowed):
    chart, said = allowed
    assert chart.post({"token": said["access_token"]}, "introspection_endpoint").status_code == 401
    endpoint = chart.server["introspection_endpoint"]
    assert requests.post(endpoint, data={"token": said["access_token"]}, timeout=10).status_code == 401


# What is left behind


def test_what_is_over_is_cleared_and_what_still_opens_something_stays(allowed, app, browser, patient, person):
    from healthrecords.oauth.tasks import clear_what_ended

    other = app(EHR + " launch/patient", name="Other")
    other.exchange(other.code(browser.allow(other.address("launch/patient patient/Patient.rs"), patient)))
    AccessToken.objects.update(expires="2026-01-01T00:00Z")
    AccessToken.objects.filter(refresh_token__isnull=False).update(expires=timezone.now())
    Authorization.objects.update(given_at="2026-01-01T00:00Z")
    assert clear_what_ended() == "1 permission removed."
    assert [kept.client.name for kept in Authorization.objects.all()] == ["Growth Chart"]
