"""records import: what becomes of the resources of a file."""

import json

import pytest

from healthrecords.fhir.resource import registry
from healthrecords.importing.models import KeptResource
from healthrecords.jsontext import parse_json
from healthrecords.records import RecordVersion

from .conftest import CLINIC, MARIA, PULSE, UUIDS, bundle, patient


def served(kind, logical_id):
    version = RecordVersion.objects.filter(resource_type=kind, logical_id=logical_id).order_by("-version").first()
    return parse_json(version.content)


@pytest.mark.parametrize("packed", [False, True])
def test_resources_of_a_file_become_records_under_their_own_ids(records, file, integrator, packed):
    told = records("import", file(CLINIC, MARIA, name="patients.json", packed=packed))
    assert told.code == 0
    assert told["ok"]
    assert told["created"] == {"Organization": 1, "Patient": 1}
    assert [told[name] for name in ("updated", "unchanged", "kept", "failed")] == [{}, {}, {}, {}]
    read = integrator.get("Patient/maria").json()
    assert {name: read[name] for name in MARIA} == MARIA


def test_the_same_file_twice_changes_nothing(records, file):
    path = file(CLINIC, MARIA, PULSE)
    records("import", path)
    told = records("import", path)
    assert told.code == 0
    assert told["unchanged"] == {"Organization": 1, "Patient": 1}
    assert told["kept"] == {"Observation": 1}
    assert [told[name] for name in ("created", "updated", "failed")] == [{}, {}, {}]
    assert RecordVersion.objects.count() == 2
    assert KeptResource.objects.count() == 1


def test_a_newer_content_is_the_next_version(records, file):
    records("import", file(MARIA))
    told = records("import", file({**MARIA, "gender": "female"}))
    assert told["updated"] == {"Patient": 1}
    assert served("Patient", "maria")["gender"] == "female"
    assert served("Patient", "maria")["meta"]["versionId"] == "2"


def test_an_older_content_met_again_leaves_the_newer_one(records, file):
    older, newer = file(MARIA, name="old"), file({**MARIA, "gender": "female"}, name="new")
    records("import", older, newer)
    told = records("import", older, newer)
    assert told["unchanged"] == {"Patient": 2}
    assert served("Patient", "maria")["gender"] == "female"
    assert records("import", "--overwrite", older)["updated"] == {"Patient": 1}
    assert "gender" not in served("Patient", "maria")


def test_the_same_resource_several_times_in_a_file_is_written_once(records, file):
    told = records("import", file(CLINIC, CLINIC, bundle(CLINIC, MARIA), bundle(CLINIC)))
    assert (told["created"], told["unchanged"]) == ({"Organization": 1, "Patient": 1}, {"Organization": 3})


def test_an_id_that_another_source_holds_is_an_error_of_that_line(records, file, integrator):
    integrator.put("Patient/maria", {**MARIA, "gender": "other"})
    told = records("import", file(MARIA, patient(2)))
    assert told.code == 1
    assert (told["outcome"], told["created"], told["failed"]) == ("problem", {"Patient": 1}, {"Patient": 1})
    [failure] = told["failures"]
    assert (failure["file"], failure["line"], failure["entry"]) == ("records.ndjson", 1, None)
    assert "held by a record of another source" in failure["reason"]
    assert served("Patient", "maria")["gender"] == "other"
    assert records("import", "--overwrite", file(MARIA))["failed"] == {"Patient": 1}


def test_what_was_changed_here_is_not_overwritten_in_silence(records, file, integrator):
    records("import", file(MARIA))
    integrator.put("Patient/maria", {**MARIA, "gender": "other"})
    assert records("import", file(MARIA))["unchanged"] == {"Patient": 1}
    told = records("import", file({**MARIA, "birthDate": "1981"}))
    assert (told.code, told["failed"]) == (1, {"Patient": 1})
    assert "changed here since it was imported" in told["failures"][0]["reason"]
    assert served("Patient", "maria")["gender"] == "other"
    assert records("import", "--overwrite", file({**MARIA, "birthDate": "1981"}))["updated"] == {"Patient": 1}
    assert served("Patient", "maria")["birthDate"] == "1981"


def test_a_record_that_was_deleted_here_stays_deleted(records, file, integrator):
    records("import", file(MARIA))
    integrator.delete("Patient/maria")
    assert records("import", file(MARIA))["unchanged"] == {"Patient": 1}
    assert integrator.get("Patient/maria").status_code == 410


def test_two_sources_have_ids_of_their_own(records, file):
    records("import", "--source", "east", file(MARIA))
    told = records("import", "--source", "west", file(MARIA))
    assert told["failed"] == {"Patient": 1}


