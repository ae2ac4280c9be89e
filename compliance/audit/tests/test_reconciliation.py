"""The request log against the trail: what was answered and left no event is named, in whatever form the log comes."""

import gzip
import io
import json
import logging
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from compliance.audit import tasks
from compliance.audit.reconciliation import must_leave_event
from compliance.audit.requestlog import Logged, parse
from compliance.audit.tests.hands import unguarded

ID = "01a2121f-a6e4-73e2-9d20-a82c17147052"


@pytest.fixture
def log(tmp_path):
    """What the server logs meanwhile, as a file."""
    stream = io.StringIO()
    handlers = [each for each in logging.getLogger().handlers if getattr(each.formatter, "processors", None)]
    kept = [(each, each.setStream(stream)) for each in handlers]

    def written():
        (tmp_path / "gunicorn.log").write_text(stream.getvalue())
        return tmp_path / "gunicorn.log"

    yield written
    for each, old in kept:
        each.setStream(old)


def reconcile(*arguments):
    """The exit code and the JSON of the verb."""
    out = StringIO()
    try:
        call_command("audit", "reconcile", *map(str, arguments), "--json", stdout=out)
    except (CommandError, SystemExit) as ended:
        return getattr(ended, "returncode", None) or getattr(ended, "code", 1), json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


def work(api, signed_in):
    """A day of ordinary work, with failures."""
    patient = api.create()
    api.get("Patient?name=jansen")
    api.get(f"Patient/{patient['id']}")
    api.get(f"Patient/{patient['id']}", If_None_Match='W/"1"')
    api.get(f"Patient/{patient['id']}/_history")
    api.get(f"Patient/{patient['id']}/_history/1")
    api.put(f"Patient/{patient['id']}", patient)
    api.post("Patient/$validate", patient)
    api.post("Patient/_search", "name=jansen", Content_Type="application/x-www-form-urlencoded")
    api.get("Patient/no-such")
    api.get("Patient?nonsense=1")
    api.get("Organization")
    api.get("metadata")
    api.delete(f"Patient/{patient['id']}")
    browser = signed_in("clinician")
    api.create()
    for path in ("", "add/"):
        assert browser.get(f"/admin/patients/patient/{path}").status_code == 200


def test_after_ordinary_work_every_request_has_its_event(integrator, signed_in, log):
    work(integrator, signed_in)
    code, told = reconcile(log())
    assert (code, told["unrecorded"], told["faults"]) == (0, [], [])
    assert told["judged"] >= 11


def test_a_request_without_an_event_is_named(integrator, log, trail):
    integrator.create()
    integrator.get("Patient?name=jansen")
    [search] = trail(action="search")
    with unguarded() as cursor:
        cursor.execute("DELETE FROM compliance_accessevent WHERE action = 'search'")
    code, told = reconcile(log())
    [row] = told["unrecorded"]
    assert code == 1
    assert (row["request"], row["method"], row["route"]) == (search.request, "GET", "fhir/Patient")


def test_the_timetable_tells_of_it_and_prometheus_reads_it(integrator, log, settings, caplog):
    from django.test import Client

    integrator.create()
    with unguarded() as cursor:
        cursor.execute("DELETE FROM compliance_accessevent")
    settings.AUDIT_REQUEST_LOGS = [str(log())]
    assert tasks.reconcile().outcome == "problem"
    assert "left no event in the audit trail" in caplog.text
    page = Client().get("/metrics", headers={"Authorization": f"Bearer {settings.METRICS_TOKEN}"}).content.decode()
    assert "audit_unrecorded_requests 1.0" in page


def test_without_a_log_the_timetable_has_nothing_to_do_and_the_verb_says_so(db, settings):
    settings.AUDIT_REQUEST_LOGS = []
    assert tasks.reconcile().ok
    code, told = reconcile()
    assert (code, "HEALTHCARE_REQUEST_LOGS" in told["summary"]) == (2, True)


def test_rotated_and_packed_logs_are_read_with_the_one_in_use(integrator, log, tmp_path):
    integrator.create()
    with unguarded() as cursor:
        cursor.execute("DELETE FROM compliance_accessevent")
    text = log().read_text()
    with gzip.open(tmp_path / "gunicorn.log.2.gz", "wt") as file:
        file.write(text)
    (tmp_path / "gunicorn.1.log").write_text(text[: len(text) - 30])  # cut off in the middle of a line
    (tmp_path / "gunicorn.log").write_text("")
    code, told = reconcile(tmp_path / "gunicorn*.log*")
    assert (code, told["judged"], len(told["unrecorded"])) == (1, 1, 1)


