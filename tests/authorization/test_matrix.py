"""The authorization matrix: role × route × verb × own, other, none, each cell a real request.

`own` is a record that nothing hides, `other` one that its patient's consent hides from everybody, `none` an id that
nobody has. What is hidden must look in every cell like what is not there.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
from django.db import transaction
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone

from compliance.breakglass.models import BreakGlass
from compliance.consent.models import Consent
from compliance.consent.tests.cast import consent, deny, dose
from compliance.policy import RolePolicy
from documents.models import DocumentReference
from documents.tests.samples import document, inline
from healthrecords.access.request import Decision
from healthrecords.accounts.models import ApiToken, Role, User
from healthrecords.directory.models import Location, Organization, Practitioner
from healthrecords.notify.models import Channel, Notice
from immunizations.models import Immunization
from ops.alerts.models import Alert
from patients.models import Patient
from tests.authorization.table import ADMIN, API, ELSEWHERE, ROLES, letters, rows
from tests.cast import PATIENT, Caller, enter
from tests.test_routes import routes

TYPES = (
    "Patient", "Immunization", "DocumentReference", "Provenance", "Consent", "Organization", "Practitioner",
    "PractitionerRole", "Location",
)  # fmt: skip
DIRECTORY = ("Organization", "Practitioner", "PractitionerRole", "Location")
BY_ROLE_ALONE = (*DIRECTORY, "Consent")  # no consent hides them
PATIENTS_OWN = ("Patient", "Immunization", "DocumentReference", "Provenance")
MAY = letters()
AT_LEAST = 1500
BYTES = {"resourceType": "Binary", "contentType": "text/plain", "data": "eA=="}
REASON = "Unconscious, no relatives"


@dataclass(frozen=True)
class Cell:
    """One request by one role, and the statuses that the table expects, in words for whoever reads a failure."""

    role: str
    verb: str
    address: str
    whose: str
    expected: tuple[int, ...]
    body: Any = None

    def __str__(self) -> str:
        return f"{self.role}: {self.verb} {self.address} ({self.whose}) must be {self.expected}"


# --- the world


@dataclass
class World:
    """Bodies to send for each type, and a record of each: logical ids and keys, own and other."""

    bodies: dict[str, Any]
    own: dict[str, str]
    other: dict[str, str]
    keys: dict[str, dict[str, str]]
    tokens: dict[str, str]
    browsers: dict[str, Client]


def provenance(patient: str) -> dict[str, Any]:
    return {
        "resourceType": "Provenance",
        "target": [{"reference": f"Patient/{patient}"}],
        "recorded": "2026-01-05T10:00:00Z",
        "agent": [{"who": {"display": "Somebody"}}],
    }


def bodies_for(patient: str) -> dict[str, Any]:
    return {
        "Patient": PATIENT,
        "Immunization": dose(patient),
        "DocumentReference": document(patient, inline(b"Seen and well.", contentType="text/plain")),
        "Provenance": provenance(patient),
        "Consent": consent(patient, deny(purposes=["HRESCH"])),
        "Organization": {"resourceType": "Organization", "name": "Clinic"},
        "Practitioner": {"resourceType": "Practitioner", "name": [{"family": "Bauer"}]},
        "PractitionerRole": {"resourceType": "PractitionerRole", "active": True},
        "Location": {"resourceType": "Location", "name": "Room 4"},
    }


@pytest.fixture
def world(caller_with_role: Callable[[str], Caller]) -> World:
    """Two patients with a record of each kind; one hides all of it. Everybody has a token and a browser."""
    integrator, officer = caller_with_role("integrator"), caller_with_role("compliance-officer")
    made: dict[str, dict[str, str]] = {}
    for whose in ("own", "other"):
        patient = integrator.create()["id"]
        bodies = bodies_for(patient)
        made[whose] = {"Patient": patient}
        for kind in TYPES[1:]:
            made[whose][kind] = (officer if kind == "Consent" else integrator).create(bodies[kind])["id"]
    officer.create(consent(made["other"]["Patient"], deny(classes=list(PATIENTS_OWN))))
    tokens = {role: ApiToken.issue(f"{role} matrix", Role.objects.get(name=role), [], 90)[1] for role in ROLES}
    browsers = {role: enter(Client(raise_request_exception=False), person(role)) for role in ROLES}
    return World(
        bodies_for(made["own"]["Patient"]), made["own"], made["other"], keys_of(made), tokens, browsers,
    )  # fmt: skip


def person(role: str) -> User:
    return User.objects.invite(f"{role}@matrix.example", role, list(Role.objects.filter(name=role)))


def keys_of(made: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """The keys of the admin's addresses: of records own and other, and of what is no record."""
    models: dict[str, Any] = {
        "Patient": Patient, "Immunization": Immunization, "DocumentReference": DocumentReference, "Consent": Consent,
        "Organization": Organization, "Practitioner": Practitioner, "Location": Location,
    }  # fmt: skip
    keys = {
        whose: {kind: str(model.objects.get(logical_id=ids[kind]).pk) for kind, model in models.items()}
        for whose, ids in made.items()
    }
    declared = BreakGlass.objects.create(
        actor_kind="user", actor_id="x", actor="x", patient="x", reason="for the matrix", expires_at="2026-01-01T00:00Z"
    )
    now = timezone.now()
    alert = Alert.objects.create(fingerprint="x", name="x", severity="info", started_at=now, heard_at=now)
    others = {
        "Channel": str(Channel.objects.create(name="x", service="Mail", address="mailto:x@matrix.example").pk),
        "Notice": str(Notice.objects.create(event="x", severity="info", summary="x", key=b"").pk),
        "Alert": str(alert.pk),
        "BreakGlass": str(declared.pk), "User": str(User.objects.invite("x@matrix.example", "X", []).pk),
        "Role": str(Role.objects.get(name="auditor").pk),
        "ApiToken": str(ApiToken.issue("matrix", Role.objects.get(name="auditor"), [], 90)[0].pk),
        "Standing": "backup-full",
    }  # fmt: skip
    keys["own"] |= others
    return keys


