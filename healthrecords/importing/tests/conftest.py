"""An operator with files to import."""

import gzip
import json
from io import StringIO

import pytest
from django.core.management import call_command

MARIA = {
    "resourceType": "Patient",
    "id": "maria",
    "identifier": [{"system": "urn:example:mrn", "value": "A-1"}],
    "name": [{"family": "Jansen", "given": ["Maria"]}],
    "birthDate": "1980-05-17",
}
CLINIC = {
    "resourceType": "Organization",
    "id": "clinic",
    "identifier": [{"system": "urn:example:site", "value": "S 1"}],
    "name": "Harbour Clinic",
}
PULSE = {"resourceType": "Observation", "id": "pulse", "status": "final", "subject": {"reference": "Patient/maria"}}
UUIDS = [f"urn:uuid:00000000-0000-4000-8000-00000000000{n}" for n in range(10)]


def patient(number, **changes):
    return {**MARIA, "id": f"p{number}", "identifier": [{"value": f"N-{number}"}], **changes}


def bundle(*resources, kind="collection", method="PUT"):
    asked = {"request": {"method": method}} if method else {}
    entries = [{"fullUrl": url, "resource": each, **asked} for url, each in zip(UUIDS, resources, strict=False)]
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


@pytest.fixture
def file(tmp_path):
    """Write a file: texts as they are, anything else as a line of JSON."""

    def write(*lines, name="records.ndjson", packed=False):
        text = "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)
        path = tmp_path / name
        path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
        return path

    return write


class Told:
    """What a run told: exit code, the JSON object on stdout, and stderr."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err
        self.said = json.loads(out) if out else {}

    def __getitem__(self, name):
        return self.said[name]


@pytest.fixture
def records(db):
    """Run a verb of `records` with --json."""

    def run(verb, *arguments):
        out, err = StringIO(), StringIO()
        try:
            call_command("records", verb, *map(str, arguments), "--json", stdout=out, stderr=err)
        except Exception as ended:
            return Told(ended.returncode, out.getvalue(), err.getvalue() or str(ended))
        return Told(0, out.getvalue(), err.getvalue())

    return run
