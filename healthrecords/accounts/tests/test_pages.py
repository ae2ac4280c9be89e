"""Sign-in, sign-out, enrolment and change of password, through HTTP."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from healthrecords.accounts import attempts, people
from healthrecords.accounts.models import EnrolmentLink, User
from healthrecords.redaction import scrub
from tests.cast import enter

from .conftest import PASSWORD

LOGIN = "/accounts/login/"
NEW = "a-long-and-lonely-road"


def sign_in(client, email, password=PASSWORD, **extra):
    return client.post(LOGIN, {"login": email, "password": password, **extra})


@pytest.fixture
def link(db, by):
    """The address of an invited person's link."""
    return "/accounts" + people.invite("nina@example.org", "Nina Nurse", ["clinician"], by)[1].partition("/accounts")[2]


@pytest.fixture
def first_link(db, by):
    return "/accounts" + people.first(False, by)[1].partition("/accounts")[2]


def choose(client, link, password=NEW, again=None, **more):
    return client.post(link, {"new_password1": password, "new_password2": again or password, **more})


# Sign-in


def test_a_clinician_signs_in_by_e_mail_whatever_its_case(client, clinician, logged):
    response = sign_in(client, "CLEO@example.org")
    assert response.status_code == 302
    assert response["Location"] == "/admin/"
    row = logged("sign-in")[-1]
    assert (row["actor"], row["outcome"], row["resources"]) == ("Cleo Clinician", "success", [f"User/{clinician.pk}"])
    assert row["route"] == "accounts/login/"


def test_the_page_asked_for_comes_after_sign_in_but_only_on_this_server(client, clinician):
    assert sign_in(client, clinician.email, next="/admin/patients/")["Location"] == "/admin/patients/"
    client.logout()
    assert sign_in(client, clinician.email, next="https://evil.example/")["Location"] == "/admin/"


def test_an_outsider_learns_nothing_from_a_failed_sign_in(client, administrator, clinician, by):
    people.disable(clinician.email, by)
    answers = [
        sign_in(client, "ada@example.org", "wrong").content,
        sign_in(client, "nobody@example.org", "wrong").content,
        sign_in(client, clinician.email, PASSWORD).content,
    ]
    texts = {answer.decode().partition('role="alert">')[2].partition("</div>")[0] for answer in answers}
    assert len(texts) == 1
    assert "do not match" in texts.pop()
    assert "_auth_user_id" not in client.session


def test_the_hasher_runs_for_an_unknown_address_too(client, clinician, monkeypatch):
    from django.contrib.auth.hashers import Argon2PasswordHasher

    hashed = []
    encode, verify = Argon2PasswordHasher.encode, Argon2PasswordHasher.verify
    monkeypatch.setattr(Argon2PasswordHasher, "encode", lambda *a, **k: hashed.append("encode") or encode(*a, **k))
    monkeypatch.setattr(Argon2PasswordHasher, "verify", lambda *a, **k: hashed.append("verify") or verify(*a, **k))
    sign_in(client, "nobody@example.org", "wrong")
    sign_in(client, clinician.email, "wrong")
    assert hashed == ["encode", "verify"]


def test_a_failed_sign_in_leaves_a_row_without_what_was_typed(client, clinician, logged):
    sign_in(client, "nobody@example.org", "hunter2-hunter2")
    sign_in(client, clinician.email, "hunter2-hunter2")
    unknown, wrong = logged("sign-in")
    assert (unknown["outcome"], unknown["actor_kind"], unknown["resources"]) == ("failure", "anonymous", [])
    assert (wrong["outcome"], wrong["resources"], wrong["detail"]) == (
        "failure",
        [f"User/{clinician.pk}"],
        "wrong password",
    )
    assert "nobody@" not in str(unknown)
    assert "hunter2" not in str([unknown, wrong])


def test_a_sign_in_whose_row_cannot_be_written_does_not_happen(client, clinician, monkeypatch):
    def refuse(*_):
        raise RuntimeError("the trail is full")

    monkeypatch.setattr("healthrecords.accounts.signing.trail.record", refuse)
    with pytest.raises(RuntimeError):
        sign_in(client, clinician.email)
    assert "_auth_user_id" not in client.session


def test_after_ten_wrong_guesses_even_the_right_password_waits(client, clinician, logged):
    for _ in range(attempts.MOST):
        sign_in(client, clinician.email, "wrong")
    response = sign_in(client, clinician.email)
    assert response.status_code == 429
    assert "too many attempts" in response.content.decode()
    assert logged("sign-in")[-1]["detail"] == "too many attempts: password"
    cache.clear()
    assert sign_in(client, clinician.email).status_code == 302


def test_guesses_at_one_account_do_not_shut_out_another_nor_another_address(client, clinician, administrator):
    for _ in range(attempts.MOST + 1):
        sign_in(client, clinician.email, "wrong")
    assert sign_in(client, administrator.email).status_code == 302
    elsewhere = client.post(LOGIN, {"login": clinician.email, "password": PASSWORD}, REMOTE_ADDR="192.0.2.7")
    assert elsewhere.status_code == 302


def test_a_sign_in_that_succeeds_starts_the_count_anew_in_that_browser(client, clinician):
    for _ in range(attempts.MOST - 1):
        sign_in(client, clinician.email, "wrong")
    assert sign_in(client, clinician.email).status_code == 302
    client.post("/accounts/logout/")
    for _ in range(attempts.MOST - 1):
        sign_in(client, clinician.email, "wrong")
    assert sign_in(client, clinician.email).status_code == 302


