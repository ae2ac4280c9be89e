"""What an earlier version set aside becomes immunizations, roles and provenance."""

import pytest

from healthrecords.fhir.resource import registry
from healthrecords.provenance.models import Provenance
from healthrecords.records import RecordVersion

from .conftest import CLINIC, MARIA, UUIDS, bundle

EARLIER = ("ORGANIZATION", "PRACTITIONER", "LOCATION", "PATIENT")
VACCINE = {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "08"}]}
DOSE = {
    "resourceType": "Immunization",
    "id": "dose",
    "status": "completed",
    "vaccineCode": VACCINE,
    "patient": {"reference": UUIDS[0]},
    "occurrenceDateTime": "2024-05-17",
}
ROLE = {"resourceType": "PractitionerRole", "id": "role", "organization": {"reference": "Organization/clinic"}}
PROOF = {
    "resourceType": "Provenance",
    "id": "proof",
    "target": [{"reference": UUIDS[1]}, {"reference": "Observation/pulse"}],
    "recorded": "2024-05-17T10:00:00Z",
    "agent": [{"who": {"reference": "Organization?identifier=S 1"}}],
}
ALL_OF_IT = bundle(MARIA, DOSE, PROOF, ROLE, CLINIC)
NEW = {"Immunization": 1, "PractitionerRole": 1, "Provenance": 1}


@pytest.fixture
def earlier(settings):
    """Serve what an earlier version did; call it to serve everything."""
    declared = list(settings.FHIR_RESOURCES)
    settings.FHIR_RESOURCES = [path for path in declared if path.rpartition(".")[2] in EARLIER]
    registry.cache_clear()

    def upgrade():
        settings.FHIR_RESOURCES = declared
        registry.cache_clear()

    yield upgrade
    upgrade()


def test_what_was_kept_is_taken_up(records, file, earlier):
    assert records("import", file(ALL_OF_IT))["kept"] == NEW
    earlier()
    told = records("replay")
    assert (told.code, told["created"], told["failed"]) == (0, NEW, {})
    assert records("counts")["kept"] == {}
    assert Provenance.objects.get().patients == ["maria"]


def test_a_file_that_was_kept_and_replayed_changes_nothing(records, file, earlier):
    path = file(ALL_OF_IT)
    records("import", path)
    earlier()
    records("replay")
    assert records("import", path)["unchanged"] == {**NEW, "Organization": 1, "Patient": 1}


def test_an_import_leaves_a_row_for_the_patient_of_each_record(records, file, trail):
    records("import", file(ALL_OF_IT))
    [row] = [row for row in trail(action="create") if row.patient]
    assert row.patient == "maria"
    assert set(row.resources) == {"Patient/maria", "Immunization/dose", "Provenance/proof"}


def test_a_provenance_that_came_before_its_target_learns_its_patient(records, file):
    agent = [{"who": {"display": "the clinic"}}]
    literal = {**PROOF, "target": [{"reference": "Immunization/dose"}], "agent": agent}
    early = file(literal, name="early")
    records("import", early)
    records("import", file({**DOSE, "patient": {"reference": "Patient/maria"}}, name="late"))
    rows = RecordVersion.objects.filter(resource_type="Provenance").order_by("version")
    assert [row.patients for row in rows] == [[], ["maria"]]
    assert records("import", early)["unchanged"] == {"Provenance": 1}
    newer = file({**literal, "recorded": "2024-05-18T10:00:00Z"}, name="newer")
    assert records("import", newer)["updated"] == {"Provenance": 1}


def test_a_patient_by_identifier_is_found(records, file):
    records("import", file(MARIA, {**DOSE, "patient": {"reference": "Patient?identifier=urn:example:mrn|A-1"}}))
    assert RecordVersion.objects.get(resource_type="Immunization").patients == ["maria"]


def test_an_immunization_of_nobody_fails_with_its_path(records, file):
    told = records("import", file({**DOSE, "patient": {"reference": "Patient?identifier=nobody"}}))
    assert (told.code, told["failed"]) == (1, {"Immunization": 1})
    assert told["failures"][0]["path"] == "Immunization.patient"
    assert RecordVersion.objects.count() == 0
