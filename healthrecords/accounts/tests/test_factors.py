"""Second factors through HTTP: who is held back, what a code is good for, and the rows that each step leaves."""

import time
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.utils import timezone

from healthrecords.accounts import attempts, codes, factors
from healthrecords.accounts.models import FactorSecret, User
from tests.cast import APP, code, enter, give_app
from tests.test_routes import ROUTES, address

from .conftest import PASSWORD

LOGIN, STEP = "/accounts/login/", "/accounts/login/factor/"
CONFIRM = "/accounts/confirm/code/"
PEOPLE = "/admin/healthrecords/user/"


def sign_in(client, person, given=None, **extra):
    """Both steps; return the answer to the second, or to the first where no code is given."""
    answer = client.post(LOGIN, {"login": person.email, "password": PASSWORD, **extra})
    return client.post(STEP, {"code": given}) if given else answer


def enrol_app(client):
    """Add an authenticator app as the page shows it; return its secret."""
    secret = client.get("/accounts/factor/app/").context["form"].secret
    client.post("/accounts/factor/app/", {"code": code(secret=secret)})
    return secret


@pytest.fixture
def half(client, clinician):
    """A browser in which a clinician without a factor is signed in by password."""
    assert sign_in(client, clinician)["Location"] == "/admin/"
    return client


# Who is held back

OPEN_WITHOUT = {
    "health", "health/ready", "metrics", "accounts/login/", "accounts/logout/", "accounts/enrol/<str:secret>/",
    "accounts/factor/", "accounts/factor/later/", "accounts/factor/app/", "accounts/factor/passkey/",
    "accounts/confirm/code/", "accounts/confirm/passkey/", "accounts/confirm/password/",
    "accounts/sso/", "accounts/sso/back/",
}  # fmt: skip


def test_a_person_without_a_factor_is_sent_to_enrol_from_everywhere_else(half):
    reached = {route for route in ROUTES if half.get(address(route)).headers.get("Location") != "/accounts/factor/"}
    assert reached == OPEN_WITHOUT
    for route in set(ROUTES) - OPEN_WITHOUT:
        assert half.post(address(route)).headers.get("Location") == "/accounts/factor/", route


def test_a_password_alone_does_not_sign_in_who_has_a_factor(client, ada):
    assert sign_in(client, ada)["Location"] == STEP
    assert "_auth_user_id" not in client.session
    assert client.get("/admin/").status_code == 302


