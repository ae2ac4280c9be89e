"""A hidden record cannot be told from one that was never there: each try is made before it exists and after.

The consent stands from the beginning; the record comes into being between the two tries. Answers are compared byte by
byte, but for ids that the server makes, times and page links.
"""

# ruff: noqa: ARG005 (all tries take the same)
import re

import pytest

from compliance.consent.tests.cast import consent, deny, dose, labelled, permit
from immunizations.duplicates.models import DuplicatePair
from patients.models import Patient

pytestmark = pytest.mark.django_db

HIDDEN = "shot-hidden"
MADE = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"  # ids
    r"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(?:Z|\+00:00)"  # times
    r"|_page=[^\"]*"
    r"|csrfmiddlewaretoken\" value=\"[^\"]*|nonce=\"[^\"]*"
)
TOLD = ("ETag", "Location", "Last-Modified", "Content-Type", "Allow", "WWW-Authenticate")


def bundle(kind, *entries):
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def entry(method, url, resource=None, **more):
    return {"request": {"method": method, "url": url, **more}, **({"resource": resource} if resource else {})}


def next_page(caller, path):
    link = next(each["url"] for each in caller.get(path).json()["link"] if each["relation"] == "next")
    return caller.get(link.partition("/fhir/")[2])


# what is tried → how, by an integrator, about a dose that a consent hides from everybody
TRIES = {
    "read": lambda c, p: c.get(f"Immunization/{HIDDEN}"),
    "read, if it is not version 1": lambda c, p: c.get(f"Immunization/{HIDDEN}", If_None_Match='W/"1"'),
    "version 1": lambda c, p: c.get(f"Immunization/{HIDDEN}/_history/1"),
    "history": lambda c, p: c.get(f"Immunization/{HIDDEN}/_history"),
    "history of the type": lambda c, p: c.get("Immunization/_history"),
    "search by patient": lambda c, p: c.get(f"Immunization?patient={p}"),
    "search by what only it has": lambda c, p: c.get("Immunization?lot-number=SECRET"),
    "search by id": lambda c, p: c.get(f"Immunization?_id={HIDDEN}"),
    "search by day": lambda c, p: c.get(f"Immunization?patient={p}&status=completed&date=2025-11-01"),
    "search by POST": lambda c, p: c.post(
        "Immunization/_search", "lot-number=SECRET", Content_Type="application/x-www-form-urlencoded"
    ),
    "total": lambda c, p: c.get(f"Immunization?patient={p}&_total=accurate"),
    "count": lambda c, p: c.get(f"Immunization?patient={p}&_summary=count"),
    "sorted": lambda c, p: c.get(f"Immunization?patient={p}&_sort=-date"),
    "first page": lambda c, p: c.get(f"Immunization?patient={p}&_count=1&_sort=date"),
    "page behind it": lambda c, p: next_page(c, f"Immunization?patient={p}&_count=1&_sort=date"),
    "reverse include": lambda c, p: c.get(f"Patient?_id={p}&_revinclude=Immunization:patient"),
    "include": lambda c, p: c.get(f"Immunization?_id={HIDDEN}&_include=Immunization:patient"),
    "chain": lambda c, p: c.get("Immunization?patient.family=Jansen&lot-number=SECRET"),
    "provenance by target": lambda c, p: c.get(f"Provenance?target=Immunization/{HIDDEN}"),
    "delete": lambda c, p: c.delete(f"Immunization/{HIDDEN}"),
    "update of version 1": lambda c, p: c.put(f"Immunization/{HIDDEN}", dose(p, id=HIDDEN), If_Match='W/"1"'),
    "create unless it exists": lambda c, p: c.post(
        "Immunization", dose(p, lotNumber="SECRET", meta=labelled("R")), If_None_Exist="lot-number=SECRET"
    ),
    "batch": lambda c, p: c.post(
        "", bundle("batch", entry("GET", f"Immunization/{HIDDEN}"), entry("GET", "Immunization?lot-number=SECRET"))
    ),
    "transaction that deletes": lambda c, p: c.post(
        "", bundle("transaction", entry("DELETE", f"Immunization/{HIDDEN}"))
    ),
    "transaction that creates unless it exists": lambda c, p: c.post(
        "",
        bundle(
            "transaction",
            entry(
                "POST", "Immunization", dose(p, lotNumber="SECRET", meta=labelled("R")), ifNoneExist="lot-number=SECRET"
            ),
        ),
        Prefer="return=minimal",
    ),
    "for public health": lambda c, p: c.get(f"Immunization/{HIDDEN}", X_Purpose_Of_Use="PUBHLTH"),
}


def told(answer):
    """All that an answer tells."""
    body = MADE.sub("*", answer.content.decode())
    return answer.status_code, body, {name: MADE.sub("*", answer.get(name) or "") for name in TOLD}


