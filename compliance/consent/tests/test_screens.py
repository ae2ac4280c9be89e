"""Consents in the console: what is recorded there is what the server then obeys."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from compliance.consent import paper, preview
from compliance.consent.models import AbsoluteMark, Consent
from compliance.consent.provisions import read
from compliance.consent.tests.cast import consent, deny, dose, permit
from healthrecords.accounts.models import Role, User
from healthrecords.directory.models import Practitioner
from patients.models import Patient


@pytest.fixture
def maria(integrator: Any) -> Patient:
    return Patient.objects.get(logical_id=integrator.create()["id"])


def fields(**changes: Any) -> dict[str, Any]:
    return {"rule-kind": "deny", "rule-given": "2026-01-05", "step": "preview", **changes}


def add(patient: Patient) -> str:
    return f"/admin/compliance/consent/record/{patient.pk}/"


def test_what_is_recorded_is_said_previewed_and_then_obeyed(signed_in, integrator, maria, trail):
    integrator.create(dose(maria.logical_id))
    desk = signed_in("front-desk")
    rule = fields(**{"rule-what": ["Immunization"], "rule-who": ["role:clinician"], "rule-until": "2099-12-31"})
    shown = desk.post(add(maria), rule).text
    assert "Whoever has the role Clinician may not see immunizations until 2099-12-31." in shown
    assert not Consent.objects.exists()
    made = desk.post(add(maria), {**rule, "step": "record"}, follow=True)
    assert "The consent is in force." in made.text
    assert "may not see immunizations" in made.text
    page = f"/admin/patients/patient/{maria.pk}/"
    clinician, nurse = signed_in("clinician"), signed_in("immunization-nurse")
    assert "A consent limits what you see here" in clinician.get(page).text
    assert "limits what you see here" not in nurse.get(page).text
    dose_page = f"/admin/immunizations/immunization/?q={maria.logical_id}"
    assert (len(clinician.get(dose_page).context["cl"].result_list), clinician.get(page).status_code) == (0, 200)
    assert [row.actor for row in trail(action="create", resource_type="Consent")] == ["front-desk"]


def test_it_says_so_when_there_is_no_record_to_hide(signed_in, caller_with_role, maria):
    caller_with_role("compliance-officer").create(consent(maria.logical_id, deny(classes=["Immunization"])))
    assert "limits what you see here" in signed_in("clinician").get(f"/admin/patients/patient/{maria.pk}/").text


def test_exceptions_to_depth_two_come_out_as_provisions(signed_in, maria):
    sent = fields(
        **{
            "rule-what": ["DocumentReference"], "except-0-who": ["role:clinician"], "except-0-purposes": ["TREAT"],
            "except-0-but-labels": ["http://terminology.hl7.org/CodeSystem/v3-ActCode|PSY"], "step": "record",
        }
    )  # fmt: skip
    signed_in("clinician").post(add(maria), sent)
    provision: Any = preview.body_of(Consent.objects.get())["provision"]
    [outer] = provision["provision"]
    [inner] = outer["provision"]
    assert (provision["type"], outer["type"], inner["type"]) == ("deny", "permit", "deny")
    assert (outer["purpose"][0]["code"], inner["securityLabel"][0]["code"]) == ("TREAT", "PSY")


def test_an_exception_to_nothing_is_refused(signed_in, maria):
    answer = signed_in("clinician").post(
        add(maria), fields(**{"except-1-but-who": ["role:clinician"], "step": "record"})
    )
    assert "exception to an exception that says nothing" in answer.text
    assert not Consent.objects.exists()


def test_a_colleague_can_be_named(signed_in, integrator, maria):
    made = integrator.create({"resourceType": "Practitioner", "name": [{"family": "Bauer", "given": ["Ruth"]}]})
    person = User.objects.invite("ruth@example.org", "Ruth Bauer", list(Role.objects.filter(name="clinician")))
    User.objects.filter(pk=person.pk).update(practitioner=made["id"])
    named = f"Practitioner/{made['id']}"
    shown = signed_in("front-desk").post(add(maria), fields(**{"rule-who": [named]})).text
    assert f"{Practitioner.objects.get()} may not see" in shown


@pytest.mark.django_db
def test_the_preview_is_what_the_decision_says():
    role = Role.objects.get(name="clinician")
    [node] = [read(deny(permit(purposes=["TREAT"]), classes=["Immunization"]))]
    seen = {(row.role, row.purpose): row.sees for row in preview.preview([node])}
    assert seen[role.title, "treatment"] == (True, True, True)
    assert seen[role.title, "payment"] == (True, False, True)


def test_revoking_makes_a_new_version_that_limits_nothing(signed_in, caller_with_role, maria):
    caller_with_role("compliance-officer").create(consent(maria.logical_id, deny()))
    row = Consent.objects.get()
    browser = signed_in("front-desk")
    stale = browser.post(f"/admin/compliance/consent/{row.pk}/revoke/", {"expected": "7"}, follow=True)
    assert "Somebody changed this consent meanwhile" in stale.text
    browser.post(f"/admin/compliance/consent/{row.pk}/revoke/", {"expected": "1"})
    row.refresh_from_db()
    assert (row.status, row.version) == ("inactive", 2)
    assert "limits what you see here" not in browser.get(f"/admin/patients/patient/{maria.pk}/").text


def test_only_the_compliance_officer_says_that_a_denial_binds_by_law(signed_in, caller_with_role, maria, trail):
    caller_with_role("compliance-officer").create(consent(maria.logical_id, deny()))
    path = f"/admin/compliance/consent/{Consent.objects.get().pk}/bind/"
    assert signed_in("clinician").post(path).status_code == 403
    officer = signed_in("compliance-officer")
    officer.post(path)
    assert AbsoluteMark.objects.get().marked_by == "compliance-officer"
    officer.post(path)
    assert not AbsoluteMark.objects.exists()
    assert [row.detail for row in trail(action="consent-change")] == [
        "marked as binding by law", "no longer binding by law",
    ]  # fmt: skip


def test_the_paper_holds_the_words_and_the_name(signed_in, caller_with_role, maria):
    caller_with_role("compliance-officer").create(consent(maria.logical_id, deny(classes=["Immunization"])))
    path = f"/admin/compliance/consent/{Consent.objects.get().pk}/paper.pdf"
    answer = signed_in("front-desk").get(path)
    assert answer["Content-Type"] == "application/pdf"
    assert b"pdfuaid:part" in answer.content
    facts = paper.facts(Consent.objects.get(), maria)
    assert (facts["patient"], facts["said"]["text"]) == (str(maria), "Nobody may see immunizations.")
    assert signed_in("compliance-officer").get(path).status_code == 404  # sees no patient


def test_the_list_finds_those_that_end_soon(signed_in, caller_with_role, maria):
    soon = f"{timezone.localdate() + timedelta(days=10):%Y-%m-%d}"
    officer = caller_with_role("compliance-officer")
    officer.create(consent(maria.logical_id, deny(end=soon)))
    officer.create(consent(maria.logical_id, deny(end="2099-01-01")))
    shown = signed_in("compliance-officer").get("/admin/compliance/consent/?state=ending").text
    assert shown.count("Ends soon") == 1
    assert "2099" not in shown


def test_an_officer_who_opens_no_chart_records_one_by_the_record_number(signed_in, maria):
    officer = signed_in("compliance-officer")
    assert "Record a consent" in officer.get("/admin/compliance/consent/").text
    assert "No patient has this id or number." in officer.get("/admin/compliance/consent/add/?q=MRN-9").text
    answer = officer.get("/admin/compliance/consent/add/?q=MRN-1", follow=True)
    assert (maria.logical_id in answer.text, "Jansen" in answer.text) == (True, False)
    made = officer.post(add(maria), fields(**{"rule-what": ["Immunization"], "step": "record"}), follow=True)
    assert "The consent is in force." in made.text


def test_whose_record_is_hidden_cannot_be_told_by_recording(signed_in, caller_with_role, maria):
    caller_with_role("compliance-officer").create(consent(maria.logical_id, deny(classes=["Patient"])))
    desk = signed_in("front-desk")
    assert "No patient has this id or number." in desk.get("/admin/compliance/consent/add/?q=MRN-1").text
    assert desk.get(add(maria)).status_code == 404
