"""Callers whose access is narrowed by scopes, as if by an access token, and what there is to reach.

Ann and Ben are two patients with a dose, a document, its content and a provenance each; the clinic belongs to nobody.
"""

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from healthrecords.accounts import authentication
from healthrecords.accounts.models import ApiToken, Role
from healthrecords.accounts.tests.conftest import run  # noqa: F401  a fixture
from healthrecords.oauth.scopes import parse
from tests.cast import PATIENT, Caller
from tests.conformance.test_fuzz import SAMPLES

PEOPLE = ("ann", "ben")
OWN = ("Patient", "Immunization", "DocumentReference", "Provenance")
TYPES = (*OWN, "Practitioner", "Binary")


@pytest.fixture
def scoped(db: None, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Caller]:
    """Make a caller with a role, narrowed to scopes and perhaps launched for a patient."""
    narrowed: dict[str, tuple[str, str | None]] = {}
    actor_of = authentication.actor_of_token

    def actor(token: Any) -> Any:
        if token.name not in narrowed:
            return actor_of(token)
        scopes, patient = narrowed[token.name]
        return replace(actor_of(token), scopes=parse(scopes), launch_patient=patient)

    def make(scopes: str, patient: str | None = None, role: str = "integrator") -> Caller:
        name = f"app {len(narrowed)}"
        narrowed[name] = (scopes, patient)
        return Caller(ApiToken.issue(name, Role.objects.get(name=role), [], 90)[1])

    monkeypatch.setattr(authentication, "actor_of_token", actor)
    return make


def of(kind: str, person: str) -> dict:
    """The resource of a type that is about a person."""
    body = {**SAMPLES.get(kind, {}), "id": f"{kind.lower()}-{person}"}
    if kind == "Patient":
        return {**PATIENT, "id": person}
    if kind == "Immunization":
        return {**body, "patient": {"reference": f"Patient/{person}"}}
    if kind == "DocumentReference":
        body.pop("context")
        return {**body, "subject": {"reference": f"Patient/{person}"}}
    if kind == "Provenance":
        return {**body, "target": [{"reference": f"Patient/{person}"}]}
    return body


@pytest.fixture
def records(integrator: Caller) -> dict[tuple[str, str], str]:
    """The ids of what is stored, by type and person."""
    ids = {}
    for person, kind in itertools.product(PEOPLE, (*OWN, "Practitioner")):
        body = of(kind, person)
        answer = integrator.post(kind, body) if kind == "Provenance" else integrator.put(f"{kind}/{body['id']}", body)
        assert answer.status_code == 201, answer.content
        ids[kind, person] = answer.json()["id"]
        if kind == "DocumentReference":
            url = answer.json()["content"][0]["attachment"]["url"]
            ids["Binary", person] = url.rpartition("/")[2]
    return ids
