"""The administrator's screens: invite, change roles, shut out, revoke; others are kept out."""

from collections.abc import Callable

import pytest
from django.test import Client

from healthrecords.accounts.models import ApiToken, Role, User
from tests.cast import enter

PEOPLE = "/admin/healthrecords/user/"


@pytest.fixture
def boss(signed_in: Callable[..., Client]) -> Client:
    """An administrator, beside another who can sign in."""
    other = User.objects.invite("other@example.org", "Other", [Role.objects.get(name="administrator")])
    other.set_password("a long enough passphrase")
    other.save()
    return signed_in("administrator")


@pytest.fixture
def nurse(db: None) -> User:
    person = User.objects.invite("nurse@example.org", "Nora Nurse", [Role.objects.get(name="clinician")])
    person.set_password("a long enough passphrase")
    person.save()
    return person


def roles_of(person: User) -> set[str]:
    return {role.name for role in person.roles.all()}


def test_an_invitation_shows_its_link_once(boss, trail):
    answer = boss.post(f"{PEOPLE}add/", {"name": "Ann New", "email": "Ann@Example.org", "roles": ["front-desk"]})
    person = User.objects.get(email="ann@example.org")
    link = answer.context["link"]
    assert "/accounts/enrol/" in link
    assert (answer["Referrer-Policy"], roles_of(person)) == ("no-referrer", {"front-desk"})
    assert link.encode() not in boss.get(f"{PEOPLE}{person.pk}/").content
    assert Client().get(link.split("8000")[-1]).status_code == 200
    [row] = trail(action="create", resource_type="User")
    assert (row.actor, row.resources) == ("administrator", [f"User/{person.pk}"])


@pytest.mark.parametrize(("changes", "words"), [
    ({"email": "no address"}, "valid email address"),
    ({"email": "nurse@example.org"}, "is known already"),
    ({"roles": []}, "This field is required"),
    ({"roles": ["superuser"]}, "not one of the available choices"),
])  # fmt: skip
def test_an_invitation_that_cannot_be_made_says_why(boss, nurse, changes, words):
    sent = {"name": "Ann", "email": "ann@example.org", "roles": ["clinician"], **changes}
    assert words in boss.post(f"{PEOPLE}add/", sent).content.decode()
    assert not User.objects.filter(name="Ann").exists()


def test_roles_are_given_and_taken(boss, nurse, trail):
    boss.post(f"{PEOPLE}{nurse.pk}/", {"do": "roles", "roles": ["front-desk", "auditor"]})
    assert roles_of(nurse) == {"front-desk", "auditor"}
    [row] = trail(action="update", resource_type="User")
    assert row.resources == [f"User/{nurse.pk}"]


def test_a_person_is_shut_out_and_let_in_again(boss, nurse):
    session = enter(Client(), nurse)
    boss.post(f"{PEOPLE}{nurse.pk}/", {"do": "disable"})
    assert session.get("/admin/patients/patient/").status_code == 302
    boss.post(f"{PEOPLE}{nurse.pk}/", {"do": "enable"})
    nurse.refresh_from_db()
    assert nurse.is_active


def test_the_last_administrator_stays(boss):
    boss.post(f"{PEOPLE}{User.objects.get(name='administrator').pk}/", {"do": "disable"})
    other = User.objects.get(name="Other")
    page = boss.post(f"{PEOPLE}{other.pk}/", {"do": "disable"}, follow=True)
    other.refresh_from_db()
    assert other.is_active
    assert page.status_code == 200


def test_a_new_link_voids_the_password(boss, nurse):
    answer = boss.post(f"{PEOPLE}{nurse.pk}/", {"do": "link"})
    nurse.refresh_from_db()
    assert "/accounts/enrol/" in answer.context["link"]
    assert not nurse.has_usable_password()


def test_a_token_is_revoked(boss, caller_with_role, trail):
    caller = caller_with_role("integrator")
    token = ApiToken.objects.get()
    page = boss.get(f"/admin/healthrecords/apitoken/{token.pk}/")
    boss.post(f"/admin/healthrecords/apitoken/{token.pk}/")
    assert b"integrator token" in page.content
    assert caller.token.encode() not in page.content
    assert caller.get("Patient").status_code == 401


@pytest.mark.parametrize("role", ["clinician", "operator", "auditor"])
def test_others_change_nothing(signed_in, nurse, role):
    client = signed_in(*([role] if role != "clinician" else ["front-desk"]))
    sent = {"name": "Ann", "email": "ann@example.org", "roles": ["administrator"]}
    assert client.post(f"{PEOPLE}add/", sent).status_code == 403
    for wanted in ("disable", "link", "roles"):
        assert client.post(f"{PEOPLE}{nurse.pk}/", {"do": wanted, "roles": ["administrator"]}).status_code == 403
    nurse.refresh_from_db()
    assert (nurse.is_active, roles_of(nurse)) == (True, {"clinician"})


def test_an_administrator_sees_no_patient(boss):
    assert boss.get("/admin/patients/patient/").status_code == 403
    assert b"/admin/patients/" not in boss.get("/admin/").content


@pytest.mark.parametrize("roles", [[], ["integrator"]])
def test_whoever_has_no_screen_is_told_so(signed_in, roles):
    page = signed_in(*roles).get("/admin/")
    shown = b"Nothing is open to you here yet" in page.content
    assert (page.status_code, shown) == (200, roles != ["integrator"])
