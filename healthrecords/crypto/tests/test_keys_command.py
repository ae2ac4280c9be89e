"""keys status, create, rotate, verify, as an operator runs them over records that the API wrote."""

import json
import stat
import time

import pytest
from django.db import DatabaseError, connections, transaction

from compliance.phi_access.models import AccessEvent
from healthrecords.crypto import keys
from healthrecords.crypto.columns import census
from healthrecords.crypto.tests.conftest import InThread
from healthrecords.importing.models import KeptResource
from healthrecords.records import RecordVersion
from patients.models import Patient, PatientIdentifier

SSN = {"system": "http://hl7.org/fhir/sid/us-ssn", "value": "123-45-6789"}
SEALED = {
    "compliance_accessevent.query",
    "healthrecords_recordversion.content",
    "patients_patient.extra",
    "patients_patientidentifier.sealed",
}


@pytest.fixture
def patient(key_file, clinician):
    """A patient with a national id and an extension, found once by name; returned as the API shows it."""
    made = clinician.create(identifier=[SSN], extension=[{"url": "urn:example:x", "valueString": "y"}])
    assert clinician.get("Patient?family=Jansen").json()["entry"]
    return made


def current(file):
    return file.read_text().splitlines()[0].partition(":")[0]


def under(key):
    return {place for place, numbers in census().items() if key in numbers}


def as_json(answer):
    return json.loads(answer[1])


def owner(sql, *values):
    with connections["owner"].cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.rowcount


# --- status -------------------------------------------------------------------------------------------------------


def test_status_counts_the_values_of_each_column_under_each_key(run, key_file, patient):
    code, out, _ = run("keys", "status", "--json")
    told = json.loads(out)
    assert code == 0
    assert {row["column"] for row in told["columns"]} >= SEALED
    assert {row["key"] for row in told["columns"]} == {current(key_file)}
    assert told["keys"][0]["state"] == "current"
    assert told["keys"][0]["values"] == sum(row["values"] for row in told["columns"])


def test_status_shows_no_key(run, key_file, patient):
    secrets = [line.partition(":")[2] for line in key_file.read_text().splitlines()]
    code, out, err = run("keys", "status")
    assert code == 0
    assert current(key_file) in out
    assert not [each for each in secrets if each in out + err]


def test_status_says_that_a_key_is_missing(run, key_file, patient):
    run("keys", "create")
    key_file.write_text(key_file.read_text().splitlines()[0] + "\n")
    keys.FIELD.forget()
    code, out, _ = run("keys", "status")
    assert code == 1
    assert "cannot be opened: the key file lacks their key" in out
    assert "missing" in out


# --- create -------------------------------------------------------------------------------------------------------


def test_create_puts_a_key_first_and_keeps_the_old_one(run, key_file, patient):
    before = key_file.read_text()
    code, out, _ = run("keys", "create", "--json")
    assert code == 0
    assert key_file.read_text().endswith(before)
    assert json.loads(out)["key"] == current(key_file) != before[:8]
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert [each.name for each in key_file.parent.iterdir()] == ["field.key"]


def test_create_prints_no_key(run, key_file, patient):
    _, out, err = run("keys", "create")
    assert key_file.read_text().splitlines()[0].partition(":")[2] not in out + err
    assert "Copy" in out


def test_what_is_written_after_create_is_under_the_new_key_and_the_rest_still_opens(run, key_file, patient, clinician):
    run("keys", "create")
    assert clinician.get(f"Patient/{patient['id']}").json() == patient
    clinician.create(identifier=[SSN])
    assert under(current(key_file)) >= {"healthrecords_recordversion.content", "patients_patientidentifier.sealed"}


def test_create_refuses_a_file_that_others_may_read(run, key_file, patient):
    key_file.chmod(0o644)
    code, _, err = run("keys", "create")
    assert code == 2
    assert "others may read" in err
    assert len(key_file.read_text().splitlines()) == 1


