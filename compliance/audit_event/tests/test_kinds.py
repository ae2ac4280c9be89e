"""Every kind of event that issue 8 names: do it, and find it as an AuditEvent by type, subtype or action."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import call_command

from compliance.audit import sealing
from compliance.audit_event.codes import OWN
from compliance.consent.tests.cast import consent, deny
from compliance.review import settling
from compliance.review.tests.conftest import BY
from healthrecords.accounts.models import User
from healthrecords.cli import host_request
from healthrecords.crypto import keys
from healthrecords.crypto.tests.conftest import copied
from healthrecords.fhir.validation import validate
from ops.runs import job
from tests.cast import PATIENT

Stage = SimpleNamespace  # callers at the API, a patient's id, and a way to sign in at the admin


@pytest.fixture
def stage(integrator, clinician, operator, signed_in):
    patient = integrator.create()["id"]
    return Stage(integrator=integrator, clinician=clinician, operator=operator, patient=patient, signed_in=signed_in)


@pytest.fixture(autouse=True)
def own_key_file(settings, tmp_path, monkeypatch):
    """A key that a test makes stays its own."""
    with copied(keys.FIELD, "FIELD_KEY_FILE", settings, folder=tmp_path, monkeypatch=monkeypatch):
        yield


def change(stage: Stage) -> None:
    stage.integrator.put(f"Patient/{stage.patient}", {**PATIENT, "id": stage.patient, "gender": "male"})


def sign_out(stage: Stage) -> None:
    stage.signed_in("clinician").post("/accounts/logout/")


def refuse_consent(stage: Stage) -> None:
    answer = stage.clinician.post("Consent", consent(stage.patient, deny()))
    assert answer.status_code == 201, answer.content


def break_glass(stage: Stage) -> None:
    reason = [{"name": "reason", "valueString": "Found unconscious, no other history at hand."}]
    body = {"resourceType": "Parameters", "parameter": reason}
    answer = stage.clinician.post(f"Patient/{stage.patient}/$break-glass", body)
    assert answer.status_code < 300, answer.content


def give_role(stage: Stage) -> None:
    stage.signed_in("clinician")
    person = User.objects.get(email="clinician@example.org")
    call_command("users", "role", person.email, "--add", "auditor")


def take_backup(stage: Stage) -> None:
    with job("backup database --type full") as done:
        done.summary = "Taken."


def own(word: str) -> str:
    return f"{OWN}|{word}"


KINDS: dict[str, tuple[Callable[[Stage], Any], dict[str, str]]] = {
    "create": (lambda at: at.integrator.create(), {"action": "C", "subtype": "create"}),
    "read": (lambda at: at.clinician.get(f"Patient/{at.patient}"), {"action": "R", "subtype": "read"}),
    "history": (lambda at: at.clinician.get(f"Patient/{at.patient}/_history"), {"action": "R", "subtype": "history"}),
    "update": (change, {"action": "U", "subtype": "update"}),
    "delete": (lambda at: at.integrator.delete(f"Patient/{at.patient}"), {"action": "D", "subtype": "delete"}),
    "search": (lambda at: at.clinician.get("Patient?family=jansen"), {"action": "E", "subtype": "search"}),
    "export": (lambda at: at.signed_in("auditor").get("/admin/compliance/accessevent/export.csv"), {"type": "110106"}),
    "sign-in": (lambda at: at.signed_in("clinician"), {"type": "110114", "subtype": "110122"}),
    "sign-out": (sign_out, {"type": "110114", "subtype": "110123"}),
    "denial": (lambda at: at.operator.get(f"Patient/{at.patient}"), {"outcome": "4", "subtype": "read"}),
    "consent change": (refuse_consent, {"subtype": "create", "agent-name:exact": "clinician token"}),
    "role change": (give_role, {"type": "110113", "subtype": "110137", "action": "U"}),
    "setting change": (lambda _: settling.change_limits({"care_days": 3}, BY), {"subtype": "110131"}),
    "key use": (lambda _: call_command("keys", "create"), {"subtype": own("keys")}),
    "break-glass": (break_glass, {"type": "110113", "subtype": "110127"}),
    "command": (lambda _: call_command("tokens", "create", "x", "--role", "auditor"), {"subtype": own("command")}),
    "backup": (take_backup, {"subtype": own("backup")}),
    "restore": (lambda _: sealing.open_epoch("restored", host_request("audit epoch")), {"subtype": own("restore")}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_event_is_in_the_trail_and_valid(kind, stage, caller_with_role):
    act, terms = KINDS[kind]
    officer = caller_with_role("compliance-officer")

    def found():
        answer = officer.get("AuditEvent?" + "&".join(f"{name}={value}" for name, value in terms.items()))
        assert answer.status_code == 200, answer.content
        return [entry["resource"] for entry in answer.json().get("entry", [])]

    before = {event["id"] for event in found()}
    act(stage)
    events = [event for event in found() if event["id"] not in before]
    assert events
    for event in events:
        assert [issue for issue in validate(event, "AuditEvent") if issue.severity in ("error", "fatal")] == []
