"""Adding, changing and deleting a patient in the admin: each makes a version, and nothing is lost on the way."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from healthrecords.records import RecordVersion
from patients.models import Patient
from tests.cast import PATIENT

LIST = "/admin/patients/patient/"
SSN = {"system": "http://hl7.org/fhir/sid/us-ssn", "value": "999-12-3456"}
RICH = {
    **PATIENT,
    "identifier": [*PATIENT["identifier"], SSN],
    "telecom": [{"system": "phone", "value": "555-0101", "extension": [{"url": "urn:x:kept", "valueCode": "a"}]}],
    "address": [{"line": ["1 Main St", "Apt 2"], "city": "Springfield", "state": "IL"}],
    "maritalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus", "code": "M"}]},
    "photo": [{"contentType": "image/png", "title": "kept as it is"}],
    "extension": [
        {"url": "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race", "extension": [
            {"url": "ombCategory", "valueCoding": {
                "system": "urn:oid:2.16.840.1.113883.6.238", "code": "2106-3", "display": "White"}},
            {"url": "detailed", "valueCoding": {
                "system": "urn:oid:2.16.840.1.113883.6.238", "code": "2114-7", "display": "Italian"}},
            {"url": "text", "valueString": "White"},
        ]},
        {"url": "urn:example:unknown", "valueString": "kept as well"},
    ],
}  # fmt: skip


@pytest.fixture
def nurse(signed_in: Callable[..., Client]) -> Client:
    return signed_in("clinician")


@pytest.fixture
def maria(integrator: Any) -> Patient:
    return Patient.objects.get(logical_id=integrator.create(RICH)["id"])


def at(patient: Patient, screen: str = "") -> str:
    return f"{LIST}{patient.pk}/{screen}"


def filled(page: Any, **changes: str) -> dict[str, Any]:
    """What a browser would send back from a form page, with some fields changed."""
    data: dict[str, Any] = {}
    formsets = [each.formset for each in page.context["inline_admin_formsets"]]
    forms = [page.context["adminform"].form]
    for formset in formsets:
        forms += [formset.management_form, *formset.forms]
    for form in forms:
        for bound in form:
            value = bound.value()
            if value is not False and value not in (None, "", []):
                data[bound.html_name] = value
    return {**data, **changes}


def served(integrator: Any, patient: Patient) -> dict[str, Any]:
    return integrator.get(f"Patient/{patient.logical_id}").json()


def without_meta(resource: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in resource.items() if name != "meta"}


def test_a_nurse_adds_a_patient(nurse, integrator, trail):
    page = nurse.get(f"{LIST}add/")
    sent = filled(page, birth_date="1980-05", gender="female", **{
        "names-TOTAL_FORMS": "1", "names-0-given": "Anna, Maria", "names-0-family": "Berg", "names-0-use": "official",
        "telecoms-TOTAL_FORMS": "1", "telecoms-0-value": "555-0102",
        "identifiers-TOTAL_FORMS": "1", "identifiers-0-type_code": "MR", "identifiers-0-number": "77-1",
        "identifiers-0-system": "urn:example:mrn",
    })  # fmt: skip
    answer = nurse.post(f"{LIST}add/", sent)
    patient = Patient.objects.get()
    assert answer["Location"] == at(patient)
    resource = served(integrator, patient)
    assert resource["name"] == [{"use": "official", "family": "Berg", "given": ["Anna", "Maria"]}]
    assert resource["birthDate"] == "1980-05"
    assert resource["telecom"] == [{"system": "phone", "value": "555-0102"}]
    assert resource["identifier"][0]["value"] == "77-1"
    assert integrator.get("Patient?family=berg").json()["entry"]
    [row] = trail(action="create", actor="clinician")
    assert (row.patient, row.versions) == (patient.logical_id, [1])


def test_a_nurse_changes_a_name_and_all_else_stays_as_it_was(nurse, integrator, maria, trail):
    before = without_meta(served(integrator, maria))
    sent = filled(nurse.get(at(maria, "change/")), **{"names-0-family": "Smit", "names-0-given": "Maria"})
    answer = nurse.post(at(maria, "change/"), sent)
    assert answer.status_code == 302
    after = served(integrator, maria)
    assert after["meta"]["versionId"] == "2"
    assert without_meta(after) == {**before, "name": [{"use": "official", "family": "Smit", "given": ["Maria"]}]}
    [row] = trail(action="update", actor="clinician")
    assert (row.patient, row.versions) == (maria.logical_id, [2])


def test_the_search_finds_the_new_name_and_not_the_old_one(nurse, integrator, maria):
    nurse.post(at(maria, "change/"), filled(nurse.get(at(maria, "change/")), **{"names-0-family": "Smit"}))
    assert b"Smit" in nurse.get(f"{LIST}?q=smit").content
    assert b"Nothing fits" in nurse.get(f"{LIST}?q=jansen").content


def test_saving_without_a_change_makes_no_version(nurse, maria, trail):
    answer = nurse.post(at(maria, "change/"), filled(nurse.get(at(maria, "change/"))))
    maria.refresh_from_db()
    assert (answer.status_code, maria.version) == (302, 1)
    assert trail(action="update", actor="clinician") == []


def test_a_national_id_is_masked_on_the_page_and_in_the_form_and_survives_a_save(nurse, integrator, maria):
    for screen in ("", "change/", "history/"):
        assert b"999-12-3456" not in nurse.get(at(maria, screen)).content
    nurse.post(at(maria, "change/"), filled(nurse.get(at(maria, "change/")), gender="other"))
    assert SSN in served(integrator, maria)["identifier"]


def test_a_national_id_that_is_typed_anew_is_sealed(nurse, integrator, maria):
    sent = filled(nurse.get(at(maria, "change/")), **{"identifiers-1-number": "999-65-4321"})
    nurse.post(at(maria, "change/"), sent)
    assert served(integrator, maria)["identifier"][1]["value"] == "999-65-4321"
    assert list(maria.identifiers.values_list("value", flat=True)) == ["MRN-1", ""]
    assert b"Jansen" in nurse.get(f"{LIST}?q=999654321").content


def test_the_race_is_a_choice_and_its_details_stay(nurse, integrator, maria):
    nurse.post(at(maria, "change/"), filled(nurse.get(at(maria, "change/")), race=["2106-3", "2028-9"]))
    [race] = [each for each in served(integrator, maria)["extension"] if each["url"].endswith("race")]
    codes = [part["valueCoding"]["code"] for part in race["extension"] if "valueCoding" in part]
    assert codes == ["2106-3", "2028-9", "2114-7"]
    assert {"url": "text", "valueString": "White, Asian"} in race["extension"]


def test_an_emptied_or_removed_part_is_gone(nurse, integrator, maria):
    sent = filled(nurse.get(at(maria, "change/")), **{"telecoms-0-DELETE": "on"})
    for name in ("line", "city", "state"):
        sent.pop(f"addresses-0-{name}")
    nurse.post(at(maria, "change/"), sent)
    after = served(integrator, maria)
    assert "telecom" not in after
    assert "address" not in after


def test_a_new_part_comes_last(nurse, integrator, maria):
    nurse.post(at(maria, "change/"), filled(nurse.get(at(maria, "change/")), **{
        "names-TOTAL_FORMS": "2", "names-1-family": "Nickname", "names-1-use": "nickname",
    }))  # fmt: skip
    assert [name["family"] for name in served(integrator, maria)["name"]] == ["Jansen", "Nickname"]


@pytest.mark.parametrize(("field", "value", "words"), [
    ("birth_date", "17.5.1980", "Write a date as 2024-05-17"),
    ("birth_date", "1980-02-30", "Write a date as 2024-05-17"),
    ("names-0-family", "Jan\x07sen", "control character"),
    ("identifiers-0-system", "our clinic", "has no spaces"),
    ("telecoms-0-rank", "0", "greater than or equal to 1"),
    ("gender", "female; drop", "Select a valid choice"),
])  # fmt: skip
def test_what_cannot_be_stored_is_refused_beside_its_field(nurse, maria, field, value, words):
    page = nurse.post(at(maria, "change/"), filled(nurse.get(at(maria, "change/")), **{field: value}))
    maria.refresh_from_db()
    assert (page.status_code, maria.version) == (200, 1)
    assert words in page.content.decode()


def test_a_refused_form_shows_the_patient_and_so_leaves_a_row(nurse, maria, trail):
    sent = filled(nurse.get(at(maria, "change/")), birth_date="soon")
    nurse.post(at(maria, "change/"), sent)
    assert [row.patient for row in trail(action="read", actor="clinician")] == [maria.logical_id] * 2


def test_a_stale_form_is_refused_with_what_changed_meanwhile_and_then_saved(nurse, integrator, maria):
    sent = filled(nurse.get(at(maria, "change/")), **{"names-0-family": "Smit", "race": ["2106-3", "2028-9"]})
    current = served(integrator, maria)
    integrator.put(f"Patient/{maria.logical_id}", {**current, "birthDate": "1981-01-02", "gender": "other"})
    page = nurse.post(at(maria, "change/"), sent)
    text = page.content.decode()
    maria.refresh_from_db()
    assert (page.status_code, maria.version) == (200, 2)
    assert "Somebody saved this record while you were editing it" in text
    assert "1980-05-17" in text
    assert "1981-01-02" in text
    assert 'value="Smit"' in text
    again = filled(page, birth_date="1981-01-02", gender="other")
    assert nurse.post(at(maria, "change/"), again).status_code == 302
    after = served(integrator, maria)
    assert (after["name"][0]["family"], after["birthDate"], after["gender"]) == ("Smit", "1981-01-02", "other")
    assert after["telecom"] == current["telecom"]
    assert "White, Asian" in str(after["extension"])
    assert after["meta"]["versionId"] == "3"


def test_a_stale_form_keeps_a_part_that_was_added_meanwhile(nurse, integrator, maria):
    sent = filled(nurse.get(at(maria, "change/")), **{"names-0-family": "Smit"})
    current = served(integrator, maria)
    more = [*current["telecom"], {"system": "email", "value": "m@example.org"}]
    integrator.put(f"Patient/{maria.logical_id}", {**current, "telecom": more})
    page = nurse.post(at(maria, "change/"), sent)
    assert nurse.post(at(maria, "change/"), filled(page)).status_code == 302
    assert served(integrator, maria)["telecom"] == more


def test_a_form_of_a_patient_deleted_meanwhile_answers_that_there_is_none(nurse, integrator, maria):
    sent = filled(nurse.get(at(maria, "change/")))
    integrator.delete(f"Patient/{maria.logical_id}")
    assert nurse.post(at(maria, "change/"), sent).status_code == 404


def test_nothing_is_saved_when_the_row_cannot_be_written(nurse, maria, broken_trail, monkeypatch):
    from healthrecords import trail

    sink = trail._sink
    monkeypatch.undo()
    sent = filled(nurse.get(at(maria, "change/")), **{"names-0-family": "Smit"})
    monkeypatch.setattr(trail, "_sink", sink)
    nurse.raise_request_exception = False
    assert nurse.post(at(maria, "change/"), sent).status_code == 500
    maria.refresh_from_db()
    assert (maria.version, maria.names.get().family) == (1, "Jansen")
    assert RecordVersion.objects.filter(logical_id=maria.logical_id).count() == 1


def test_who_may_not_delete_gets_no_page_for_it(nurse, maria):
    assert nurse.get(at(maria, "delete/")).status_code == 403
    assert b"/delete/" not in nurse.get(at(maria)).content


def test_a_deletion_is_asked_for_then_kept_as_a_version(signed_in, integrator, maria, trail):
    keeper = signed_in("integrator")
    page = keeper.get(at(maria, "delete/"))
    answer = keeper.post(at(maria, "delete/"), {"expected": "1"})
    assert b"Delete Maria Louise Jansen?" in page.content
    assert answer["Location"] == LIST
    assert integrator.get(f"Patient/{maria.logical_id}").status_code == 410
    [row] = trail(action="delete")
    assert (row.patient, row.versions) == (maria.logical_id, [2])


def test_a_deletion_of_what_changed_meanwhile_is_asked_for_again(signed_in, integrator, maria):
    integrator.put(f"Patient/{maria.logical_id}", {**served(integrator, maria), "gender": "other"})
    page = signed_in("integrator").post(at(maria, "delete/"), {"expected": "1"})
    assert page.status_code == 200
    assert b"Somebody changed this record a moment ago" in page.content
    assert integrator.get(f"Patient/{maria.logical_id}").status_code == 200


def test_messages_name_nobody(nurse, maria):
    answer = nurse.post(at(maria, "change/"), filled(nurse.get(at(maria, "change/")), gender="other"))
    assert "Jansen" not in str(answer.cookies)


def test_the_history_says_what_changed_in_words(nurse, integrator, maria):
    nurse.post(at(maria, "change/"), filled(nurse.get(at(maria, "change/")), **{
        "birth_date": "1980-05-18", "telecoms-0-value": "555-0199", "identifiers-1-number": "999-65-4321",
    }))  # fmt: skip
    text = nurse.get(at(maria, "history/")).content.decode()
    for words in ("Changed by clinician", "Birth date", "1980-05-18", "555-0199", "••• 4321", "Created by integrator"):
        assert words in text
    assert "999-65-4321" not in text


def test_a_whole_name_that_its_pieces_contradict_is_dropped(nurse, integrator):
    name = {"text": "Maria Jansen", "family": "Jansen", "given": ["Maria"]}
    patient = Patient.objects.get(logical_id=integrator.create(name=[name])["id"])
    nurse.post(at(patient, "change/"), filled(nurse.get(at(patient, "change/")), **{"names-0-family": "Smit"}))
    assert served(integrator, patient)["name"] == [{"family": "Smit", "given": ["Maria"]}]
    assert b"Maria Smit" in nurse.get(LIST).content


def test_a_given_name_of_two_words_stays_one_until_it_is_edited(nurse, integrator):
    patient = Patient.objects.get(logical_id=integrator.create(name=[{"given": ["Mary Ann"], "family": "Lee"}])["id"])
    nurse.post(at(patient, "change/"), filled(nurse.get(at(patient, "change/")), **{"names-0-family": "Li"}))
    assert served(integrator, patient)["name"] == [{"family": "Li", "given": ["Mary Ann"]}]


def test_a_practitioner_is_chosen_by_pick_list(nurse, integrator, maria):
    from healthrecords.directory.models import Practitioner

    integrator.create({"resourceType": "Practitioner", "name": [{"family": "Okafor", "given": ["Ada"]}]})
    doctor = Practitioner.objects.get()
    asked = "app_label=patients&model_name=patientgeneralpractitioner&field_name=practitioner&term=oka"
    [found] = nurse.get(f"/admin/autocomplete/?{asked}").json()["results"]
    sent = filled(nurse.get(at(maria, "change/")), **{
        "general_practitioners-TOTAL_FORMS": "1", "general_practitioners-0-practitioner": found["id"],
    })  # fmt: skip
    nurse.post(at(maria, "change/"), sent)
    assert served(integrator, maria)["generalPractitioner"] == [{"reference": f"Practitioner/{doctor.logical_id}"}]
    assert b"Okafor" in nurse.get(at(maria)).content


def test_a_death_is_known_by_its_date_or_by_yes(nurse, integrator, maria):
    sent = filled(nurse.get(at(maria, "change/")), deceased="true", deceased_at="2024-02")
    nurse.post(at(maria, "change/"), sent)
    after = served(integrator, maria)
    assert (after.get("deceasedDateTime"), "deceasedBoolean" in after) == ("2024-02", False)
    page = nurse.get(at(maria, "change/"))
    assert page.context["adminform"].form["deceased"].value() == "true"
    nurse.post(at(maria, "change/"), filled(page, deceased_at=""))
    assert served(integrator, maria)["deceasedBoolean"] is True
    contradiction = nurse.post(at(maria, "change/"), {**filled(page), "deceased": "false", "expected": "3"})
    assert b"This says no, but there is a date of death." in contradiction.content


def test_what_the_api_would_refuse_is_refused_in_the_form_and_nothing_is_lost(nurse, maria, trail):
    sent = filled(nurse.get(at(maria, "change/")), birth_date="1980-01-01", **{
        "contacts-TOTAL_FORMS": "1", "contacts-0-relationship_code": "N",
    })  # fmt: skip
    page = nurse.post(at(maria, "change/"), sent)
    maria.refresh_from_db()
    assert (page.status_code, maria.version, maria.contacts.count()) == (200, 1, 0)
    assert "This cannot be stored" in page.content.decode()
    assert 'value="1980-01-01"' in page.content.decode()
    assert trail(action="update", actor="clinician") == []