def test_create_says_what_to_do_where_the_file_cannot_be_written(run, key_file, patient, monkeypatch):
    def refuse(**_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("healthrecords.crypto.creation.tempfile.mkstemp", refuse)
    code, _, err = run("keys", "create")
    assert code == 2
    assert "Read-only file system" in err
    assert "docs/security/keys.md" in err


# --- rotate -------------------------------------------------------------------------------------------------------


def test_rotate_leaves_nothing_under_the_old_key(run, key_file, patient, clinician):
    old = current(key_file)
    run("keys", "create")
    assert under(old) >= SEALED
    code, out, _ = run("keys", "rotate", "--json")
    told = json.loads(out)
    assert code == 0
    assert told["left"] == 0
    assert told["resealed"] >= len(SEALED)
    assert under(old) == set()


def test_after_a_rotation_the_old_key_may_leave_the_file(run, key_file, patient, clinician):
    run("keys", "create")
    run("keys", "rotate")
    key_file.write_text(key_file.read_text().splitlines()[0] + "\n")
    keys.FIELD.forget()
    assert clinician.get(f"Patient/{patient['id']}").json() == patient
    assert clinician.get("Patient?identifier=123-45-6789").json()["entry"]
    assert {event.query for event in AccessEvent.objects.filter(query__isnull=False)} >= {"family=Jansen"}
    assert run("keys", "verify", "--all")[0] == 0
    assert run("keys", "status")[0] == 0


def test_rotate_leaves_everything_else_of_an_append_only_row_as_it_was(run, patient):
    rows = list(RecordVersion.objects.defer("content").values().order_by("uuid"))
    for row in rows:
        row.pop("content", None)
    run("keys", "create")
    assert run("keys", "rotate")[0] == 0
    after = list(RecordVersion.objects.values().order_by("uuid"))
    assert [{k: v for k, v in row.items() if k != "content"} for row in after] == rows


def test_rotate_again_does_nothing(run, patient):
    run("keys", "create")
    run("keys", "rotate")
    code, out, _ = run("keys", "rotate", "--json")
    assert (code, json.loads(out)["resealed"]) == (0, 0)


def test_a_rotation_that_was_stopped_goes_on_where_it_was(run, key_file, patient, clinician, monkeypatch):
    from healthrecords.crypto import rotation

    for _ in range(3):
        clinician.create()
    old = current(key_file)
    run("keys", "create")
    take, taken = rotation._take, []

    def die(*args):
        taken.append(1)
        if len(taken) == 20:
            raise DatabaseError("terminated")
        return take(*args)

    monkeypatch.setattr(rotation, "BATCH", 1)
    monkeypatch.setattr(rotation, "_take", die)
    assert run("keys", "rotate")[0] == 2
    done = sum(numbers[current(key_file)] for numbers in census().values())
    left = sum(numbers[old] for numbers in census().values())
    assert done > 0 < left
    monkeypatch.setattr(rotation, "_take", take)
    told = as_json(run("keys", "rotate", "--json"))
    assert (told["resealed"], told["left"]) == (left, 0)


def test_a_value_that_does_not_open_is_left_and_told(run, key_file, patient):
    damaged = PatientIdentifier.objects.get(sealed__isnull=False)
    owner("UPDATE patients_patientidentifier SET sealed = sealed || 'x' WHERE uuid = %s", damaged.uuid)
    run("keys", "create")
    told = as_json(run("keys", "rotate", "--json"))
    assert told["outcome"] == "problem"
    assert told["left"] == 1
    assert told["broken"] == [f"patients_patientidentifier.sealed|{damaged.uuid}"]


def test_a_row_that_a_request_holds_is_passed_over_and_told(run, key_file, patient, monkeypatch):
    monkeypatch.setattr("healthrecords.crypto.rotation.PATIENCE", 0.1)
    run("keys", "create")
    with connections["trail"].cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT FROM patients_patientidentifier FOR UPDATE")
        told = as_json(run("keys", "rotate", "--json"))
        cursor.execute("ROLLBACK")
    assert (told["outcome"], told["left"]) == ("problem", 1)
    assert as_json(run("keys", "rotate", "--json"))["left"] == 0


def test_a_transaction_that_sealed_with_the_old_key_is_waited_for(run, key_file, patient):
    """Its row is seen by nobody before it commits: a rotation that did not wait would end with a false zero."""
    kept = KeptResource(source="files", resource_type="Observation", logical_id="pulse", digest=b"", content="{}")
    old = current(key_file)
    with transaction.atomic(using="trail"):
        kept.save(using="trail")
        run("keys", "create")
        rotation = InThread(lambda: run("keys", "rotate", "--json"))
        time.sleep(1.5)
        assert rotation.is_alive()
    assert as_json(rotation.result())["left"] == 0
    assert under(old) == set()


def test_a_rotation_without_the_owner_is_refused(run, patient, settings, monkeypatch):
    monkeypatch.setitem(settings.DATABASES["owner"], "USER", settings.DATABASE_APP_ROLE)
    code, _, err = run("keys", "rotate")
    assert code == 2
    assert "HEALTHCARE_DATABASE_OWNER_URL" in err


def test_changes_of_keys_stand_in_the_trail(run, key_file, patient, trail):
    run("keys", "create")
    run("keys", "rotate")
    details = [event.detail for event in trail(action="command")]
    assert any(current(key_file) in each and "keys create" in each for each in details)
    assert any("0 left under older keys" in each for each in details)


# --- What the owner may not do to an append-only row ---------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        "author = 'x'",
        "content = NULL",
        "content = 'plain'",
        "content = substr(content, 1, 5) || 'other'",  # the same key
        "content = '\\x01' || substr(content, 2, 3) || '\\xff' || substr(content, 6), author = 'x'",
        "content = '\\x02' || substr(content, 2, 3) || '\\xff' || substr(content, 6)",
    ],
)
def test_an_append_only_row_takes_no_other_change_even_from_its_owner(patient, change):
    with pytest.raises(DatabaseError, match="never changed"):
        owner(f"UPDATE healthrecords_recordversion SET {change}")  # noqa: S608


