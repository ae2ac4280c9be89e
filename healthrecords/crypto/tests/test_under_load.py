"""Keys change while people read and write: no request fails, and nothing is left under the old key."""

import itertools
import json
import threading
import time

from healthrecords.crypto.columns import census
from healthrecords.crypto.tests.conftest import InThread
from tests.cast import PATIENT, Caller

SSN = {"system": "http://hl7.org/fhir/sid/us-ssn"}


def busy(token, number, stop, answers):
    """A program that creates, changes, reads and finds patients until it is told to stop."""
    caller = Caller(token)
    for turn in itertools.count():
        if stop.is_set():
            return
        ssn = {**SSN, "value": f"{number}00-45-{turn:04}"}
        made = caller.post("Patient", {**PATIENT, "identifier": [ssn]})
        answers.append(made.status_code)
        body = made.json()
        changed = caller.put(f"Patient/{body['id']}", {**body, "gender": "unknown"})
        found = caller.get(f"Patient?identifier={ssn['value']}")
        answers.extend([changed.status_code, caller.get(f"Patient/{body['id']}").status_code, found.status_code])
        answers.append(200 if len(found.json().get("entry", [])) == 1 else 0)
        answers.append(caller.get(f"Patient/{body['id']}/_history").status_code)


def test_no_request_fails_while_keys_change_twice(run, key_file, clinician):
    stop, answers = threading.Event(), []
    threads = [InThread(lambda n=n: busy(clinician.token, n, stop, answers)) for n in range(1, 4)]
    try:
        while len(answers) < 60:
            time.sleep(0.1)
        told = []
        for _ in range(2):
            run("keys", "create")
            code, out, err = run("keys", "rotate", "--json")
            told.append(json.loads(out))
            assert (code, told[-1]["left"]) == (0, 0), err
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
    current = key_file.read_text()[:8]
    assert set(answers) == {200, 201}
    assert len(answers) > 100
    assert min(each["resealed"] for each in told) > 20
    assert {key for numbers in census().values() for key in numbers} == {current}
    assert run("keys", "verify", "--all")[0] == 0
