"""`health smoke`: one journey through the API and the admin, on a marked test patient, over the network like anybody's.

The patient and the dose have ids of their own, so that each run brings the same two back, deletes them at its end, and
finds what an earlier one that was cut off has left.
"""

import json
import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.conf import settings

from documents import storage
from documents.models import Content
from healthrecords.access.request import AccessRequest

from .monitoring import itself
from .passes import NAME, Pass, alone, issued
from .registry import Check, Problem, Told, ask
from .web import Answer, Site, Unanswered

PATIENT, DOSE = f"Patient/{NAME}", f"Immunization/{NAME}"
_SYSTEM = "urn:healthrecords:smoke"
# HL7 v3 ActReason: the record is no real person's.
_TAG = {"tag": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}]}
_LOOK = "See `services logs gunicorn`; after a deployment, roll back: `deploy rollback`."
SECONDS = 10.0  # for each answer

Step = Callable[["Journey"], str]


def patient() -> dict[str, Any]:
    """The test patient as it is sent."""
    return {
        "resourceType": "Patient",
        "id": NAME,
        "meta": _TAG,
        "identifier": [{"system": _SYSTEM, "value": "1"}],
        "name": [{"family": "Smoketest", "given": ["Nobody"]}],
        "gender": "unknown",
        "birthDate": "1970-01-01",
    }


def dose() -> dict[str, Any]:
    """The test dose as it is sent."""
    code = {"system": "http://hl7.org/fhir/sid/cvx", "code": "998"}  # no vaccine administered
    return {
        "resourceType": "Immunization",
        "id": NAME,
        "meta": _TAG,
        "status": "not-done",
        "vaccineCode": {"coding": [code]},
        "patient": {"reference": PATIENT},
        "occurrenceDateTime": "1970-01-01",
    }