def test_a_log_that_is_not_the_one_in_use_is_a_finding(integrator, tmp_path):
    integrator.create()
    (tmp_path / "old.log").write_text("")
    code, told = reconcile(tmp_path / "old.log")
    assert (code, "not the log in use" in told["faults"][0]) == (1, True)


def test_a_log_that_begins_late_is_told(integrator, log):
    integrator.create()
    code, told = reconcile(log(), "--since", "7d")
    assert (code, "what came before was not compared" in told["notes"][0]) == (0, True)


def test_a_log_that_is_not_there_stops_the_verb(db, tmp_path):
    code, told = reconcile(tmp_path / "none.log")
    assert (code, "There is no request log" in told["summary"]) == (2, True)


def test_standard_input_is_a_log_too(integrator, log, monkeypatch):
    integrator.create()
    monkeypatch.setattr("sys.stdin", StringIO(log().read_text()))
    code, told = reconcile("-")
    assert (code, told["judged"]) == (0, 1)


SAID = {"method": "GET", "route": "fhir/Patient/<logical_id>", "status": 200, "request_id": ID}
CONSOLE = (
    "2026-11-25T09:53:13.970000Z [info     ] request                        [healthrecords.requests] actor= "
    f"actor_kind='' method=GET milliseconds=13.3 request_id={ID} route=fhir/Patient/<logical_id> status=200"
)
PROXY = (
    "proxy-1  | <134>Nov 25 09:53:13 haproxy[8]: 192.0.2.7 [25/Nov/2026:09:53:13.970] secure~ app1 "
    f"0/0/1/12/13 200 1234 ---- GET /fhir/Patient {ID}"
)
AT = datetime(2026, 11, 25, 9, 53, 13, 970000, tzinfo=UTC)


@pytest.mark.parametrize(("line", "route"), [
    (json.dumps({**SAID, "event": "request", "time": "2026-11-25T09:53:13.970Z"}), "fhir/Patient/<logical_id>"),
    (CONSOLE, "fhir/Patient/<logical_id>"),
    (PROXY, "fhir/Patient"),
])  # fmt: skip
def test_the_logs_of_server_and_proxy_are_understood(line, route):
    assert parse(line) == Logged(ID, "GET", route, 200, AT)


@pytest.mark.parametrize("line", [
    "", "{", "{}", "[]", '{"event": "request"}', "2026 [healthrecords.requests] x", "plain words",
    json.dumps({**SAID, "event": "other", "time": "2026-11-25T09:53:13.970Z"}),
])  # fmt: skip
def test_other_lines_are_passed_over(line):
    assert parse(line) is None


@pytest.mark.parametrize(("method", "route", "status", "must"), [
    ("GET", "fhir/Patient", 200, True),
    ("GET", "fhir/Patient/<logical_id>", 304, True),
    ("DELETE", "fhir/Immunization/<logical_id>", 204, True),
    ("GET", "fhir/Binary/<logical_id>", 200, True),
    ("GET", "fhir/Binary", 200, True),
    ("GET", "admin/patients/patient/<str:object_id>/", 200, True),
    ("GET", "fhir/Patient", 400, False),
    ("OPTIONS", "fhir/Patient", 200, False),
    ("POST", "fhir/Patient/$validate", 200, False),
    ("POST", "fhir/$validate", 200, False),
    ("GET", "fhir/Organization", 200, False),
    ("GET", "fhir/metadata", 200, False),
    ("GET", "admin/patients/patient/<str:object_id>/", 302, False),
    ("GET", "admin/healthrecords/organization/", 200, False),
    ("GET", "health", 200, False),
    ("GET", "", 302, False),
])  # fmt: skip
def test_which_answers_must_leave_an_event(method, route, status, must):
    assert must_leave_event(Logged(ID, method, route, status, AT)) is must


def test_what_is_older_than_asked_for_is_not_judged(integrator, log):
    integrator.create()
    later = datetime.now(UTC) + timedelta(minutes=1)
    assert reconcile(log(), "--since", later.isoformat())[1]["judged"] == 0
