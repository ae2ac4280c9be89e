"""What the policy is asked and what it answers."""

from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from healthrecords.oauth.scopes import Scope

OVERSIGHT = frozenset({"HSYSADMIN", "HCOMPL"})  # purposes that show no record: never the default of who gives care
EMERGENCY = "ETREAT"  # the purpose of use that shows one patient at a time
READS = frozenset({"read", "history"})
LETTERS = {"create": "c", "read": "r", "history": "r", "update": "u", "delete": "d", "search": "s"}


@dataclass(frozen=True)
class Actor:
    """Who acts: a person, a token or the system, with a copy of the name for the trail.

    `scopes` narrow what the roles permit; None is no narrowing. `launch_patient` is the logical id of the patient for
    whom an app was launched: `patient/` scopes open this patient's records alone. `app` names the app by which a person
    acts.
    """

    kind: str
    id: str
    name: str
    roles: tuple[str, ...] = ()
    permissions: tuple[dict[str, str], ...] = ()
    purposes: tuple[str, ...] = ()
    references: tuple[str, ...] = ()  # the directory entries that this actor is: Practitioner/…, Organization/…
    scopes: tuple[Scope, ...] | None = None
    launch_patient: str | None = None
    app: str = ""

    @property
    def is_authenticated(self) -> bool:
        """Whether anybody is known to be behind the request (what Django REST Framework asks of a user)."""
        return self.kind != "anonymous"

    @property
    def source(self) -> str:
        """How a record names its origin."""
        return f"{self.kind}:{self.name}"


SYSTEM = Actor("system", "", "system", ("system",), (), ("HSYSADMIN",))
NOBODY = Actor("anonymous", "", "anonymous")


def nobody() -> Actor:
    """The actor of a request that names none."""
    return NOBODY


@dataclass(frozen=True)
class AccessRequest:
    """One interaction that somebody asks for. `purpose` is an HL7 v3 PurposeOfUse code."""

    actor: Actor
    interaction: str
    resource_type: str
    purpose: str = ""
    address: str = ""
    request_id: str = ""
    route: str = ""
    resource_id: str | None = None

    def to(self, interaction: str, resource_type: str | None = None) -> "AccessRequest":
        """The same asker about something else."""
        return replace(self, interaction=interaction, resource_type=resource_type or self.resource_type)


@dataclass(frozen=True)
class Decision:
    """Permitted or not, and why, in words for the trail (never with clinical values)."""

    permitted: bool
    reason: str = ""


@dataclass
class Disclosure:
    """Records of one type that leave in one answer: (logical id, version, patient ids) each."""

    resource_type: str
    rows: list[tuple[str, int, list[str]]] = field(default_factory=list)


def actor_of_user(user: Any) -> Actor:
    """The actor that a signed-in person is, or NOBODY."""
    if not getattr(user, "is_authenticated", False):
        return NOBODY
    roles = user.role_list
    purposes = dict.fromkeys(code for role in roles for code in role.purposes)
    permissions = tuple(role.permissions for role in roles)
    names = tuple(role.name for role in roles)
    references = (*user.references, *own_organization())
    care_first = tuple(sorted(purposes, key=OVERSIGHT.__contains__))
    return Actor("user", str(user.pk), user.name or user.email, names, permissions, care_first, references)


def actor_of_token(token: Any) -> Actor:
    """The actor that a token is."""
    role, references = token.role, (f"Device/{token.pk}", *own_organization())
    purposes = tuple(token.purposes)
    return Actor("token", str(token.pk), token.name, (role.name,), (role.permissions,), purposes, references)


def own_organization() -> tuple[str, ...]:
    """The Organization of this installation, if HEALTHCARE_ORGANIZATION_ID names it: everybody acts for it."""
    return (f"Organization/{settings.ORGANIZATION_ID}",) if settings.ORGANIZATION_ID else ()


class UnknownPurpose(Exception):
    """The request names a purpose of use that its actor does not have."""


def from_http(http: HttpRequest, actor: Actor, interaction: str, resource_type: str) -> AccessRequest:
    """Describe an HTTP request; raise UnknownPurpose when X-Purpose-Of-Use names one that the actor lacks."""
    asked = http.headers.get("X-Purpose-Of-Use", "").strip()
    if asked and asked not in actor.purposes:
        raise UnknownPurpose(f"This {actor.kind} may not use the purpose '{asked[:20]}'.")
    return AccessRequest(
        actor,
        interaction,
        resource_type,
        purpose=asked or (actor.purposes[0] if actor.purposes else ""),
        address=getattr(http, "client_address", ""),
        request_id=getattr(http, "request_id", ""),
        route=route_of(http),
    )


def route_of(http: HttpRequest) -> str:
    """The pattern that matched, such as `fhir/Patient/<logical_id>`: it holds no identifier."""
    return http.resolver_match.route if http.resolver_match else ""