def test_an_append_only_row_is_not_removed_by_its_owner(patient):
    with pytest.raises(DatabaseError, match="never changed"):
        owner("DELETE FROM healthrecords_recordversion")


@pytest.mark.parametrize("table", ["healthrecords_recordversion", "compliance_accessevent"])
def test_the_application_may_not_even_reseal(patient, table):
    column = "content" if table.endswith("version") else "query"
    with pytest.raises(DatabaseError, match="permission denied"), connections["default"].cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {column} = {column}")  # noqa: S608


# --- verify -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", [[], ["--all"]])
def test_verify_opens_what_is_there(run, patient, option):
    told = as_json(run("keys", "verify", "--json", *option))
    assert told["ok"]
    assert told["opened"] == told["values"] >= len(SEALED)


@pytest.mark.parametrize("option", [[], ["--all"]])
def test_verify_finds_a_value_without_an_envelope_and_does_not_show_it(run, patient, option):
    found = PatientIdentifier.objects.get(sealed__isnull=False)
    owner("UPDATE patients_patientidentifier SET sealed = '123-45-6789, a number in the clear'")
    code, out, err = run("keys", "verify", "--json", *option)
    assert code == 1
    assert json.loads(out)["without_envelope"] == 1
    assert json.loads(out)["broken"] == [f"patients_patientidentifier.sealed|{found.uuid}"]
    assert "123-45" not in out + err


def test_verify_finds_a_value_that_was_copied_to_another_row(run, patient, clinician):
    other = clinician.create(extension=[{"url": "urn:example:x", "valueString": "z"}])
    owner(
        "UPDATE patients_patient SET extra = (SELECT extra FROM patients_patient WHERE logical_id = %s) "
        "WHERE logical_id = %s",
        patient["id"],
        other["id"],
    )
    told = as_json(run("keys", "verify", "--json"))
    assert told["broken"] == [f"patients_patient.extra|{Patient.objects.get(logical_id=other['id']).uuid}"]