@dataclass
class Journey:
    """One run, with what it was let in by."""

    given: Pass
    api: Site = field(init=False)
    admin: Site = field(init=False)
    version: str = ""

    def __post_init__(self) -> None:
        self.api, self.admin = itself(), itself()
        self.api.seconds = self.admin.seconds = SECONDS
        self.admin.cookies[settings.SESSION_COOKIE_NAME] = self.given.session

    # --- the API ---------------------------------------------------------------------------------------------------

    def alive(self) -> str:
        self._expect(self.api.get("/health"), 200)
        self._expect(self._fhir("GET", "metadata"), 200)
        return "The server answers and tells what it can."

    def shut(self) -> str:
        self._expect(self.api.get(f"/fhir/{PATIENT}"), 401)
        return "Without a token nothing opens."

    def leftovers(self) -> str:
        """What a run that was cut off has left goes first."""
        found = [name for name in (DOSE, PATIENT) if self._fhir("GET", name).status == 200]
        for name in found:
            self._expect(self._fhir("DELETE", name), 200, 204)
        contents = _forget_contents()
        return f"Removed {', '.join(found) or 'no record'} and {contents} contents of an earlier run."

    def create(self) -> str:
        answer = self._expect(self._fhir("PUT", PATIENT, patient()), 200, 201)
        self.version = answer.headers.get("etag", "")
        return "The test patient is stored."

    def read(self) -> str:
        told = self._expect(self._fhir("GET", PATIENT), 200).json()
        if (told["name"], told["birthDate"]) != (patient()["name"], patient()["birthDate"]):
            raise Problem("The patient comes back otherwise than it was sent.")
        found = self._expect(self._fhir("GET", f"Patient?identifier={_SYSTEM}|1"), 200).json()
        if [entry["resource"]["id"] for entry in found.get("entry", [])] != [NAME]:
            raise Problem("The search by identifier does not find the patient.")
        return "It is read back, and found by its identifier."

    def update(self) -> str:
        changed = patient() | {"gender": "other"}
        self._expect(self._fhir("PUT", PATIENT, changed, {"If-Match": self.version}), 200)
        self._expect(self._fhir("PUT", PATIENT, changed, {"If-Match": self.version}), 412)
        history = self._expect(self._fhir("GET", f"{PATIENT}/_history"), 200).json()
        if len(history["entry"]) < 2:
            raise Problem("The history lacks a version.")
        return "It is changed once, the stale change is refused, both versions are kept."

    def refuse(self) -> str:
        self._expect(self._fhir("PUT", PATIENT, patient() | {"gender": "smoke"}), 400, 422)
        return "An invalid resource is refused."

    def immunization(self) -> str:
        self._expect(self._fhir("PUT", DOSE, dose()), 200, 201)
        found = self._expect(self._fhir("GET", f"Immunization?patient={NAME}"), 200).json()
        if NAME not in [entry["resource"]["id"] for entry in found.get("entry", [])]:
            raise Problem("The search by patient does not find the dose.")
        return "A dose is stored and found by its patient."

    def document(self) -> str:
        sent = secrets.token_hex(64).encode()
        headers = {"Authorization": f"Bearer {self.given.token}", "Content-Type": "text/plain"}
        made = self._expect(self.api.send("POST", "/fhir/Binary", sent, headers), 201)
        name = made.headers["location"].rpartition("/")[2]
        if self._expect(self._fhir("GET", f"Binary/{name}", None, {"Accept": "text/plain"}), 200).body != sent:
            raise Problem("A document comes back otherwise than it was sent.")
        return "A document is sealed, stored and read back."

    # --- the admin -------------------------------------------------------------------------------------------------

    def home(self) -> str:
        self._expect(self.admin.get("/admin/"), 200)
        return "The admin opens."

    def page(self) -> str:
        listed = self._expect(self.admin.get("/admin/patients/patient/?q=Smoketest"), 200).text
        link = re.search(r"/admin/patients/patient/[0-9a-f-]{36}/", listed)
        if not link:
            raise Problem("The list of patients does not find the test patient.")
        if "Smoketest" not in self._expect(self.admin.get(link[0]), 200).text:
            raise Problem("The patient's page does not show the patient.")
        return "The list finds the patient, and the page opens."

    def sign_out(self) -> str:
        form = self._expect(self.admin.get("/admin/"), 200).text
        secret = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)
        fields = {"csrfmiddlewaretoken": secret[1] if secret else ""}
        self._expect(self.admin.post_form("/accounts/logout/", fields), 302)
        self.admin.cookies[settings.SESSION_COOKIE_NAME] = self.given.session
        self._expect(self.admin.get("/admin/"), 302)
        return "Signing out ends the session for good."

    # --- the end ---------------------------------------------------------------------------------------------------

    def clean_up(self) -> str:
        for name in (DOSE, PATIENT):
            if self._fhir("GET", name).status == 200:
                self._expect(self._fhir("DELETE", name), 200, 204)
        _forget_contents()
        return "The test records are deleted."

    def revoke(self) -> str:
        self.given.revoke()
        self._expect(self._fhir("GET", PATIENT), 401)
        return "The token is revoked and opens nothing any more."

    def _fhir(
        self, method: str, path: str, body: dict[str, Any] | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        said = {"Authorization": f"Bearer {self.given.token}", "Content-Type": "application/fhir+json"}
        sent = json.dumps(body).encode() if body else None
        return self.api.send(method, f"/fhir/{path}", sent, said | (headers or {}))

    def _expect(self, answer: Answer, *statuses: int) -> Answer:
        if answer.status not in statuses:
            wanted = " or ".join(map(str, statuses))
            raise Problem(f"The server answers with status {answer.status}, and {wanted} is right.")
        return answer


STEPS: tuple[Step, ...] = (
    *(Journey.alive, Journey.shut, Journey.leftovers, Journey.create, Journey.read, Journey.update, Journey.refuse),
    *(Journey.immunization, Journey.document, Journey.home, Journey.page, Journey.sign_out),
)
LAST: tuple[Step, ...] = (Journey.clean_up, Journey.revoke)


def journey(request: AccessRequest) -> Iterator[Told]:
    """Each step with what it found, up to the first that fails, and those that clean up, in any case.

    Raises CommandError while another runs, OperationalError where the database lets nobody in.
    """
    with alone(), issued(request) as given:
        walk = Journey(given)
        for step in STEPS:
            told = _taken(walk, step)
            yield told
            if told.state != "good":
                break
        yield from (_taken(walk, step) for step in LAST)


def _taken(walk: Journey, step: Step) -> Told:
    return ask(Check(step.__name__.replace("_", "-"), "smoke", partial(_answered, step, walk), 0, _LOOK))


def _answered(step: Step, walk: Journey) -> str:
    try:
        return step(walk)
    except Unanswered as fault:
        raise Problem(str(fault)) from fault


def _forget_contents() -> int:
    """Remove the contents that smoke tests have sent, with their objects; return how many."""
    found = list(Content.objects.filter(author_kind="token", author=NAME, uses=None))
    for content in found:
        storage.remove(content.object_name, unlock=True)
        content.delete()
    return len(found)
