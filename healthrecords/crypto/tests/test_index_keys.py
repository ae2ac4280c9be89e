"""The key of the blind indexes changes while people are looked up by their national ids."""

import itertools
import json
import threading
import time

import pytest

from compliance.audit.tests.hands import sealed
from compliance.audit.verification import Verification
from healthrecords.crypto import envelope, keys
from healthrecords.crypto.columns import census
from healthrecords.crypto.tests.conftest import InThread
from patients.models import PatientIdentifier
from tests.cast import PATIENT, Caller

SSN = {"system": "http://hl7.org/fhir/sid/us-ssn", "value": "123-45-6789"}


@pytest.fixture
def patient(index_file, clinician):
    return clinician.create(identifier=[SSN])


def found(caller, value=SSN["value"]):
    return [each["resource"]["id"] for each in caller.get(f"Patient?identifier={value}").json().get("entry", [])]


def told(answer):
    code, out, err = answer
    assert code == 0, out + err
    return json.loads(out)


def index_ids():
    return {key for numbers in census(file=keys.INDEX).values() for key in numbers}


def test_a_patient_is_found_before_during_and_after_a_rotation(run, index_file, patient, clinician):
    old = index_file.read_text()[:8]
    new = told(run("keys", "create", "--index", "--json"))["key"]
    assert [line[:8] for line in index_file.read_text().splitlines()] == [new, old]
    assert (found(clinician), index_ids()) == ([patient["id"]], {old})
    for renewed in (1, 0):
        said = told(run("keys", "rotate", "--index", "--json"))
        assert (said["resealed"], said["left"], said["key"]) == (renewed, 0, new)
    assert (found(clinician), index_ids()) == ([patient["id"]], {new})
    rows = told(run("keys", "status", "--json"))["index_keys"]
    assert [(row["key"], row["state"], row["values"]) for row in rows] == [(new, "current", 1), (old, "older", 0)]


def test_an_index_of_before_keys_were_named_is_found_and_renewed(run, index_file, patient, clinician):
    [key] = keys.index_keys().keys.values()
    PatientIdentifier.objects.update(fingerprint=envelope._index_mac(key, SSN["value"], "identifier")[:16])
    assert found(clinician) == [patient["id"]]
    assert told(run("keys", "rotate", "--index", "--json"))["resealed"] == 1
    assert (found(clinician), index_ids()) == ([patient["id"]], {index_file.read_text()[:8]})


def test_verify_finds_an_index_that_finds_nobody(run, patient):
    assert told(run("keys", "verify", "--json"))["wrong_index"] == []
    PatientIdentifier.objects.update(fingerprint=bytes(16))
    code, out, _ = run("keys", "verify", "--json")
    place = f"patients_patientidentifier.sealed|{PatientIdentifier.objects.get().pk}"
    assert (code, json.loads(out)["wrong_index"]) == (1, [place])


def test_searches_in_the_trail_are_still_proven_by_the_older_key(run, index_file, patient, clinician):
    found(clinician)
    run("keys", "create", "--index")
    found(clinician)
    run("keys", "rotate", "--index")
    sealed()
    assert Verification().run().findings == []


def busy(token, number, stop, answers):
    caller = Caller(token)
    for turn in itertools.count():
        if stop.is_set():
            return
        ssn = f"{number}00-45-{turn:04}"
        made = caller.post("Patient", {**PATIENT, "identifier": [{**SSN, "value": ssn}]}).json()
        answers.append(found(caller, ssn) == [made["id"]])
        answers.append(found(caller, f"{number}00-45-0000") != [])


def test_no_lookup_fails_while_the_key_changes(run, index_file, clinician):
    stop, answers = threading.Event(), []
    threads = [InThread(lambda n=n: busy(clinician.token, n, stop, answers)) for n in range(1, 4)]
    try:
        while len(answers) < 30:
            time.sleep(0.1)
        new = told(run("keys", "create", "--index", "--json"))["key"]
        assert told(run("keys", "rotate", "--index", "--json"))["left"] == 0
        enough = len(answers) + 10
        while len(answers) < enough:
            time.sleep(0.1)
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
    assert all(answers)
    assert index_ids() == {new}
    assert told(run("keys", "verify", "--all", "--json"))["wrong_index"] == []