# --- the cells


def api_cells(world: World) -> Iterator[Cell]:
    for kind in TYPES:
        for verb, below, letter, own, other, none in rows(API):
            for whose, said in (("own", own), ("other", other), ("none", none)):
                if said != "-" and not (whose == "other" and kind in BY_ROLE_ALONE):
                    address, body = _asked(world, kind, verb, below, whose)
                    yield Cell("outsider", verb, address, whose, (401,), body)
                    for role in ROLES:
                        yield Cell(role, verb, address, whose, (int(said) if letter in MAY[kind][role] else 403,), body)


def _asked(world: World, kind: str, verb: str, below: str, whose: str) -> tuple[str, Any]:
    """The address of a row of the table for one record, and the body to send."""
    known = {"own": world.own, "other": world.other, "none": {}}[whose]
    logical_id = known.get(kind, f"none-{kind.lower()}")
    address = f"/fhir/{kind}" + ("" if below == "-" else below.replace("{id}", logical_id))
    if verb == "PUT":
        return address, {**world.bodies[kind], "id": logical_id}
    return address, world.bodies[kind] if verb == "POST" and below != "/_search" else None


FILES = (".csv", ".pdf", "offers/")  # by GET alone
LET_IN = (200, 302, 400, 404, 409)  # 302: on to another page of the admin; 404: nothing of that id


def admin_cells(world: World) -> Iterator[Cell]:
    for below, subject, letter in rows(ADMIN):
        named = re.findall(r"{(\w+)}", below)
        for role in ("outsider", *ROLES):
            for whose in ("own", "other", "none") if named else ("-",):
                if whose == "other" and named[0] not in PATIENTS_OWN:
                    continue
                keys = world.keys.get(whose, {})
                address = re.sub(r"{(\w+)}", lambda name, keys=keys: keys.get(name[1], str(uuid4())), below)
                hidden = whose == "none" or (whose == "other" and not _by_role_alone(role, subject))
                expected = _admin_expected(role, letter in MAY[subject].get(role, ""), hidden)
                for verb in ("GET", "POST") if letter in "cud" and not below.endswith(FILES) else ("GET",):
                    yield Cell(role, verb, f"/admin/{address}", whose, expected)


def _by_role_alone(role: str, subject: str) -> bool:
    """Whether consent hides nothing: who records consents without opening charts goes by the id that they bring."""
    return subject == "Consent" and role != "outsider" and not MAY["Patient"][role]


def _admin_expected(role: str, is_open: bool, hidden: bool) -> tuple[int, ...]:
    if role == "outsider":
        return (302,)
    if not is_open:
        return (403,)
    return (404, 302) if hidden else LET_IN  # 302: asks for a fresh factor before it looks


# --- the requests


def performed(world: World, cells: Iterator[Cell]) -> Iterator[tuple[Cell, int]]:
    """Send each cell's request, and take back what it did."""
    outsider = Client(raise_request_exception=False)
    for cell in cells:
        with transaction.atomic():
            yield cell, _send(world, outsider, cell)
            transaction.set_rollback(True)


def _send(world: World, outsider: Client, cell: Cell) -> int:
    if cell.address.startswith("/fhir"):
        caller = Caller(world.tokens.get(cell.role))
        form = {"Content_Type": "application/x-www-form-urlencoded"} if cell.address.endswith("_search") else {}
        return int(caller.send(cell.verb, cell.address, cell.body, **form).status_code)
    return int(world.browsers.get(cell.role, outsider).generic(cell.verb, cell.address).status_code)


