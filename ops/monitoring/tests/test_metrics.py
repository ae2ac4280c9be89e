"""The metrics: behind their token, by the names that docs/metrics.md tells, without personal data."""

import re
import time

import pytest
from django.test import Client

from healthrecords.accounts import attempts
from healthrecords.crypto import envelope
from healthrecords.embedded.datadir import CHECKOUT
from ops.monitoring import machine, requests, work
from ops.monitoring.tests.reading import families, value
from ops.proof.tasks import publish
from tests.cast import PATIENT


def told():
    """What docs/metrics.md says of each metric, by name."""
    row = re.compile(r"^\| `(\w+)` \| (\w+) \|(.*?)\| .* \| (.*?) \|$", re.MULTILINE)
    rows = row.findall((CHECKOUT / "docs/metrics.md").read_text())
    return {name: (kind, set(re.findall(r"`(\w+)`", labels)), there) for name, kind, labels, there in rows}


@pytest.fixture
def after_a_day(integrator, clinician, outsider, signed_in):
    """A server that has seen creation, reading, searching, refusals, pages, and a failed sign-in."""
    patient = integrator.create()
    integrator.get(f"Patient/{patient['id']}")
    integrator.get("Patient?family=Jansen")
    integrator.post("Patient", {**PATIENT, "birthDate": "never"})
    integrator.get("Patient/nobody-of-this-id")
    outsider.get(f"Patient/{patient['id']}")
    clinician.delete(f"Patient/{patient['id']}")
    signed_in("clinician").get("/admin/")
    Client().post("/accounts/login/", {"login": "nobody@example.org", "password": "wrong"})
    work._good(sender=work.app.tasks["compliance.audit.tasks.seal"])
    return patient


def test_the_token_opens_them_and_nothing_else_does(db, settings):
    client = Client()
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401
    opened = client.get("/metrics", headers={"Authorization": f"Bearer {settings.METRICS_TOKEN}"})
    assert opened.status_code == 200
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 401


def test_what_is_answered_is_what_the_document_tells(after_a_day):
    answered, rows = families(), told()
    assert set(answered) - set(rows) == set()
    for name, family in answered.items():
        kind, labels, _ = rows[name]
        assert family.type == kind, name
        assert {label for sample in family.samples for label in sample.labels if label != "le"} == labels, name
    assert {name for name, row in rows.items() if row[2] == "always"} - set(answered) == set()


def test_no_label_holds_anything_of_a_person_and_each_has_few_values(after_a_day):
    values: dict[tuple[str, str], set[str]] = {}
    for name, family in families().items():
        for sample in family.samples:
            for label, text in sample.labels.items():
                values.setdefault((name, label), set()).add(text)
    everything = " ".join(text for found in values.values() for text in found)
    for secret in (after_a_day["id"], "Jansen", "nobody@example.org", "127.0.0.1", "clinician token", "1974"):
        assert secret not in everything
    for (name, label), found in values.items():
        assert len(found) <= 60, f"{name}{{{label}}}"
        assert all(re.fullmatch(r"[A-Za-z0-9 +._-]{1,60}", text) for text in found), f"{name}{{{label}}}: {found}"


def test_requests_are_counted_by_part_and_status_without_their_addresses(integrator):
    asked = {"part": "fhir", "method": "GET", "status": "200"}
    patient, before = integrator.create(), value("http_requests_total", **asked)
    integrator.get(f"Patient/{patient['id']}")
    assert value("http_requests_total", **asked) == before + 1
    limits = {sample.labels.get("le") for sample in families()["http_request_duration_seconds"].samples}
    assert {"0.05", "0.1", "0.2", "0.3", "0.5"} <= limits


@pytest.mark.parametrize(
    ("path", "part"),
    [("/fhir/Patient/1", "fhir"), ("/fhir", "fhir"), ("/metrics", "probe"), ("/health/ready", "probe"), ("/", "other"),
     ("/admin/", "admin"), ("/Jansen/1974", "other"), ("", "other"), ("*", "other")],
)  # fmt: skip
def test_an_address_becomes_the_part_that_it_belongs_to(path, part):
    assert requests.part_of(path) == part