def hide(clinician, patient, **changes):
    """Store the record that nobody is shown."""
    answer = clinician.put(f"Immunization/{HIDDEN}", dose(patient, id=HIDDEN, **changes))
    assert answer.status_code == 201, answer.content


@pytest.fixture
def patient(integrator, clinician):
    """A patient with two doses that are open, and a consent that hides what is labelled."""
    key = integrator.create()["id"]
    for day in ("2025-10-01", "2025-12-01"):
        integrator.create(dose(key, occurrenceDateTime=day))
    clinician.create(consent(key, permit(deny(labels=["R"]))))
    return key


@pytest.mark.parametrize("name", TRIES)
def test_a_hidden_record_is_answered_like_one_that_never_existed(integrator, clinician, patient, name):
    before = told(TRIES[name](integrator, patient))
    hide(clinician, patient, occurrenceDateTime="2025-11-01", lotNumber="SECRET", meta=labelled("R"))
    assert told(TRIES[name](integrator, patient)) == before


SCREENS = {
    "the patient's page": lambda key: f"/admin/patients/patient/{key}/",
    "the list of doses": lambda key: "/admin/immunizations/immunization/",
    "the list of doses of a lot": lambda key: "/admin/immunizations/immunization/?lot=SECRET",
    "the review of duplicates": lambda key: "/admin/immunizations/duplicatepair/",
    "the list of patients": lambda key: "/admin/patients/patient/?q=jansen",
}


@pytest.mark.parametrize("name", SCREENS)
def test_no_screen_shows_that_there_is_a_hidden_record_or_that_it_repeats_another(
    signed_in, integrator, clinician, patient, name
):
    nurse, path = signed_in("immunization-nurse"), SCREENS[name](Patient.objects.get(logical_id=patient).pk)
    before = told(nurse.get(path))
    assert before[0] == 200
    hide(clinician, patient, occurrenceDateTime="2025-10-01", lotNumber="SECRET", meta=labelled("R"))
    assert DuplicatePair.objects.exists()
    assert told(nurse.get(path)) == before


PATIENT_TRIES = {
    "read": lambda c: c.get("Patient/hidden-one"),
    "search by name": lambda c: c.get("Patient?family=Secretive"),
    "search by number": lambda c: c.get("Patient?identifier=urn:example:mrn|MRN-9"),
    "total": lambda c: c.get("Patient?_total=accurate"),
    "sorted": lambda c: c.get("Patient?_sort=-birthdate"),
    "chain": lambda c: c.get("Immunization?patient.family=Secretive"),
    "include": lambda c: c.get("Immunization?_include=Immunization:patient"),
    "delete": lambda c: c.delete("Patient/hidden-one"),
    "update unless it exists": lambda c: c.put(
        "Patient/hidden-one", {"resourceType": "Patient", "id": "hidden-one"}, If_Match='W/"1"'
    ),
}


@pytest.mark.parametrize("name", PATIENT_TRIES)
def test_a_person_who_is_hidden_is_answered_like_one_who_never_came(integrator, clinician, name):
    integrator.create()
    integrator.create(dose("hidden-one"))
    clinician.create(consent("hidden-one", permit(deny(classes=["Patient"]))))
    before = told(PATIENT_TRIES[name](integrator))
    body = {
        "resourceType": "Patient", "id": "hidden-one", "name": [{"family": "Secretive"}], "birthDate": "1991-01-01",
        "identifier": [{"system": "urn:example:mrn", "value": "MRN-9"}],
    }  # fmt: skip
    assert clinician.put("Patient/hidden-one", body).status_code == 201
    assert told(PATIENT_TRIES[name](integrator)) == before


def test_an_id_that_a_hidden_record_has_cannot_be_taken_and_nothing_of_it_is_told(integrator, clinician, patient):
    hide(clinician, patient, lotNumber="SECRET", meta=labelled("R"))
    answer = integrator.put(f"Immunization/{HIDDEN}", dose(patient, id=HIDDEN))
    assert answer.status_code == 409, answer.content
    assert "SECRET" not in answer.content.decode()
    assert patient not in answer.content.decode()


def test_a_new_document_does_not_open_the_bytes_that_a_consent_hides(integrator, clinician, patient):
    made = integrator.create(
        {
            "resourceType": "DocumentReference", "status": "current", "subject": {"reference": f"Patient/{patient}"},
            "content": [{"attachment": {"contentType": "text/plain", "data": "c2VjcmV0"}}], "meta": labelled("R"),
        }
    )  # fmt: skip
    binary = made["content"][0]["attachment"]["url"]
    assert integrator.get(binary).status_code == 404
    open_one = {name: value for name, value in made.items() if name not in ("id", "meta")}
    assert integrator.create(open_one)["id"]
    assert integrator.get(binary).status_code == 404