def test_a_session_by_password_from_before_the_factor_must_confirm_it(client, clinician):
    sign_in(client, clinician)
    give_app(clinician)
    assert client.get("/admin/")["Location"] == f"{CONFIRM}?next=%2Fadmin%2F"
    assert client.post(f"{CONFIRM}?next=/admin/", {"code": code()})["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_the_admin_s_login_is_the_same_page(client, db):
    assert client.get("/admin/login/?next=/admin/x/")["Location"] == f"{LOGIN}?next=/admin/x/"
    assert client.post("/admin/login/", {"username": "a", "password": "b"}).status_code == 302


# Enrolment and codes


def test_an_app_is_added_and_recovery_codes_are_shown(half, clinician, logged):
    page = half.get("/accounts/factor/app/")
    secret = page.context["form"].secret
    assert b"<svg" in page.content
    answer = half.post("/accounts/factor/app/", {"code": code(secret=secret)})
    assert answer["Location"] == "/accounts/factor/codes/"
    shown = half.get("/accounts/factor/codes/")
    assert len(shown.context["unused_codes"]) == 10
    assert half.get("/accounts/factor/codes/file/").content.decode().count("\n") >= 10
    assert half.get("/admin/").status_code == 200
    assert [row["detail"] for row in logged("factor-added")] == ["authenticator app", "recovery codes"]


def test_the_secret_of_an_app_is_sealed(half):
    secret = enrol_app(half)
    kept = str(list(Authenticator.objects.values())) + str([bytes(v) for v in _sealed_values()])
    assert secret not in kept
    assert FactorSecret.objects.count() == 2


def _sealed_values():
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM healthrecords_factorsecret")
        return [row[0] for row in cursor.fetchall()]


def test_a_wrong_first_code_adds_nothing(half):
    half.get("/accounts/factor/app/")
    assert half.post("/accounts/factor/app/", {"code": "000000"}).status_code == 200
    assert not Authenticator.objects.exists()


def test_the_second_step_signs_in_and_the_row_says_by_what(client, ada, logged):
    assert sign_in(client, ada, code())["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200
    assert logged("sign-in")[-1]["detail"] == "password, authenticator app"


def test_the_page_asked_for_comes_after_both_steps_but_only_on_this_server(client, ada):
    assert sign_in(client, ada, code(), next="/admin/healthrecords/user/")["Location"] == "/admin/healthrecords/user/"
    for evil in ("https://evil.example/", "//evil.example", "javascript:alert(1)", "https:evil.example"):
        browser = Client()
        Authenticator.objects.update(data={**Authenticator.objects.get().data, "step": 0})
        assert sign_in(browser, ada, code(), next=evil)["Location"] == "/admin/"


def test_a_code_is_good_once(client, ada):
    given = code()
    sign_in(client, ada, given)
    other = Client()
    assert b"was used already" in sign_in(other, ada, given).content
    assert sign_in(other, ada, code(1))["Location"] == "/admin/"


def test_a_code_is_good_once_also_without_the_cache(client, ada, settings):
    settings.CACHES = {
        "default": {**settings.CACHES["default"], "LOCATION": "redis://:nothing-listens-here-0123456789@127.0.0.1:1/0"}
    }
    given = code()
    assert sign_in(client, ada, given)["Location"] == "/admin/"
    assert sign_in(Client(), ada, given).status_code == 200


@pytest.mark.parametrize("typed", ["", "abc", "12345", "١٢٣٤٥٦", "0" * 20, "\x00", "123456 OR 1=1"])
def test_what_is_no_code_is_refused(client, ada, typed):
    sign_in(client, ada)
    assert client.post(STEP, {"code": typed}).status_code == 200
    assert "_auth_user_id" not in client.session


def test_a_code_is_read_with_a_space(client, ada):
    assert sign_in(client, ada, f"{code()[:3]} {code()[3:]}")["Location"] == "/admin/"


def test_codes_of_the_period_before_and_after_count_and_older_ones_do_not(db):
    assert [codes.matching(APP, code(step)) is not None for step in (-2, -1, 0, 1, 2)] == [
        False,
        True,
        True,
        True,
        False,
    ]


def test_a_wrong_code_leaves_its_row_without_the_code(client, ada, logged):
    sign_in(client, ada, "123456")
    row = logged("sign-in")[-1]
    assert (row["outcome"], row["detail"], row["resources"]) == ("failure", "wrong second factor", [f"User/{ada.pk}"])
    assert "123456" not in str(row)


def test_after_ten_wrong_codes_even_the_right_one_waits(client, ada):
    sign_in(client, ada)
    for _ in range(attempts.MOST):
        client.post(STEP, {"code": "000000"})
    assert b"too many attempts" in client.post(STEP, {"code": code()}).content


def test_a_recovery_code_lets_in_once_and_leaves_its_row(half, clinician, logged):
    enrol_app(half)
    kept = half.get("/accounts/factor/codes/").context["unused_codes"]
    other = Client()
    assert sign_in(other, clinician, kept[3])["Location"] == "/admin/"
    assert logged("recovery-code")[-1]["detail"] == "9 are left"
    assert sign_in(Client(), clinician, kept[3]).status_code == 200


def test_new_recovery_codes_void_those_before(half, clinician):
    enrol_app(half)
    before = half.get("/accounts/factor/codes/").context["unused_codes"]
    half.post("/accounts/factor/codes/new/")
    after = half.get("/accounts/factor/codes/").context["unused_codes"]
    assert not set(before) & set(after)
    assert FactorSecret.objects.count() == 2


def test_the_only_factor_stays(client, ada):
    enter(client, ada)
    assert b"only second factor" in client.get("/accounts/factor/app/remove/").content
    client.post("/accounts/factor/app/remove/")
    assert factors.held(ada)


def test_a_factor_whose_row_cannot_be_written_is_not_added(half, broken_trail):
    secret = half.get("/accounts/factor/app/").context["form"].secret
    half.raise_request_exception = False
    assert half.post("/accounts/factor/app/", {"code": code(secret=secret)}).status_code == 500
    assert not Authenticator.objects.exists()


# Step-up


def age(client, minutes):
    """Make the factor that was given in this session older."""
    session = client.session
    for each in session["account_authentication_methods"]:
        each["at"] = time.time() - minutes * 60
    session.save()


def test_changing_people_asks_for_a_fresh_factor_and_comes_back(client, ada, logged):
    enter(client, ada)
    age(client, 6)
    assert client.get(PEOPLE).status_code == 200
    asked = client.get(f"{PEOPLE}add/")
    assert asked["Location"] == f"{CONFIRM}?next=%2Fadmin%2Fhealthrecords%2Fuser%2Fadd%2F"
    assert client.post(asked["Location"], {"code": code()})["Location"] == f"{PEOPLE}add/"
    assert client.get(f"{PEOPLE}add/").status_code == 200
    assert logged("step-up")[-1]["detail"] == "authenticator app"


@pytest.mark.parametrize("wanted", ["roles", "disable", "link", "sessions"])
def test_a_change_without_a_fresh_factor_changes_nothing_and_says_so(client, ada, clinician, wanted):
    enter(client, ada)
    age(client, 6)
    before = User.objects.values().get(pk=clinician.pk)
    answer = client.post(f"{PEOPLE}{clinician.pk}/", {"do": wanted, "roles": ["auditor"]}, follow=True)
    assert answer.redirect_chain[0][0].startswith(CONFIRM)
    assert b"Nothing was changed yet" in answer.content
    assert User.objects.values().get(pk=clinician.pk) == before
    assert [role.name for role in clinician.roles.all()] == ["clinician"]


def test_a_factor_of_four_minutes_ago_is_fresh(client, ada):
    enter(client, ada)
    age(client, 4)
    assert client.get(f"{PEOPLE}add/").status_code == 200


def test_a_password_is_no_step_up_for_who_has_a_factor(client, ada):
    enter(client, ada)
    age(client, 6)
    assert client.get("/accounts/confirm/password/")["Location"] == CONFIRM
    client.post("/accounts/confirm/password/", {"password": PASSWORD})
    assert client.get(f"{PEOPLE}add/").status_code == 302


def test_the_way_back_is_only_on_this_server(client, ada):
    enter(client, ada)
    assert client.post(f"{CONFIRM}?next=https://evil.example/", {"code": code()})["Location"] == "/admin/"


# Sessions


def test_a_new_session_key_at_sign_in(client, ada):
    client.get(LOGIN)
    client.post(LOGIN, {"login": ada.email, "password": PASSWORD})
    planted = client.session.session_key
    client.post(STEP, {"code": code()})
    assert client.session.session_key != planted
    other = Client()
    other.cookies["session"] = planted
    assert other.get("/admin/").status_code == 302


def test_an_idle_session_ends_and_sign_in_returns_to_the_page(client, ada):
    enter(client, ada)
    ada.sessions.update(expire_date=timezone.now() - timedelta(seconds=1))
    answer = client.get(PEOPLE)
    assert answer["Location"] == f"{LOGIN}?next={PEOPLE}"


def test_what_was_sent_after_the_session_ended_is_not_lost_in_silence(client, ada, clinician):
    enter(client, ada)
    ada.sessions.update(expire_date=timezone.now() - timedelta(seconds=1))
    page = client.post(f"{PEOPLE}{clinician.pk}/", {"do": "disable"}, follow=True)
    assert b"was not saved" in page.content
    assert page.request["QUERY_STRING"] == urlencode({"ended": 1, "next": f"{PEOPLE}{clinician.pk}/"})


def test_a_session_in_use_goes_on_but_no_longer_than_twelve_hours(client, ada):
    enter(client, ada)
    now = timezone.now()
    ada.sessions.update(seen_at=now - timedelta(minutes=10), started_at=now - timedelta(hours=11, minutes=50))
    client.get("/admin/")
    row = ada.sessions.get()
    assert row.seen_at >= now
    assert row.expire_date - now < timedelta(minutes=11)


def test_use_is_noted_once_a_minute(client, ada):
    enter(client, ada)
    before = ada.sessions.get().seen_at
    client.get("/admin/")
    assert ada.sessions.get().seen_at == before


def test_an_idle_time_counts_from_the_last_request(client, ada):
    enter(client, ada)
    row = ada.sessions.get()
    assert timedelta(minutes=14) < row.expire_date - row.seen_at <= timedelta(minutes=15)


def test_the_page_lists_sessions_and_ends_one(client, ada, logged):
    other = Client(headers={"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"})
    sign_in(other, ada, code(-1))
    enter(client, ada)
    page = client.get("/accounts/security/")
    assert b"Firefox on Linux" in page.content
    assert other.session.session_key not in page.content.decode()
    [number] = [number for session, number in page.context["sessions"] if session.browser == "Firefox on Linux"]
    client.post("/accounts/sessions/end/", {"session": number})
    assert other.get("/admin/").status_code == 302
    assert client.get("/admin/").status_code == 200
    assert logged("session-ended")[-1]["detail"] == "Firefox on Linux at 127.0.0.1"


def test_nobody_ends_a_session_of_another(client, ada, clinician):
    other = enter(Client(), clinician)
    enter(client, ada)
    from healthrecords.accounts import sessions

    client.post("/accounts/sessions/end/", {"session": sessions.number(clinician.sessions.get())})
    client.post("/accounts/sessions/end/")
    assert other.get("/admin/").status_code == 200


def test_a_change_of_roles_a_password_and_a_reset_end_the_sessions(client, ada, clinician, by):
    from healthrecords.accounts import people

    for end in (
        lambda: people.change_roles(clinician.email, ["auditor"], [], by),
        lambda: people.disable(clinician.email, by) and people.enable(clinician.email, by),
        lambda: people.reset_factor(clinician.email, by),
    ):
        browser = enter(Client(), clinician)
        assert browser.get("/admin/").status_code == 200
        end()
        assert browser.get("/admin/").status_code == 302
        assert not clinician.sessions.exists()
    assert not factors.held(clinician)
    kept = {each.data["secret"] for each in Authenticator.objects.all()}
    assert {str(each.pk) for each in FactorSecret.objects.all()} == kept


# A demo directory


@pytest.fixture
def demo_data(integrator, settings):
    """A directory with demo data alone."""
    from patients.models import Patient

    integrator.create()
    Patient.objects.update(source="import:demo")
    settings.EMBEDDED = True


def test_in_a_demo_enrolment_may_be_put_off_and_a_banner_says_so(half, demo_data):
    assert b"this is a demo" in half.get("/accounts/factor/").content
    assert half.post("/accounts/factor/later/")["Location"] == "/admin/"
    assert b"signed in by password alone" in half.get("/admin/").content


def test_with_real_records_it_may_not_and_what_was_put_off_is_due(half, demo_data, integrator):
    half.post("/accounts/factor/later/")
    integrator.create({"resourceType": "Organization", "name": "Real Clinic"})
    assert half.get("/admin/")["Location"] == "/accounts/factor/"
    assert half.post("/accounts/factor/later/").status_code == 403
    assert b"this is a demo" not in half.get("/accounts/factor/").content


def test_an_empty_server_is_no_demo(half, settings):
    settings.EMBEDDED = True
    assert half.post("/accounts/factor/later/").status_code == 403


def test_a_production_server_is_no_demo(half, demo_data, settings):
    settings.EMBEDDED = False
    assert half.post("/accounts/factor/later/").status_code == 403


def test_who_has_a_factor_cannot_put_it_off(client, clinician, demo_data):
    sign_in(client, clinician)
    give_app(clinician)
    assert client.post("/accounts/factor/later/").status_code == 403
