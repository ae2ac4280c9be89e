"""The quick search of the patient list: what a nurse types, and whom it finds."""

import pytest

from patients.admin.search import narrow
from patients.models import Patient

MARIA = {
    "name": [{"family": "van der Berg-Óñate", "given": ["María", "Louise"]}, {"use": "maiden", "family": "Smit"}],
    "birthDate": "1980-05-17",
    "identifier": [
        {"type": {"coding": [{"code": "MR"}]}, "system": "urn:example:mrn", "value": "MRN-0042"},
        {"system": "http://hl7.org/fhir/sid/us-ssn", "value": "999-12-3456"},
    ],
    "telecom": [{"system": "phone", "value": "(555) 010-1234"}, {"system": "email", "value": "Maria@Example.org"}],
}
PIET = {"name": [{"family": "Jansen", "given": ["Piet"]}], "birthDate": "1980-06", "identifier": [], "telecom": []}


def found(text: str) -> set[str]:
    return {patient.sort_given.split()[0] for patient in narrow(Patient.objects.live(), text)}


@pytest.fixture
def both(integrator):
    for changes in (MARIA, PIET):
        integrator.create(**{name: value for name, value in changes.items() if value})


@pytest.mark.parametrize("text", [
    "maria", "MARÍA", "mar", "berg", "onate", "der", "smit", "louise berg", "berg, maria", "maria smit",
    "MRN-0042", "MRN-0", "999-12-3456", "999123456",
    "1980-05-17", "05/17/1980", "5/17/1980", "1980-05", "maria 1980", "smit 05/17/1980 louise",
    "555", "0101234", "(555) 010-1234", "1234", "maria@example.org", "maria@ex",
])  # fmt: skip
def test_it_finds_maria_and_nobody_else(both, text):
    assert found(text) == {"maria"}


@pytest.mark.parametrize("text", [
    "aria", "erg", "N-0042", "999-12", "3456", "99912345", "05/18/1980", "1979", "maria jansen", "13/45/1980",
    "1980-02-30", "@", "%", "_", "\\", "|", "'; drop table",
])  # fmt: skip
def test_it_finds_nobody(both, text):
    assert found(text) == set()


@pytest.mark.parametrize("text", ["1980", "", "   "])
def test_it_finds_both(both, text):
    assert found(text) == {"maria", "piet"}


def test_a_long_text_is_cut_to_eight_words(both, django_assert_max_num_queries):
    with django_assert_max_num_queries(1):
        assert found("maria " * 500) == {"maria"}


@pytest.mark.parametrize("address", [
    "/admin/patients/patient/?q=%00", "/admin/patients/patient/?sex=%00", "/admin/healthrecords/organization/?q=a%00b",
    "/admin/autocomplete/?app_label=patients&model_name=patientname&field_name=record&term=%00",
])  # fmt: skip
def test_a_character_that_cannot_be_stored_is_refused(signed_in, address):
    assert signed_in("clinician").get(address).status_code == 400