# --- Bundles ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["collection", "transaction", "batch", "searchset"])
def test_references_between_entries_become_references_to_records(records, file, kind):
    sent = {**MARIA, "managingOrganization": {"reference": UUIDS[0], "display": "ours"}}
    records("import", file(bundle(CLINIC, sent, {**PULSE, "subject": {"reference": UUIDS[1]}}, kind=kind)))
    assert served("Patient", "maria")["managingOrganization"] == {"reference": "Organization/clinic", "display": "ours"}
    kept = parse_json(KeptResource.objects.get().content)
    assert kept["subject"] == {"reference": "Patient/maria"}


def test_an_entry_without_an_id_has_that_of_its_full_url(records, file, integrator):
    nameless = {name: value for name, value in MARIA.items() if name != "id"}
    told = records("import", file(bundle(nameless)))
    assert told["created"] == {"Patient": 1}
    assert integrator.get(f"Patient/{UUIDS[0].removeprefix('urn:uuid:')}").status_code == 200


@pytest.mark.parametrize("where", ["the bundle", "the database"])
def test_a_reference_by_identifier_becomes_one_to_the_record_that_has_it(records, file, where):
    sent = {**MARIA, "managingOrganization": {"reference": "Organization?identifier=urn:example:site|S%201"}}
    if where == "the bundle":
        records("import", file(bundle(sent, CLINIC)))
    else:
        records("import", file(CLINIC))
        records("import", file(sent))
    assert served("Patient", "maria")["managingOrganization"] == {"reference": "Organization/clinic"}


def test_a_reference_by_identifier_that_finds_none_or_several_stays_as_it_was_sent(records, file):
    by_name = {"reference": "Organization?name=harbour"}
    by_value = {"reference": "Organization?identifier=S%201"}
    records("import", file(bundle({**MARIA, "managingOrganization": by_value})))
    assert served("Patient", "maria")["managingOrganization"] == by_value
    records("import", file(CLINIC, {**CLINIC, "id": "clinic2"}, patient(2, managingOrganization=by_name)))
    assert served("Patient", "p2")["managingOrganization"] == by_name


def test_a_bundle_that_is_one_document_over_many_lines_is_read(records, file):
    told = records("import", file(json.dumps(bundle(CLINIC, MARIA, PULSE), indent=2), name="bundle.json"))
    assert told["created"] == {"Organization": 1, "Patient": 1}
    assert told["kept"] == {"Observation": 1}


def test_a_single_resource_over_many_lines_is_read(records, file):
    assert records("import", file(json.dumps(MARIA, indent=2)))["created"] == {"Patient": 1}


def test_references_of_a_document_are_known_before_the_entry_comes(records, file):
    sent = {**MARIA, "managingOrganization": {"reference": UUIDS[1]}}
    records("import", file(json.dumps(bundle(sent, CLINIC), indent=1)))
    assert served("Patient", "maria")["managingOrganization"] == {"reference": "Organization/clinic"}


# --- Faults -------------------------------------------------------------------------------------------------------

SECRET = "Sibylla"
BAD = [
    ('{"resourceType": "Patient", "id": ', "Not JSON"),
    ('{"resourceType": "Patient", "id": "a", "id": "b"}', "stands twice"),
    ('{"resourceType": "Patient", "id": "a", "multipleBirthInteger": NaN}', "NaN is not a JSON number"),
    ("[1, 2]", "A resource is a JSON object"),
    ({"id": "a"}, "names no type"),
    ({"resourceType": "Patient", "name": [{"family": SECRET}]}, "has no id"),
    ({"resourceType": "Patient", "id": f"{SECRET} Jansen"}, "The id is not"),
    ({"resourceType": "Patient", "id": "a", "gender": SECRET}, "code-invalid"),
    ({"resourceType": "Patient", "id": "a", "birthDate": SECRET}, "date"),
    ({"resourceType": "Patient", "id": "a", "name": SECRET}, "must be a list"),
    ({"resourceType": "Bundle", "type": "history", "entry": []}, "Only Bundles of the types"),
    ({"resourceType": "Bundle", "type": "batch", "entry": [{"fullUrl": SECRET}]}, "brings no resource"),
    (bundle(MARIA, method="DELETE"), "something else than to create"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "reason"), BAD, ids=[reason for _, reason in BAD])
def test_a_bad_line_is_told_without_its_values_and_the_others_go_on(records, file, line, reason):
    told = records("import", file(patient(1), "", line, patient(2)))
    assert told.code == 1
    assert told["created"] == {"Patient": 2}
    assert sum(told["failed"].values()) == 1
    [failure] = told["failures"]
    assert (failure["file"], failure["line"]) == ("records.ndjson", 3)
    assert reason in failure["reason"]
    assert SECRET not in told.out + told.err


def test_a_fault_is_told_with_its_path(records, file):
    told = records("import", file(bundle(CLINIC, {**MARIA, "telecom": [{"rank": 0}], "gender": "f"})))
    where = {(row["line"], row["entry"], row["type"], row["path"]) for row in told["failures"]}
    assert where == {(1, 1, "Patient", "Patient.telecom[0].rank"), (1, 1, "Patient", "Patient.gender")}
    assert told["created"] == {"Organization": 1}