def test_who_is_signed_in_already_is_sent_on(client, clinician):
    assert client.get(LOGIN).status_code == 200
    enter(client, clinician)
    assert client.get(LOGIN)["Location"] == "/admin/"


def test_sign_out_is_by_post_alone_and_leaves_a_row(client, clinician, logged):
    enter(client, clinician)
    assert client.get("/accounts/logout/").status_code == 405
    assert client.post("/accounts/logout/")["Location"] == LOGIN
    assert "_auth_user_id" not in client.session
    assert [row["actor"] for row in logged("sign-out")] == ["Cleo Clinician"]


def test_the_forms_ask_for_a_csrf_token(clinician, link):
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    for address in (LOGIN, link):
        assert strict.post(address, {"login": clinician.email, "password": PASSWORD}).status_code == 403


# Enrolment


def test_a_link_shows_whom_it_is_for_and_is_told_to_nobody_else(client, link):
    page = client.get(link)
    assert page.status_code == 200
    assert "Nina Nurse" in page.content.decode()
    assert "nina@example.org" in page.content.decode()
    assert page["Referrer-Policy"] == "strict-origin"
    assert "no-store" in page["Cache-Control"]


def test_enrolling_sets_the_password_signs_in_and_voids_the_link(client, link, logged):
    assert choose(client, link)["Location"] == "/accounts/factor/"
    nina = User.objects.get()
    assert client.session["_auth_user_id"] == str(nina.pk)
    assert nina.check_password(NEW)
    assert client.get(link).status_code == 410
    assert choose(client, link, "another-long-password").status_code == 410
    assert User.objects.get().check_password(NEW)
    assert [row["actor"] for row in logged("enrolment") + logged("sign-in")] == ["Nina Nurse"] * 2
    assert {row["route"] for row in logged("enrolment")} == {"accounts/enrol/<str:secret>/"}


def test_no_log_line_holds_the_secret_of_a_link(link):
    secret = link.split("/")[-2]
    line = scrub(f"Internal Server Error: {link}")
    assert line == "Internal Server Error: /accounts/enrol/[removed]/"
    assert secret not in line


def test_looking_at_a_link_does_not_use_it(client, link):
    client.get(link)
    client.get(link)
    assert choose(client, link).status_code == 302


@pytest.mark.parametrize(
    ("password", "again", "sentence"),
    [
        ("short", None, "too short"),
        ("passwordpassword", "passwordpasswore", "didn’t match"),
        ("123456789012345", None, "entirely numeric"),
        ("nina@example.org", None, "too similar to the e-mail"),
        ("Nina-Nurse-1", None, "too similar to the name"),
    ],
)
def test_a_weak_password_is_refused_and_the_link_stays(client, link, password, again, sentence):
    page = choose(client, link, password, again)
    assert page.status_code == 200
    assert sentence in page.content.decode()
    assert EnrolmentLink.objects.get().used_at is None
    assert "_auth_user_id" not in client.session


def test_an_expired_an_unknown_and_a_disabled_persons_link_are_gone(client, link, by, administrator):
    assert client.get("/accounts/enrol/" + "x" * 43 + "/").status_code == 410
    EnrolmentLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    page = client.get(link)
    assert page.status_code == 410
    assert "no longer works" in page.content.decode()
    EnrolmentLink.objects.update(expires_at=timezone.now() + timedelta(hours=1))
    User.objects.filter(email="nina@example.org").update(is_active=False)
    assert choose(client, link).status_code == 410


def test_an_invited_person_cannot_change_name_or_e_mail(client, link):
    choose(client, link, name="Someone Else", email="else@example.org")
    assert (User.objects.get().name, User.objects.get().email) == ("Nina Nurse", "nina@example.org")


def test_the_first_person_puts_in_who_they_are(client, first_link):
    page = client.get(first_link).content.decode()
    assert 'name="email"' in page
    choose(client, first_link, name="Ada Admin", email="Ada@Example.org")
    person = User.objects.get()
    assert (person.name, person.email, person.is_staff) == ("Ada Admin", "ada@example.org", True)
    client.logout()
    assert sign_in(client, "ada@example.org", NEW).status_code == 302


def test_the_first_person_cannot_take_somebodys_address(client, first_link, clinician):
    page = choose(client, first_link, name="Ada", email=clinician.email)
    assert "Somebody else has this e-mail address" in page.content.decode()


# Change of password


def test_a_new_password_ends_the_other_sessions_and_leaves_a_row(client, clinician, logged):
    from django.test import Client

    elsewhere = Client()
    enter(elsewhere, clinician)
    enter(client, clinician)
    answer = client.post("/accounts/password/", {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW})
    assert answer.status_code == 302
    assert client.get("/accounts/password/").status_code == 200
    assert elsewhere.get("/accounts/password/").status_code == 302
    assert logged("update")[-1]["detail"] == "password changed"


def test_the_old_password_is_asked_for(client, clinician):
    enter(client, clinician)
    page = client.post("/accounts/password/", {"old_password": "wrong", "new_password1": NEW, "new_password2": NEW})
    assert page.status_code == 200
    assert User.objects.get().check_password(PASSWORD)
