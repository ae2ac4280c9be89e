"""An HTTPS service as the witness: the reference receiver of the docs, as its own process with its own directory."""

import os
import subprocess
import sys

import pytest
from django.conf import settings as configured

from compliance.audit import heads, places, shipping
from compliance.audit.findings import Report
from compliance.audit.tests.hands import sealed
from healthrecords import outgoing

TOKEN = "a-token-for-the-witness-of-tests"


@pytest.fixture
def receiver(tmp_path, settings):
    """The receiver on a free port; the directory in which it keeps statements."""
    folder = tmp_path / "held"
    folder.mkdir()
    ran = subprocess.Popen(
        [sys.executable, "-I", configured.BASE_DIR / "docs/security/witness.py", folder, "--port", "0"],
        env={**os.environ, "WITNESS_TOKEN": TOKEN}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    port = ran.stdout.readline().strip(" .\n").rpartition(" ")[2]
    settings.AUDIT_WITNESS, settings.AUDIT_WITNESS_TOKEN = f"http://127.0.0.1:{port}/", TOKEN
    settings.OUTGOING_ALLOW, settings.EMBEDDED = [f"127.0.0.1:{port}"], True
    yield folder
    ran.kill()
    ran.wait()


def shipped():
    return {state.place: state for state in shipping.ship()}["witness"]


def compared():
    report = Report()
    shipping.compare(report)
    return report


def test_statements_go_to_the_service_and_are_compared_with_it(receiver, integrator):
    for _ in range(3):
        integrator.create()
        sealed()
    state = shipped()
    newest = heads.last()
    assert (state.fault, state.number, shipping.lag(state)) == ("", newest.row.number, 0.0)
    assert (receiver / newest.name).read_bytes() == newest.document()
    report = compared()
    assert (report.findings, report.compared["witness"]) == ([], newest.row.number)


@pytest.mark.parametrize(("change", "text"), [
    (lambda file: file.unlink(), "The witness has lost statement 1."),
    (lambda file: file.write_bytes(file.read_bytes().replace(b'"key"', b'"kez"')), "holds another statement 1"),
    (lambda file: file.with_name("000000000009.json").write_bytes(file.read_bytes()), "holds statements after"),
    (lambda file: file.write_bytes(b"{}"), "something else than statements"),
])  # fmt: skip
def test_what_the_service_holds_otherwise_is_found(receiver, integrator, change, text):
    for _ in range(2):
        integrator.create()
        sealed()
    shipped()
    change(receiver / "0001/000000000001.json")
    assert text in " ".join(finding.text for finding in compared().findings)


def test_another_statement_under_the_same_number_is_refused_and_stays(receiver, integrator):
    integrator.create()
    sealed()
    first = receiver / "0001/000000000001.json"
    first.parent.mkdir()
    first.write_text("another history")
    assert "holds another statement" in shipped().fault
    assert first.read_text() == "another history"


def test_delivering_again_changes_nothing(receiver, integrator):
    integrator.create()
    sealed()
    for _ in range(2):
        places.witness().put([heads.last()])
    assert len(list(receiver.rglob("*"))) == 2


def test_a_wrong_token_is_told_and_what_waits_is_delivered_later(receiver, integrator, settings):
    integrator.create()
    sealed()
    settings.AUDIT_WITNESS_TOKEN = "another-token-than-the-right-one"
    state = shipped()
    assert (state.number, "answered with 401" in state.fault) == (0, True)
    settings.AUDIT_WITNESS_TOKEN = TOKEN
    assert (shipped().number, shipped().fault) == (heads.last().row.number, "")


def test_a_receipt_for_something_else_is_no_receipt(receiver, integrator, monkeypatch):
    integrator.create()
    sealed()
    false = outgoing.Reply(200, {}, b'{"sha256": "00"}')
    monkeypatch.setattr(outgoing, "fetch", lambda *_, **__: false)
    with pytest.raises(places.PlaceFault, match="receipt is not for what was sent"):
        places.witness().put([heads.last()])


def test_a_private_address_is_asked_only_where_the_settings_name_it(receiver, integrator, settings):
    integrator.create()
    sealed()
    settings.OUTGOING_ALLOW = []
    state = shipped()
    assert (state.number, state.fault) == (0, "Only https:// addresses are asked.")


@pytest.mark.parametrize(("query", "body"), [
    ("?epoch=x&after=0&most=1", None),
    ("?epoch=1", None),
    ("", b"no statement\n"),
    ("", b'{"statement": "{\\"epoch\\": \\"../..\\", \\"number\\": 1}"}\n'),
])  # fmt: skip
def test_the_receiver_refuses_what_is_no_statement(receiver, settings, query, body):
    known = {"Authorization": f"Bearer {TOKEN}"}
    method = "POST" if body else "GET"
    assert outgoing.fetch(f"{settings.AUDIT_WITNESS}{query}", method=method, body=body, headers=known).status == 400
    assert list(receiver.rglob("*")) == []