def test_a_document_that_breaks_off_keeps_what_came_before(records, file):
    whole = json.dumps(bundle(CLINIC, MARIA), indent=1)
    told = records("import", file(whole[: whole.index('"birthDate"')]))
    assert told.code == 1
    assert "Nothing after it can be read" in told["failures"][0]["reason"]


def test_strict_writes_nothing_where_one_resource_fails(records, file):
    told = records("import", "--strict", file(CLINIC, MARIA), file({**MARIA, "gender": "f"}, name="second"))
    assert told.code == 1
    assert "Nothing was written" in told["summary"]
    assert RecordVersion.objects.count() == 0
    assert records("import", "--strict", file(CLINIC, MARIA)).code == 0
    assert RecordVersion.objects.count() == 2


def test_a_dry_run_says_what_would_happen_and_changes_nothing(records, file):
    told = records("import", "--dry-run", file(CLINIC, MARIA, PULSE))
    assert told["created"] == {"Organization": 1, "Patient": 1}
    assert RecordVersion.objects.count() == KeptResource.objects.count() == 0


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(None, "cannot be read (No such file"), (b"", "is empty"), (b"\x1f\x8b\x08", "damaged gzip")],
)
def test_a_file_that_cannot_be_read_stops_before_anything_is_written(records, file, tmp_path, content, sentence):
    bad = tmp_path / "bad.gz"
    if content is not None:
        bad.write_bytes(content)
    told = records("import", file(MARIA), bad)
    assert told.code == 2
    assert told["outcome"] == "error"
    assert sentence in told["summary"]
    assert RecordVersion.objects.count() == 0


def test_one_import_runs_at_a_time(records, file):
    from django.db import connections

    from healthrecords.importing.importer import _LOCK

    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        told = records("import", file(MARIA))
        cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])
    assert (told.code, told["summary"]) == (2, "Another import is running; wait until it has ended.")
    assert records("import", file(MARIA)).code == 0


# --- Types that are not served ------------------------------------------------------------------------------------


@pytest.fixture
def serving(settings):
    """Serve only the types named, as an earlier version did."""
    declared = list(settings.FHIR_RESOURCES)

    def serve(*names):
        settings.FHIR_RESOURCES = [path for path in declared if path.rpartition(".")[2].title() in names]
        registry.cache_clear()

    yield serve
    registry.cache_clear()


ALL = ("Organization", "Practitioner", "Location", "Patient")


def test_a_type_that_is_not_served_is_kept_sealed_and_counted(records, file):
    told = records("import", file(MARIA, PULSE))
    assert told["kept"] == {"Observation": 1}
    row = KeptResource.objects.get()
    assert b"maria" not in bytes(row.__dict__["content"])
    assert parse_json(row.content) == PULSE
    counted = records("counts")
    assert counted["kept"] == {"Observation": 1}
    assert {name: number for name, number in counted["live"].items() if number} == {"Patient": 1}
    assert counted["live"]["Location"] == 0


def test_a_newer_content_of_what_is_kept_takes_its_place(records, file):
    older, newer = file(PULSE, name="old"), file({**PULSE, "status": "amended"}, name="new")
    for _ in range(2):
        records("import", older, newer)
        assert parse_json(KeptResource.objects.get().content)["status"] == "amended"


def test_what_was_kept_becomes_records_once_its_type_is_served(records, file, serving):
    serving("Patient")
    records("import", file(bundle(CLINIC, {**CLINIC, "id": "bad", "active": "yes"}, MARIA)))
    assert records("counts")["kept"] == {"Organization": 2}
    serving(*ALL)
    told = records("replay")
    assert (told.code, told["created"], told["failed"]) == (1, {"Organization": 1}, {"Organization": 1})
    assert served("Organization", "clinic")["name"] == "Harbour Clinic"
    assert records("counts")["kept"] == {"Organization": 1}
    assert records("replay")["created"] == {}


def test_a_file_that_was_kept_and_replayed_changes_nothing(records, file, serving):
    path = file(bundle(CLINIC, MARIA))
    serving("Patient")
    records("import", path)
    serving(*ALL)
    records("replay")
    assert records("import", path)["unchanged"] == {"Organization": 1, "Patient": 1}


def test_a_reference_by_identifier_is_found_when_what_was_kept_is_replayed(records, file, serving):
    ward = {"resourceType": "Location", "id": "w", "managingOrganization": {"reference": "Organization?name=harbour"}}
    serving("Patient")
    records("import", file(ward, CLINIC))
    serving(*ALL)
    records("replay")
    assert served("Location", "w")["managingOrganization"] == {"reference": "Organization/clinic"}
