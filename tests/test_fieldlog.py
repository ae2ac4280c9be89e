"""django-auditlog's part of a record's history: whose change it was, and no text of the record in its table."""

import json
from uuid import UUID

import pytest
from auditlog.models import LogEntry
from django.db import connection

from healthrecords import fieldlog
from healthrecords.crypto.fields import BlindIndexField, EncryptedTextField
from healthrecords.records import Part, Record
from patients.models import Patient, PatientName
from tests.cast import PATIENT

SSN = "078-05-1120"


def fields(page):
    """The form of a page as a browser would send it back unchanged."""
    sent = {}
    forms = [page.context["adminform"].form, *(each.formset for each in page.context["inline_admin_formsets"])]
    for form in forms:
        for bound in getattr(form, "forms", [form]):
            for field in bound:
                value = field.value()
                sent[field.html_name] = "" if value in (None, False) else value
        if hasattr(form, "management_form"):
            sent |= {field.html_name: field.value() for field in form.management_form}
    return sent


@pytest.fixture
def changed(signed_in, integrator):
    """Change a patient by the form, with the header sent; answer the patient."""

    def change(**headers):
        browser = signed_in("clinician")
        body = integrator.create(
            {**PATIENT, "identifier": [{"system": "http://hl7.org/fhir/sid/us-ssn", "value": SSN}]}
        )
        patient = Patient.objects.get(logical_id=body["id"])
        address = f"/admin/patients/patient/{patient.pk}/change/"
        sent = fields(browser.get(address)) | {
            "gender": "male",
            "names-0-family": "Grootjans",
            "birth_date": "1980-05-18",
        }
        answer = browser.post(address, sent, headers=headers)
        assert answer.status_code == 302, answer.context["adminform"].form.errors
        return browser, patient

    return change


def entries(model):
    return list(LogEntry.objects.filter(content_type__model=model).order_by("timestamp", "pk"))


def test_a_change_in_a_form_names_the_person_the_address_and_the_fields(changed):
    _, patient = changed()
    first, version = entries("patient")
    assert (first.actor.name, first.additional_data["name"], first.remote_addr) == (
        "clinician",
        "clinician",
        "127.0.0.1",
    )
    assert first.changes == {"gender": ["female", "male"], "birth_date": ["1980-05-17", "1980-05-18"]}
    assert version.changes == {"version": ["1", "2"]}
    assert {entry.additional_data["record"] for entry in LogEntry.objects.all()} == {str(patient.pk)}


def test_of_a_text_only_that_it_changed_is_kept(changed):
    changed()
    [name] = entries("patientname")
    assert name.changes == {"family": [fieldlog.HIDDEN, fieldlog.HIDDEN]}


def test_the_table_holds_no_text_of_the_record(changed):
    changed()
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(string_agg(entry::text, ' '), '') FROM auditlog_logentry AS entry")
        kept = cursor.fetchone()[0]
    assert "1980-05-18" in kept
    for secret in (SSN, SSN.replace("-", ""), "Jansen", "Grootjans", "Maria", "MRN-1"):
        assert secret not in kept


@pytest.mark.parametrize("model", [Patient, PatientName])
def test_sealed_fields_and_fingerprints_are_not_tracked(model):
    from auditlog.registry import auditlog
    from django.apps import apps

    tracked = [each for each in apps.get_models() if issubclass(each, Record | Part)]
    assert model in tracked
    for each in tracked:
        kept = set(auditlog.get_model_fields(each)["include_fields"])
        sealed = {f.name for f in each._meta.fields if isinstance(f, EncryptedTextField | BlindIndexField)}
        assert not kept & sealed
        assert auditlog.contains(each)


def test_the_history_shows_which_fields_and_from_where(changed):
    browser, patient = changed()
    page = browser.get(f"/admin/patients/patient/{patient.pk}/history/")
    newest, first = page.context["steps"]
    assert first[1] is None
    assert (newest[1].name, newest[1].address) == ("clinician", "127.0.0.1")
    told = {(change.part, change.label): (change.before, change.after) for change in newest[1].changes}
    assert told["", "Gender"] == ("female", "male")
    assert told["Patient name", "Family name"] == (fieldlog.HIDDEN, fieldlog.HIDDEN)
    assert "from 127.0.0.1" in page.content.decode()


def test_what_a_token_deletes_names_the_token(integrator):
    patient = integrator.create()["id"]
    assert integrator.delete(f"Patient/{patient}").status_code == 204
    [entry] = entries("patient")
    assert entry.actor is None
    assert (entry.additional_data["kind"], entry.additional_data["name"]) == ("token", "integrator token")
    UUID(entry.additional_data["id"])


def test_what_a_command_changes_names_the_account_of_the_host(integrator, db):
    from healthrecords.access import acting
    from healthrecords.cli import host_request

    patient = Patient.objects.get(logical_id=integrator.create()["id"])
    acting.begin(host_request("records mend"))
    patient.gender = "other"
    patient.save()
    acting.begin(None)
    patient.gender = "unknown"
    patient.save()
    assert [entry.additional_data["kind"] for entry in entries("patient")] == ["host", "system"]


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "not an address"},
        {"X-Forwarded-For": "1.2.3.4:99999, ::garbage::", "X-Forwarded-Port": "-1"},
        {"X-Forwarded-Port": "99999999999999999999"},
        {"X-Forwarded-For": "'; DROP TABLE auditlog_logentry; --", "X-Correlation-ID": "x" * 5000},
    ],
)
def test_a_bad_forwarded_header_does_no_harm_and_is_not_believed(changed, headers):
    changed(**headers)
    entry = entries("patient")[0]
    assert (entry.remote_addr, entry.remote_port) == ("127.0.0.1", None)
    assert len(entry.cid) == 36


def test_one_request_s_person_is_not_taken_for_the_next_s(changed, client):
    changed()
    client.get("/health")
    Patient.objects.get().save()
    patient = Patient.objects.get()
    patient.gender = "unknown"
    patient.save()
    assert entries("patient")[-1].additional_data["kind"] == "system"


def test_reads_and_denials_are_the_trail_s_alone(clinician, integrator, operator, trail):
    patient = integrator.create()["id"]
    clinician.get(f"Patient/{patient}")
    operator.get(f"Patient/{patient}")
    assert [row.action for row in trail(patient=patient)] == ["create", "read", "denied"]
    assert "read" not in json.dumps(list(LogEntry.objects.values_list("additional_data", flat=True)))
    assert not LogEntry.objects.exists()
