"""What holds where no consent says anything, and what a patient's page says where one limits access."""

from collections.abc import Iterator

import pytest

from compliance.consent import defaults
from compliance.consent.models import PurposeDefault
from compliance.consent.tests.cast import consent, deny, dose, permit

pytestmark = pytest.mark.django_db

SCREEN = "/admin/compliance/purposedefault/"


@pytest.fixture(autouse=True)
def shipped(db: None) -> Iterator[None]:
    """Put the shipped defaults back: rows of migrations outlive a test."""
    before = list(PurposeDefault.objects.all())
    yield
    PurposeDefault.objects.all().delete()
    PurposeDefault.objects.bulk_create(before)


def test_the_shipped_defaults_permit_treatment_payment_and_operations():
    assert dict(PurposeDefault.objects.filter(permits=True).values_list("purpose", "permits")) == {
        "TREAT": True,
        "HPAYMT": True,
        "HOPERAT": True,
    }


def test_the_compliance_officer_changes_a_default_and_it_holds_at_once_and_is_recorded(signed_in, integrator, trail):
    shot = integrator.create(dose(integrator.create()["id"]))["id"]
    officer = signed_in("compliance-officer")
    assert officer.post(SCREEN, {"purpose": "TREAT", "permits": "no"}).status_code == 302
    assert integrator.get(f"Immunization/{shot}").status_code == 404
    assert "Denied" in officer.get(SCREEN).content.decode()
    assert officer.post(SCREEN, {"purpose": "PUBHLTH", "permits": "yes"}).status_code == 302
    assert integrator.get(f"Immunization/{shot}", X_Purpose_Of_Use="PUBHLTH").status_code == 200
    changes = [each for each in trail(action="update") if each.resources[0].startswith("PurposeDefault/")]
    assert [each.detail for each in changes] == [
        "TREAT: permit before, deny now",
        "PUBHLTH: deny before, permit now",
    ]


@pytest.mark.parametrize("purpose", ["ETREAT", "treat", "", "A B"])
def test_emergency_treatment_and_what_is_no_code_have_no_default(signed_in, purpose):
    before = PurposeDefault.objects.count()
    signed_in("compliance-officer").post(SCREEN, {"purpose": purpose, "permits": "yes"})
    assert PurposeDefault.objects.count() == before


@pytest.mark.parametrize("role", ["auditor", "clinician", "administrator"])
def test_nobody_else_changes_a_default(signed_in, role):
    assert signed_in(role).post(SCREEN, {"purpose": "TREAT", "permits": "no"}).status_code == 403
    assert PurposeDefault.objects.get(purpose="TREAT").permits


def test_a_row_that_permits_nothing_new_changes_nothing(rf):
    from healthrecords.access.request import SYSTEM, AccessRequest

    assert defaults.change("TREAT", True, AccessRequest(SYSTEM, "update", "PurposeDefault")) is False


def page_of(client, patient):
    from patients.models import Patient

    row = Patient.objects.get(logical_id=patient)
    return client.get(f"/admin/patients/patient/{row.pk}/").content.decode()


def test_the_patient_s_page_says_so_where_a_consent_limits_access_whether_or_not_there_are_records(
    signed_in, integrator, clinician
):
    patient, nurse = integrator.create()["id"], signed_in("immunization-nurse")
    assert "A consent limits" not in page_of(nurse, patient)
    clinician.create(consent(patient, permit(deny(classes=["Immunization"], roles=["immunization-nurse"]))))
    said = page_of(nurse, patient)
    assert "A consent limits what you see here:</strong> immunizations." in said
    clinician.create(dose(patient))
    assert said.partition("A consent limits")[2][:200] == page_of(nurse, patient).partition("A consent limits")[2][:200]
    assert "A consent limits" not in page_of(signed_in("clinician"), patient)


def test_a_label_that_is_denied_limits_every_type(signed_in, integrator, clinician):
    patient = integrator.create()["id"]
    clinician.create(consent(patient, permit(deny(labels=["R"]))))
    said = page_of(signed_in("immunization-nurse"), patient)
    assert "documents, immunizations, where records came from." in said
