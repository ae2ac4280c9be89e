"""users invite, list, disable, enable, role, reset-factor, first, as an operator runs them."""

import json
import re

import pytest

from healthrecords.accounts.models import EnrolmentLink, User
from healthrecords.accounts.people import FIRST_EMAIL
from tests.cast import enter

LINK = re.compile(r"https?://[^ ]+/accounts/enrol/[A-Za-z0-9_-]{43}/\n")


def roles_of(email):
    return sorted(User.objects.get(email=email).roles.values_list("name", flat=True))


def test_invite_prints_the_link_alone_on_stdout(run, settings):
    settings.PUBLIC_URL = "https://records.example.org"
    code, out, err = run(
        "users", "invite", "Cleo@Example.org", "--name", "Cleo", "--role", "clinician", "--role", "auditor"
    )
    assert code == 0
    assert LINK.fullmatch(out)
    assert out.startswith("https://records.example.org/accounts/enrol/")
    assert "Cleo can enrol" in err
    assert roles_of("cleo@example.org") == ["auditor", "clinician"]
    assert not User.objects.get().has_usable_password()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["not-an-address", "--name", "X", "--role", "clinician"], "valid email address"),
        (["x@example.org", "--name", " ", "--role", "clinician"], "1 to 200 printable characters"),
        (["x@example.org", "--name", "X\x1b[2J", "--role", "clinician"], "1 to 200 printable characters"),
        (["x@example.org", "--name", "X", "--role", "wizard"], "There is no role 'wizard'"),
        (["x@example.org", "--name", "X"], "Missing option '--role'"),
        (["x@example.org", "--role", "clinician"], "Missing option '--name'"),
        ([], "Missing argument"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(run, arguments, sentence):
    code, out, err = run("users", "invite", *arguments)
    assert (code, out) == (2, "")
    assert sentence in err
    assert len(err.strip().splitlines()) == 1
    assert not User.objects.exists()


def test_an_address_is_invited_once_whatever_its_case(run, clinician):
    code, _, err = run("users", "invite", clinician.email.upper(), "--name", "Again", "--role", "clinician")
    assert code == 2
    assert "reset-factor" in err


def test_list_tells_who_is_active_invited_or_disabled(run, administrator, clinician):
    run("users", "invite", "nina@example.org", "--name", "Nina", "--role", "immunization-nurse")
    run("users", "disable", clinician.email)
    answer = json.loads(run("users", "list", "--json")[1])
    assert answer["summary"] == "3 people."
    assert {row["email"]: row["state"] for row in answer["people"]} == {
        "ada@example.org": "active",
        "cleo@example.org": "disabled",
        "nina@example.org": "invited",
    }
    assert "ada@example.org" in run("users", "list")[1]


def test_list_tells_each_person_s_second_factor_and_last_sign_in(run, administrator, clinician, client):
    enter(client, administrator)
    answer = json.loads(run("users", "list", "--json")[1])
    shown = {row["email"]: (row["factor"], bool(row["last_sign_in"])) for row in answer["people"]}
    assert shown == {"ada@example.org": ("authenticator app", True), "cleo@example.org": ("none", False)}


def test_a_disabled_person_is_out_at_once_and_back_when_enabled(run, administrator, clinician, client):
    enter(client, clinician)
    assert run("users", "disable", clinician.email)[0] == 0
    assert client.get("/accounts/password/").status_code == 302
    assert run("users", "disable", clinician.email)[:2] == (0, "cleo@example.org was shut out already.\n")
    assert run("users", "enable", clinician.email)[0] == 0
    assert run("users", "enable", clinician.email)[:2] == (0, "cleo@example.org may sign in already.\n")
    assert enter(client, clinician).get("/accounts/password/").status_code == 200


def test_disabling_voids_an_open_link(run, administrator):
    run("users", "invite", "nina@example.org", "--name", "Nina", "--role", "clinician")
    run("users", "disable", "nina@example.org")
    assert not EnrolmentLink.objects.exists()


@pytest.mark.parametrize("verb", ["disable", "enable", "role", "reset-factor"])
def test_a_person_who_is_not_known_is_bad_input(run, verb):
    code, _, err = run("users", verb, "nobody@example.org")
    assert code == 2
    assert "Nobody has the e-mail address nobody@example.org" in err


def test_the_last_administrator_cannot_be_disabled_or_lose_the_role(run, administrator, clinician):
    run("users", "role", administrator.email, "--add", "clinician")
    for arguments in (["disable", administrator.email], ["role", administrator.email, "--remove", "administrator"]):
        code, _, err = run("users", *arguments)
        assert code == 2
        assert "last administrator who can sign in" in err
    assert roles_of(administrator.email) == ["administrator", "clinician"]
    assert User.objects.get(pk=administrator.pk).is_active


def test_an_administrator_who_never_enrolled_does_not_count(run, administrator):
    run("users", "invite", "nina@example.org", "--name", "Nina", "--role", "administrator")
    assert run("users", "disable", administrator.email)[0] == 2


def test_with_a_second_administrator_the_first_may_go(run, administrator, make_person):
    make_person("otto@example.org", "administrator")
    assert run("users", "role", administrator.email, "--add", "clinician", "--remove", "administrator")[0] == 0
    assert roles_of(administrator.email) == ["clinician"]
    assert run("users", "disable", "otto@example.org")[0] == 2


def test_roles_are_given_and_taken_in_one_go_and_the_change_is_in_the_trail(run, administrator, clinician, logged):
    code, out, _ = run(
        "users", "role", clinician.email, "--add", "auditor", "--add", "operator", "--remove", "clinician", "--json"
    )
    assert (code, json.loads(out)["roles"]) == (0, ["auditor", "operator"])
    changed = logged("update")[-1]
    assert changed["resources"] == [f"User/{clinician.pk}"]
    assert "roles clinician became auditor, operator" in changed["detail"]


def test_role_without_options_shows_them_and_changes_nothing(run, clinician, logged):
    assert run("users", "role", clinician.email)[:2] == (
        0,
        "roles    \nclinician\ncleo@example.org has the roles clinician.\n",
    )
    assert logged("update") == []


def test_a_person_keeps_at_least_one_role(run, administrator, clinician):
    code, _, err = run("users", "role", clinician.email, "--remove", "clinician")
    assert code == 2
    assert "at least one role" in err


def test_reset_factor_voids_password_and_sessions_and_prints_a_new_link(run, administrator, clinician, client):
    enter(client, clinician)
    code, out, _ = run("users", "reset-factor", clinician.email)
    assert code == 0
    assert LINK.fullmatch(out)
    assert not User.objects.get(pk=clinician.pk).has_usable_password()
    assert client.get("/accounts/password/").status_code == 302


def test_a_new_link_voids_the_one_before(run, administrator, client):
    _, first, _ = run("users", "invite", "nina@example.org", "--name", "Nina", "--role", "clinician")
    _, second, _ = run("users", "reset-factor", "nina@example.org")
    pages = [client.get("/accounts" + link.strip().partition("/accounts")[2]).status_code for link in (first, second)]
    assert pages == [410, 200]


def test_a_disabled_person_gets_no_link(run, administrator, clinician):
    run("users", "disable", clinician.email)
    code, out, err = run("users", "reset-factor", clinician.email)
    assert (code, out) == (2, "")
    assert "users enable comes first" in err


def test_each_change_of_people_leaves_its_row(run, administrator, logged):
    run("users", "invite", "nina@example.org", "--name", "Nina", "--role", "clinician")
    run("users", "reset-factor", "nina@example.org")
    run("users", "disable", "nina@example.org")
    run("users", "enable", "nina@example.org")
    run("users", "unlock", "nina@example.org")
    about = f"User/{User.objects.get(email='nina@example.org').pk}"
    rows = logged("create") + logged("update")
    assert [row["detail"].partition(": ")[2] for row in rows if row["resources"] == [about]] == [
        "invited with clinician",
        "password and second factors (none) voided, enrolment link made",
        "disabled",
        "enabled",
        "unlocked",
    ]
    assert [row["route"] for row in logged("command")] == [
        "users invite",
        "users reset-factor",
        "users disable",
        "users enable",
        "users unlock",
    ]


def test_no_link_reaches_the_trail(run, logged):
    _, out, _ = run("users", "invite", "nina@example.org", "--name", "Nina", "--role", "clinician")
    secret = out.strip().split("/")[-2]
    assert secret not in json.dumps(logged("create") + logged("command"))


def test_first_makes_an_administrator_while_nobody_can_sign_in(run):
    code, out, _ = run("users", "first")
    assert code == 0
    assert LINK.fullmatch(out)
    assert roles_of(FIRST_EMAIL) == ["administrator"]


def test_first_in_a_demo_gets_what_trying_out_needs(run):
    run("users", "first", "--demo")
    assert roles_of(FIRST_EMAIL) == ["administrator", "clinician", "operator"]


def test_first_reuses_the_person_and_replaces_the_link(run):
    links = [run("users", "first")[1] for _ in range(2)]
    assert links[0] != links[1]
    assert User.objects.count() == EnrolmentLink.objects.count() == 1


def test_first_prints_nothing_once_somebody_can_sign_in(run, administrator):
    code, out, _ = run("users", "first", "--demo")
    assert (code, out) == (0, "")
    assert User.objects.count() == 1
