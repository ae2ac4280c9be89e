"""Recording several vaccines at once from the patient's page: all lines or none, each with its row in the trail."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from healthrecords.records import RecordVersion
from immunizations.models import Immunization
from patients.models import Patient

DOSES = "/admin/immunizations/immunization/"
FLUZONE = "(01)00349281425882(17)290630(10)U8123AA"
GOOD = {"vaccine": "Fluzone", "cvx": "140", "mvx": "PMC", "ndc": "49281-0425-88", "lot": "U8123AA", "dose": "0.5",
        "expires": "2029-06-30", "site": "LD", "route": "IM", "barcode": FLUZONE}  # fmt: skip


@pytest.fixture
def nurse(signed_in: Callable[..., Client]) -> Client:
    return signed_in("immunization-nurse")


@pytest.fixture
def maria(integrator: Any) -> Patient:
    return Patient.objects.get(logical_id=integrator.create()["id"])


def visit(*lines: dict[str, str], **changes: str) -> dict[str, str]:
    """What a browser sends for a visit with these lines."""
    today = timezone.localdate().isoformat()
    sent = {"entry": str(uuid4()), "given_on": today, "statement_on": today, "lines-TOTAL_FORMS": str(len(lines)),
            "lines-INITIAL_FORMS": "0", **changes}  # fmt: skip
    return sent | {f"lines-{n}-{name}": value for n, line in enumerate(lines) for name, value in line.items()}


def at(patient: Patient, screen: str = "visit") -> str:
    return f"{DOSES}{screen}/{patient.pk}/"


def page_of(client: Client, patient: Patient) -> str:
    return client.get(f"/admin/patients/patient/{patient.pk}/").content.decode()


def test_two_vaccines_are_stored_at_once_with_all_that_was_said(nurse, maria, integrator):
    integrator.create({"resourceType": "Location", "name": "Room 2"}, id="room")
    from healthrecords.directory.models import Location

    room = Location.objects.get()
    sent = visit(GOOD, {"vaccine": "Engerix-B", "cvx": "08"}, location=room.logical_id, funding="public",
                 eligibility="uninsured")  # fmt: skip
    answer = nurse.post(at(maria), sent)
    assert (answer.status_code, answer["Location"]) == (302, f"/admin/patients/patient/{maria.pk}/")
    first = integrator.get(f"Immunization/{sent['entry']}-0").json()
    assert first["vaccineCode"]["coding"][0]["code"] == "140"
    assert first["vaccineCode"]["coding"][1] == {"system": "http://hl7.org/fhir/sid/ndc", "code": "49281-0425-88"}
    assert (first["lotNumber"], first["expirationDate"]) == ("U8123AA", "2029-06-30")
    assert first["doseQuantity"]["value"] == 0.5
    assert first["location"]["reference"] == f"Location/{room.logical_id}"
    assert first["manufacturer"]["identifier"]["value"] == "PMC"
    assert first["site"]["coding"][0]["code"] == "LD"
    assert first["education"][0]["presentationDate"] == timezone.localdate().isoformat()
    assert first["programEligibility"][0]["coding"][0]["code"] == "uninsured"
    assert first["fundingSource"]["coding"][0]["code"] == "public"
    assert integrator.get(f"Immunization?patient={maria.logical_id}&_summary=count").json()["total"] == 2


def test_each_dose_recorded_is_in_the_row_of_its_patient(nurse, maria, trail):
    sent = visit(GOOD, {"vaccine": "Engerix-B", "cvx": "08"})
    nurse.post(at(maria), sent)
    [row] = trail(action="create", actor="immunization-nurse")
    assert row.patient == maria.logical_id
    assert row.resources == [f"Immunization/{sent['entry']}-{n}" for n in (0, 1)]
    assert row.versions == [1, 1]


def test_one_wrong_line_stores_nothing_and_keeps_what_was_typed(nurse, maria):
    answer = nurse.post(at(maria), visit(GOOD, {"vaccine": "Something", "lot": "L77"}))
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "so that its CVX code is known" in page
    assert 'value="L77"' in page
    assert 'value="U8123AA"' in page
    assert not Immunization.objects.exists()


@pytest.mark.parametrize(("changes", "told"), [
    ({"expires": "2020-01-31"}, "This lot expired on 2020-01-31; do not give it."),
    ({"cvx": "9999"}, ""),
    ({"cvx": "997"}, "CDC has no CVX code 997"),
    ({"mvx": "NOPE"}, "CDC has no manufacturer NOPE"),
    ({"ndc": "12"}, "Write an NDC with its hyphens"),
    ({"dose": "a lot"}, "Write the amount in mL"),
    ({"dose": "-1"}, "between 0 and 100"),
    ({"expires": "soon"}, "Write a date as"),
    ({"barcode": "(01)00349281425883(17)290630(10)U8123AA"}, "check digit"),
])  # fmt: skip
def test_what_is_wrong_is_refused_by_the_server_as_well(nurse, maria, changes, told):
    answer = nurse.post(at(maria), visit({**GOOD, **changes}))
    assert answer.status_code == 200
    assert told in answer.content.decode()
    assert not Immunization.objects.exists()


def test_an_expired_dose_that_was_given_all_the_same_is_recorded_as_not_counting(nurse, maria):
    nurse.post(at(maria), visit({**GOOD, "expires": "2020-01-31", "subpotent": "on"}))
    assert Immunization.objects.get().subpotent is True


@pytest.mark.parametrize("day", ["", "2024", "2024-02-30", "tomorrow", "2999-01-01"])
def test_a_visit_is_on_a_whole_day_that_has_come(nurse, maria, day):
    assert nurse.post(at(maria), visit(GOOD, given_on=day)).status_code == 200
    assert not Immunization.objects.exists()


def test_an_entry_without_a_vaccine_is_refused(nurse, maria):
    assert b"Add a vaccine" in nurse.post(at(maria), visit({})).content
    assert b"Add a vaccine" in nurse.post(at(maria), visit({"site": "LD", "route": "IM"})).content


def test_an_empty_line_between_others_is_no_line(nurse, maria):
    nurse.post(at(maria), visit(GOOD, {"site": "LD"}, {"vaccine": "Engerix-B", "cvx": "08"}))
    assert Immunization.objects.count() == 2


def test_a_page_that_is_sent_twice_is_stored_once(nurse, maria):
    sent = visit(GOOD)
    answers = [nurse.post(at(maria), sent) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert Immunization.objects.count() == 1


def test_what_the_validator_refuses_is_told_and_not_stored(nurse, maria, monkeypatch):
    from immunizations.admin import bodies

    monkeypatch.setattr(bodies, "_milliliters", lambda _: {"value": "much"})
    answer = nurse.post(at(maria), visit(GOOD))
    assert answer.status_code == 200
    assert b"This cannot be stored" in answer.content
    assert not RecordVersion.objects.filter(resource_type="Immunization").exists()


def test_location_and_performer_are_remembered_for_the_next_visit(nurse, maria, integrator):
    room = integrator.create({"resourceType": "Location", "name": "Room 2"})
    nora = integrator.create({"resourceType": "Practitioner", "name": [{"family": "Nora"}]})
    nurse.post(at(maria), visit(GOOD, location=room["id"], performer=nora["id"]))
    initial = nurse.get(at(maria)).context["once"].initial
    assert (initial["location"], initial["performer"]) == (room["id"], nora["id"])
    assert Immunization.objects.get().performers.get().practitioner_id == nora["id"]


def test_the_performer_is_who_is_signed_in_where_the_directory_knows_the_e_mail(nurse, maria, integrator):
    me = integrator.create({
        "resourceType": "Practitioner", "name": [{"family": "Nora"}],
        "telecom": [{"system": "email", "value": "Immunization-nurse@example.org"}],
    })  # fmt: skip
    assert nurse.get(at(maria)).context["once"].initial["performer"] == me["id"]


def test_an_earlier_dose_has_a_partial_date_and_an_origin(nurse, maria, integrator):
    line = {"vaccine": "", "cvx": "88", "given_on": "2019-10"}
    sent = visit(line, {"cvx": "08", "given_on": ""}, origin="record")
    assert nurse.post(at(maria, "report"), sent).status_code == 302
    first, second = (integrator.get(f"Immunization/{sent['entry']}-{n}").json() for n in (0, 1))
    assert (first["occurrenceDateTime"], first["primarySource"]) == ("2019-10", False)
    assert first["reportOrigin"]["coding"][0]["code"] == "record"
    assert second["occurrenceString"] == "Date unknown"


def test_an_earlier_dose_without_an_origin_is_refused(nurse, maria):
    assert b"Say where this was read or heard" in nurse.post(at(maria, "report"), visit({"cvx": "08"})).content


def test_a_scan_fills_a_line(nurse):
    found = nurse.get(f"{DOSES}scan/", {"text": FLUZONE}).json()
    assert found["problems"] == []
    assert {name: found["line"][name] for name in GOOD if name not in ("site", "vaccine")} == {
        name: value for name, value in GOOD.items() if name not in ("site", "vaccine")
    }


@pytest.mark.parametrize(("text", "told", "fills"), [
    ("(01)00349281425883(10)U1", "check digit", False),
    ("(01)00349281425882(17)200131(10)U1", "expired on 2020-01-31", True),
    ("nonsense", "", False),
])  # fmt: skip
def test_what_is_wrong_with_a_scan_is_said_at_once(nurse, text, told, fills):
    found = nurse.get(f"{DOSES}scan/", {"text": text}).json()
    assert told in " ".join(found["problems"])
    assert found["problems"]
    assert bool(found["line"]) is fills


def test_a_few_letters_offer_products_and_on_demand_vaccines(nurse):
    products = nurse.get(f"{DOSES}offers/", {"q": "engerix"}).json()["offers"]
    assert products[0]["line"]["cvx"] in ("08", "43")
    vaccines = nurse.get(f"{DOSES}offers/", {"q": "88", "all": "1"}).json()["offers"]
    assert vaccines[0]["line"]["cvx"] == "88"


@pytest.mark.parametrize("role", ["front-desk", "operator"])
@pytest.mark.parametrize("screen", ["visit", "report"])
def test_who_may_not_record_vaccines_is_denied_with_a_row_for_the_patient(signed_in, maria, trail, role, screen):
    client = signed_in(role)
    assert client.get(at(maria, screen)).status_code == 403
    assert client.post(at(maria, screen), visit(GOOD, origin="record")).status_code == 403
    rows = trail(action="denied", actor=role)
    assert [row.patient for row in rows] == [maria.logical_id] * 2
    assert not Immunization.objects.exists()


def test_a_patient_that_may_not_be_seen_gets_no_vaccines(nurse, maria, monkeypatch):
    from healthrecords.access.policy import policy

    monkeypatch.setattr(type(policy()), "visible", lambda _, rows, __: rows.none())
    assert nurse.post(at(maria), visit(GOOD)).status_code == 404
    assert not Immunization.objects.exists()


def test_nothing_is_stored_when_the_trail_cannot_be_written(nurse, maria, broken_trail):
    nurse.raise_request_exception = False
    assert nurse.post(at(maria), visit(GOOD)).status_code == 500
    assert not Immunization.objects.exists()