def mismatches(world: World, cells: Iterator[Cell]) -> tuple[int, list[str]]:
    """How many cells there were, and those that differ from the table."""
    said = list(performed(world, cells))
    return len(said), [f"{cell}, was {status}" for cell, status in said if status not in cell.expected]


def all_cells(world: World) -> Iterator[Cell]:
    yield from api_cells(world)
    yield from admin_cells(world)


def test_every_cell_is_as_the_table_says(world):
    count, differing = mismatches(world, all_cells(world))
    print(f"{count:,} cells, {len(differing)} mismatches", *differing, sep="\n")  # noqa: T201
    assert differing == []
    assert count >= AT_LEAST


def test_every_route_is_in_the_table():
    listed = {"fhir/Binary", "fhir/Binary/<logical_id>", "fhir/AuditEvent", "fhir/AuditEvent/_search"}
    listed |= {"fhir/AuditEvent/<logical_id>", "fhir/Patient/<logical_id>/$break-glass"}
    for kind in TYPES:
        below = {"" if row[1] == "-" else row[1] for row in rows(API)}
        named = {each.replace("{id}", "<logical_id>").replace("/1", "/<number>") for each in below}
        listed |= {f"fhir/{kind}{each}" for each in named}
    for row in rows(ADMIN):
        listed.add("admin/" + re.sub(r"{\w+}", "<str:object_id>", row[0].replace("{Key}", "<str:key>")))
    real = routes(get_resolver())
    assert [route for route in real if route not in listed and not _elsewhere(route)] == []
    assert sorted(listed - set(real)) == []


def _elsewhere(route: str) -> bool:
    whole = {"", "health", "health/ready", "metrics", "alerts", "fhir", "fhir/", "admin/", "fhir/metadata"}
    return route in ELSEWHERE or any(
        route.startswith(each) for each in ELSEWHERE if each not in whole and not each.endswith(">/end/")
    )


# --- what is no record of the table above: bytes, the trail, the emergency


def test_bytes_the_trail_and_the_emergency_open_by_their_letters(world):
    reason = {
        "resourceType": "Parameters",
        "parameter": [{"name": "reason", "valueString": "Unconscious, no relatives"}],
    }
    asked = [
        ("GET", "/fhir/AuditEvent", "Trail", "s", None), ("POST", "/fhir/AuditEvent/_search", "Trail", "s", None),
        ("GET", "/fhir/AuditEvent/x", "Trail", "r", None),
        ("GET", "/fhir/Binary/none", "Binary", "r", None),
        ("POST", "/fhir/Binary", "Binary", "c", BYTES),
        ("POST", f"/fhir/Patient/{world.own['Patient']}/$break-glass", "Emergency", "c", reason),
    ]  # fmt: skip
    cells = (
        Cell(role, verb, path, "-", (200, 201, 404) if letter in MAY[subject][role] else (403,), body)
        for verb, path, subject, letter, body in asked
        for role in ROLES
    )
    assert mismatches(world, cells)[1] == []


# --- mutants: each breaks one rule of the policy, and the matrix must notice


def _always(self: RolePolicy, request: Any) -> Decision:
    return Decision(True)


def _searches_are_free(self: RolePolicy, request: Any) -> Decision:
    return Decision(True) if request.interaction == "search" else PERMIT(self, request)


def _directory_is_free(self: RolePolicy, request: Any) -> Decision:
    return Decision(True) if request.resource_type in DIRECTORY else PERMIT(self, request)


def _updates_by_creators(self: RolePolicy, request: Any) -> Decision:
    return PERMIT(self, request.to("create") if request.interaction == "update" else request)


def _everything(self: RolePolicy, queryset: Any, *_: Any) -> Any:
    return queryset


PERMIT = RolePolicy.permit
MUTANTS: dict[str, dict[str, Any]] = {
    "the letters are not asked for": {"permit": _always},
    "a search needs no letter": {"permit": _searches_are_free},
    "the directory is open to all": {"permit": _directory_is_free},
    "who may create may change": {"permit": _updates_by_creators},
    "consent hides nothing": {"visible": _everything, "untouched": _everything, "visible_versions": _everything},
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_mutant_of_the_policy_is_noticed(world, mutant):
    with ExitStack() as stack:
        for name, broken in MUTANTS[mutant].items():
            stack.enter_context(patch.object(RolePolicy, name, broken))
        sample = (cell for cell in api_cells(world) if cell.role in ("clinician", "front-desk", "operator"))
        assert mismatches(world, sample)[1] != []
