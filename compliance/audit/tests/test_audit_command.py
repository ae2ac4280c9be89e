"""audit status, seal, verify, epoch, as an operator runs them; what Prometheus reads; what the timetable runs."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from compliance.audit import heads, tasks
from compliance.audit.tests.hands import finished, sealed, unguarded


def run(*arguments):
    """The exit code and the JSON of a verb."""
    out = StringIO()
    try:
        call_command("audit", *arguments, "--json", stdout=out)
    except (CommandError, SystemExit) as ended:
        return getattr(ended, "returncode", None) or getattr(ended, "code", 1), json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


def change_an_event():
    with unguarded() as cursor:
        cursor.execute("UPDATE compliance_accessevent SET actor = 'somebody else' WHERE action = 'create'")


def test_seal_then_status_then_verify(integrator):
    integrator.create()
    code, told = run("seal")
    assert (code, told["places"][0]["place"]) == (0, "store")
    sealed()
    code, told = run("status")
    assert (code, told["unsealed_events"], told["epoch"]) == (0, 0, 1)
    code, told = run("verify")
    assert (code, told["findings"], told["summary"].endswith("nothing was changed.")) == (0, [], True)
    assert told["compared"]["store"] >= 1


def test_verify_ends_with_1_and_names_the_event(integrator, trail):
    integrator.create()
    sealed()
    change_an_event()
    [event] = trail(action="create")
    code, told = run("verify")
    assert code == 1
    [finding] = told["findings"]
    assert (finding["check"], finding["events"]) == ("changed", [str(event.uuid)])
    assert finding["sealed"] == heads.last().said["time"]


def test_verify_narrows_by_time(integrator):
    integrator.create()
    sealed()
    change_an_event()
    assert run("verify", "--until", "2020-01-01")[1]["events"] == 0
    assert run("verify", "--since", "1h")[0] == 1


def test_without_the_key_nothing_is_sealed_and_the_sentence_says_why(integrator, settings):
    settings.AUDIT_KEY_FILE = ""
    code, told = run("seal")
    assert (code, "HEALTHCARE_AUDIT_KEY_FILE is not set" in told["summary"]) == (2, True)


def test_an_epoch_needs_a_reason(db):
    assert run("epoch", " ")[0] == 2
    assert run("epoch", "restored from Tuesday")[1]["epoch"] == 2


def test_the_minute_seals_and_verifies_what_it_sealed(integrator, trail, caplog):
    integrator.create()
    finished()
    assert tasks.seal().summary.endswith(" sealed.")
    assert "does not verify" not in caplog.text
    change_an_event()
    assert tasks.verify().summary == "1 finding; the log has them."
    assert "does not verify (changed)" in caplog.text


@pytest.mark.parametrize("waiting", [False, True])
def test_prometheus_reads_ages_and_findings(integrator, settings, waiting):
    integrator.create()
    sealed()
    tasks.verify()
    if waiting:
        integrator.create()
    page = Client().get("/metrics", headers={"Authorization": f"Bearer {settings.METRICS_TOKEN}"}).content.decode()
    figures = dict(line.rsplit(" ", 1) for line in page.splitlines() if line.startswith("audit_"))
    assert float(figures["audit_last_seal_age_seconds"]) < 60
    assert (float(figures["audit_unsealed_events"]) > 0) == waiting
    assert figures["audit_findings"] == "0.0"
