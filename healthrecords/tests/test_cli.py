"""The shell of every command: what goes to stdout and stderr, and the exit code."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.management.base import CommandError, SystemCheckError
from django.db import OperationalError, ProgrammingError
from django_typer.management import command

from healthrecords.accounts.models import Role
from healthrecords.cli import Group, Result, counted, progress, verb

CHECKOUT = Path(__file__).resolve().parents[2]


class Command(Group):
    """A group with a verb for each way to end."""

    opens_sealed = False

    @command()
    @verb()
    def good(self) -> Result:
        rows = [{"name": "a", "at": datetime(2026, 5, 1, 12, tzinfo=UTC), "tags": ["x", "y"], "none": None}]
        return Result("One row.", {"rows": rows, "counts": {"Patient": 3}, "total": 3})

    @command()
    @verb()
    def problem(self) -> Result:
        return Result("Two of three are missing.", {"missing": ["b", "c"]}, outcome="problem")

    @command()
    @verb()
    def secret(self) -> Result:
        return Result("Made.", {"token": "hrt_x"}, alone="token")

    @command()
    @verb()
    def escape(self) -> Result:
        return Result("Done \x1b[2J.", {"rows": [{"name": "[bold]x[/bold]\x1b[2J"}]})

    @command()
    @verb()
    def stop(self, kind: str) -> Result:
        raise FAULTS[kind]

    @command()
    @verb(changes=True, rehearses=True)
    def change(self, name: str = "tester") -> Result:
        Role.objects.create(name=name, title=name)
        return Result(f"Made {name}.", {"role": name})


FAULTS = {
    "bad-input": CommandError("There is no such thing."),
    "invalid": ValidationError(["First.", "Second."]),
    "misconfigured": ImproperlyConfigured("HEALTHCARE_X is not set."),
    "database": OperationalError("connection refused\n\tIs the server running?"),
    "schema": ProgrammingError('relation "x" does not exist\nDETAIL: row (Jansen, 1980)'),
    "bug": KeyError("x"),
}


@pytest.fixture
def run(capsys, monkeypatch):
    """Run the group as manage.py does; return exit code, stdout and stderr."""

    def run(*arguments):
        argv = ["manage.py", "test_cli", *arguments]
        monkeypatch.setattr(sys, "argv", argv)
        code = 0
        try:
            Command().run_from_argv(argv)
        except SystemExit as ended:
            code = ended.code or 0
        out, err = capsys.readouterr()
        return code, out, err

    return run


def test_good_is_a_table_a_sentence_and_exit_code_0(run):
    code, out, err = run("good")
    assert (code, err) == (0, "")
    assert [line.split() for line in out.splitlines()] == [
        ["name", "at", "tags", "none"],
        ["a", "2026-05-01", "12:00:00", "x,", "y"],
        ["counts"],
        ["Patient", "3"],
        ["One", "row."],
    ]


def test_json_is_one_object_with_the_data_under_its_names(run):
    code, out, err = run("good", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == {
        "ok": True,
        "outcome": "good",
        "summary": "One row.",
        "rows": [{"name": "a", "at": "2026-05-01T12:00:00Z", "tags": ["x", "y"], "none": None}],
        "counts": {"Patient": 3},
        "total": 3,
    }


def test_a_problem_is_exit_code_1_and_still_shows_what_was_found(run):
    code, out, _ = run("problem")
    assert code == 1
    assert out.split() == ["missing", "b", "c", "Two", "of", "three", "are", "missing."]
    code, out, _ = run("problem", "--json")
    assert code == 1
    assert json.loads(out) == {
        "ok": False,
        "outcome": "problem",
        "summary": "Two of three are missing.",
        "missing": ["b", "c"],
    }


def test_a_secret_stands_alone_on_stdout_and_under_its_name_in_json(run):
    assert run("secret") == (0, "hrt_x\n", "Made.\n")
    code, out, err = run("secret", "--json")
    assert (code, json.loads(out)["token"], err) == (0, "hrt_x", "")


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("bad-input", "There is no such thing."),
        ("invalid", "First. Second."),
        ("misconfigured", "HEALTHCARE_X is not set."),
        (
            "database",
            "The database does not answer (connection refused); start the server, or check HEALTHCARE_DATABASE_URL.",
        ),
        ("schema", 'The database is not as this version expects (relation "x" does not exist); migrate it.'),
        ("bug", "This is a fault of the program (KeyError: 'x'); see --traceback."),
    ],
)
def test_what_could_not_run_is_one_sentence_and_exit_code_2(run, kind, sentence):
    assert run("stop", kind) == (2, "", f"{sentence}\n")
    code, out, err = run("stop", kind, "--json")
    assert (code, err) == (2, f"{sentence}\n")
    assert json.loads(out) == {"ok": False, "outcome": "error", "summary": sentence}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["good", "--colour", "red"], "No such option: --colour"),
        (["nonsense"], "No such command 'nonsense'"),
        (["stop"], "Missing argument 'kind'"),
        (["good", "too", "many"], "Got unexpected extra argument(s) (too many)"),
        ([], "Missing command"),
    ],
)
def test_bad_options_are_one_line_and_exit_code_2(run, arguments, sentence):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert sentence in err
    assert len(err.splitlines()) == 1
    code, out, _ = run(*arguments, "--json")
    assert code == 2
    assert json.loads(out)["outcome"] == "error"


def test_a_failed_system_check_is_exit_code_2(run, monkeypatch):
    def check(self, **_):
        raise SystemCheckError("ERRORS:\nThe setting ACCESS_POLICY is empty.")

    monkeypatch.setattr(Command, "check", check)
    assert run("good") == (2, "", "ERRORS: The setting ACCESS_POLICY is empty.\n")


def test_a_fault_before_the_verb_begins_is_exit_code_2(run, monkeypatch):
    def check(self, **_):
        raise ImportError("No module named 'compliance.policy'")

    monkeypatch.setattr(Command, "check", check)
    sentence = "This is a fault of the program (ImportError: No module named 'compliance.policy'); see --traceback.\n"
    assert run("good") == (2, "", sentence)


def test_help_is_exit_code_0(run):
    code, out, _ = run("good", "--help")
    assert code == 0
    assert "--json" in out


def test_what_a_row_holds_drives_no_terminal(run):
    _, out, _ = run("escape")
    assert "\x1b" not in out
    assert "[bold]x[/bold]" in out


def test_a_change_leaves_an_operations_record_with_its_duration(run, trail):
    assert run("change")[0] == 0
    record = trail(action="command")[0]
    assert (record.actor_kind, record.route, record.outcome) == ("host", "test_cli change", "success")
    assert record.actor == subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    assert record.detail.startswith("test_cli change: good in 0.")
    assert record.detail.endswith("Made tester.")
    Role.objects.filter(name="tester").delete()


def test_reading_leaves_no_operations_record(run, trail):
    run("good")
    assert trail(action="command") == []


def test_a_dry_run_rolls_back_and_leaves_no_record(run, trail):
    code, out, _ = run("change", "--dry-run", "--json")
    assert (code, json.loads(out)["summary"]) == (0, "Dry run, nothing was changed: Made tester.")
    assert not Role.objects.filter(name="tester").exists()
    assert trail(action="command") == []


def test_a_record_that_cannot_be_written_is_told_and_the_work_stays_done(run, db, monkeypatch, caplog):
    def refuse(*_):
        raise RuntimeError("the trail is full")

    monkeypatch.setattr("healthrecords.cli.trail.record", refuse)
    assert run("change")[0] == 0
    assert "operations record could not be written" in caplog.text
    assert Role.objects.filter(name="tester").delete()[0]


def test_progress_is_silent_where_nobody_watches(capsys):
    with progress("Reading", 10) as advance:
        advance(10)
    assert capsys.readouterr() == ("", "")


def test_numbers_agree_with_their_nouns():
    assert [counted(n, "token") for n in (0, 1, 2)] == ["0 tokens", "1 token", "2 tokens"]


def manage(*arguments, **changes):
    environment = {**os.environ, **changes}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=CHECKOUT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_stopped_database_is_one_sentence_and_exit_code_2():
    url = "postgres://healthrecords_app:kD8fhQ2nVx7LbR4mTz9W@127.0.0.1:1/healthrecords"
    ended = manage("tokens", "list", "--json", HEALTHCARE_DATABASE_URL=url)
    assert ended.returncode == 2
    assert ended.stderr.startswith("The database does not answer (")
    assert len(ended.stderr.splitlines()) == 1
    assert json.loads(ended.stdout)["outcome"] == "error"


def test_a_setting_that_is_missing_is_one_sentence_and_exit_code_2():
    ended = manage("tokens", "list", HEALTHCARE_SECRET_KEY="")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "HEALTHCARE_SECRET_KEY" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize("group", ["tokens", "users", "access"])
def test_every_group_keeps_its_verbs(group):
    ended = manage(group, "--help")
    assert ended.returncode == 0
    assert {"tokens": "rotate", "users": "reset-factor", "access": "log"}[group] in ended.stdout
