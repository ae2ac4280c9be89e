"""tokens create, list, rotate, revoke, as an operator runs them."""

import json
import re

import pytest

from healthrecords.accounts.models import ApiToken

TOKEN = re.compile(r"hrt_[0-9a-f]{12}_[A-Za-z0-9_-]{43}\n")


def test_create_prints_the_token_alone_on_stdout(run):
    code, out, err = run("tokens", "create", "lab", "--role", "integrator")
    assert code == 0
    assert TOKEN.fullmatch(out)
    assert "lab" in err
    assert "shown only now" in err


def test_create_takes_purposes_and_days(run):
    run("tokens", "create", "lab", "--role", "integrator", "--purpose", "PUBHLTH,TREAT", "--days", "7")
    token = ApiToken.objects.get()
    assert token.purposes == ["PUBHLTH", "TREAT"]
    assert (token.expires_at - token.created_at).days in {6, 7}


def test_a_token_has_the_purposes_of_its_role_unless_told(run):
    run("tokens", "create", "lab", "--role", "front-desk")
    assert ApiToken.objects.get().purposes == ["HOPERAT", "HPAYMT", "TREAT"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["lab", "--role", "wizard"], "There is no role 'wizard'; the roles are administrator"),
        (["lab", "--role", "operator", "--purpose", "TREAT"], "does not have the purpose TREAT; it has HSYSADMIN"),
        (["lab", "--role", "integrator", "--days", "0"], "1 to 365 days, not 0"),
        (["lab", "--role", "integrator", "--days", "366"], "1 to 365 days, not 366"),
        ([" ", "--role", "integrator"], "1 to 100 printable characters"),
        (["la\nb", "--role", "integrator"], "1 to 100 printable characters"),
        (["lab"], "Missing option '--role'"),
        (["lab", "--role", "integrator", "--days", "soon"], "'soon' is not a valid int"),
        (["lab", "--colour", "red"], "No such option: --colour"),
        ([], "Missing argument"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(run, arguments, sentence):
    code, out, err = run("tokens", "create", *arguments)
    assert code == 2
    assert out == ""
    assert sentence in err
    assert len(err.strip().splitlines()) == 1
    assert not ApiToken.objects.exists()


def test_a_name_has_one_token_until_it_is_rotated(run):
    run("tokens", "create", "lab", "--role", "integrator")
    code, _, err = run("tokens", "create", "lab", "--role", "integrator")
    assert code == 2
    assert "tokens rotate" in err


def test_rotate_makes_a_successor_with_the_same_role_and_purposes(run):
    run("tokens", "create", "lab", "--role", "integrator", "--purpose", "PUBHLTH")
    code, out, _ = run("tokens", "rotate", "lab")
    assert code == 0
    assert TOKEN.fullmatch(out)
    assert [(t.role_id, t.purposes, t.revoked_at) for t in ApiToken.objects.all()] == [
        ("integrator", ["PUBHLTH"], None)
    ] * 2


def test_a_third_live_token_of_a_name_is_refused_with_the_one_to_revoke(run):
    run("tokens", "create", "lab", "--role", "integrator")
    oldest = ApiToken.objects.get().prefix
    run("tokens", "rotate", "lab")
    code, out, err = run("tokens", "rotate", "lab")
    assert (code, out) == (2, "")
    assert f"tokens revoke {oldest}" in err
    assert run("tokens", "revoke", oldest)[0] == 0
    assert run("tokens", "rotate", "lab")[0] == 0


def test_rotate_needs_a_live_token(run):
    code, _, err = run("tokens", "rotate", "lab")
    assert code == 2
    assert "no live token named lab" in err


def test_revoke_by_name_revokes_all_and_twice_changes_nothing(run):
    run("tokens", "create", "lab", "--role", "integrator")
    run("tokens", "rotate", "lab")
    code, out, _ = run("tokens", "revoke", "lab", "--json")
    assert (code, len(json.loads(out)["revoked"])) == (0, 2)
    when = list(ApiToken.objects.values_list("revoked_at", flat=True))
    code, out, _ = run("tokens", "revoke", "lab")
    assert code == 0
    assert "already" in out
    assert list(ApiToken.objects.values_list("revoked_at", flat=True)) == when


def test_revoke_of_an_unknown_name_is_bad_input(run):
    code, _, err = run("tokens", "revoke", "nobody")
    assert code == 2
    assert "no token of the name or prefix nobody" in err


def test_list_tells_state_and_use_and_no_secret(run):
    _, token, _ = run("tokens", "create", "lab", "--role", "integrator")
    run("tokens", "create", "old", "--role", "integrator")
    run("tokens", "revoke", "old")
    code, out, _ = run("tokens", "list", "--json")
    answer = json.loads(out)
    assert (code, answer["ok"], answer["outcome"], answer["summary"]) == (0, True, "good", "2 tokens, 1 of them live.")
    assert {(row["name"], row["state"], row["last_used"]) for row in answer["tokens"]} == {
        ("lab", "live", None),
        ("old", "revoked", None),
    }
    assert token.strip()[17:] not in out
    assert "lab" in run("tokens", "list")[1]


def test_json_holds_the_token_under_its_name(run):
    code, out, _ = run("tokens", "create", "lab", "--role", "integrator", "--json")
    answer = json.loads(out)
    assert code == 0
    assert TOKEN.fullmatch(answer["token"] + "\n")
    assert answer["details"]["role"] == "integrator"


def test_a_dry_run_shows_what_would_happen_and_makes_nothing(run, logged):
    code, out, _ = run("tokens", "create", "lab", "--role", "integrator", "--dry-run", "--json")
    answer = json.loads(out)
    assert (code, answer["dry_run"]) == (0, True)
    assert answer["summary"].startswith("Dry run, nothing was changed")
    assert "token" not in answer
    assert not ApiToken.objects.exists()
    assert logged("create") == logged("command") == []


def test_each_change_leaves_its_row_and_an_operations_record(run, logged):
    _, text, _ = run("tokens", "create", "lab", "--role", "integrator")
    token = ApiToken.objects.get()
    run("tokens", "revoke", "lab")
    created, revoked = logged("create")[0], logged("delete")[0]
    assert created["resources"] == revoked["resources"] == [f"ApiToken/{token.pk}"]
    assert "role integrator" in created["detail"]
    commands = logged("command")
    assert [(row["route"], row["outcome"], row["actor_kind"]) for row in commands] == [
        ("tokens create", "success", "host"),
        ("tokens revoke", "success", "host"),
    ]
    assert commands[0]["request"] == created["request"]
    assert text.strip()[17:] not in json.dumps([created, *commands])


def test_a_run_that_could_not_leaves_its_record_too(run, logged):
    run("tokens", "create", "lab", "--role", "wizard")
    assert [(row["route"], row["outcome"]) for row in logged("command")] == [("tokens create", "failure")]


def test_a_token_whose_row_cannot_be_written_is_not_made(run, monkeypatch):
    def refuse(*_):
        raise RuntimeError("the trail is full")

    monkeypatch.setattr("healthrecords.accounts.tokens.trail.record", refuse)
    code, out, _ = run("tokens", "create", "lab", "--role", "integrator")
    assert (code, out) == (2, "")
    assert not ApiToken.objects.exists()