def test_denials_are_counted_by_the_kind_of_asker(integrator, outsider, caller_with_role):
    patient = integrator.create()
    before = {actor: value("phi_access_denied_total", actor=actor) for actor in ("anonymous", "token")}
    outsider.get(f"Patient/{patient['id']}")
    caller_with_role("operator").get(f"Patient/{patient['id']}")
    assert value("phi_access_denied_total", actor="anonymous") == before["anonymous"] + 1
    assert value("phi_access_denied_total", actor="token") == before["token"] + 1


def test_what_alerts_look_for_is_there_before_it_happens(db):
    found = {(sample.name, *sorted(sample.labels.items())) for f in families().values() for sample in f.samples}
    assert ("http_requests_total", ("method", "GET"), ("part", "fhir"), ("status", "500")) in found
    assert ("phi_access_denied_total", ("actor", "user")) in found
    assert ("sign_in_failures_total",) in found


def test_a_failed_sign_in_is_counted(db):
    before = value("sign_in_failures_total")
    Client().post("/accounts/login/", {"login": "nobody@example.org", "password": "wrong"})
    assert value("sign_in_failures_total") == before + 1


def test_an_address_is_blocked_until_its_window_ends(db, monkeypatch):
    before = value("guesses_refused_total", kind="token")
    for _ in range(attempts.MOST):
        attempts.take("token", "abc", "192.0.2.7")
    assert value("blocked_addresses") == 0
    for _ in range(2):
        with pytest.raises(attempts.TooMany):
            attempts.take("token", "abc", "192.0.2.7")
    assert value("blocked_addresses") == 1
    assert value("guesses_refused_total", kind="token") == before + 2
    later = time.time() + attempts.WINDOW
    monkeypatch.setattr(time, "time", lambda: later)
    assert value("blocked_addresses") == 0


def test_a_value_that_does_not_open_is_counted(db):
    before = value("encryption_opened_total", outcome="failure")
    sealed = envelope.seal(b"words", "table.column|1")
    envelope.open_sealed(sealed, "table.column|1")
    with pytest.raises(envelope.CannotOpen):
        envelope.open_sealed(sealed, "table.column|2")
    assert value("encryption_opened_total", outcome="failure") == before + 1


def test_a_queue_tells_its_depth_and_the_age_of_its_oldest_task(db):
    before = value("queue_depth", queue="long")
    with work.app.connection_for_write() as connection:
        broker = connection.default_channel.client
        try:
            publish.apply_async(queue="long", connection=connection)
            time.sleep(0.01)
            publish.apply_async(queue="long", connection=connection)
            assert value("queue_depth", queue="long") == before + 2
            assert value("queue_oldest_task_age_seconds", queue="long") > 0.01
        finally:
            broker.ltrim("long", 2, -1)
    assert value("queue_depth", queue="long") == before


def test_tasks_are_counted_by_how_they_ended(db):
    sender = work.app.tasks["compliance.audit.tasks.seal"]
    work._good(sender=sender)
    work._good(sender=sender)
    work._bad(sender=sender)
    assert value("celery_tasks_total", task=sender.name, outcome="success") == 2
    assert value("celery_tasks_total", task=sender.name, outcome="failure") == 1


def test_memory_is_that_of_the_container_where_its_limit_is_nearer(tmp_path):
    (tmp_path / "memory.max").write_text("1000\n")
    (tmp_path / "memory.current").write_text("1200\n")
    (tmp_path / "memory.stat").write_text("anon 900\ninactive_file 201\n")
    assert machine.memory_percent(tmp_path) == 99.9
    (tmp_path / "memory.max").write_text("max\n")
    assert 0 < machine.memory_percent(tmp_path) < 99.9
    assert 0 < machine.memory_percent(tmp_path / "nowhere") < 99.9
