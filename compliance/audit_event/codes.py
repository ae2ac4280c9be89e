"""What kind of AuditEvent each row of the trail is: FHIR's action, type and subtypes, as data for both ways.

Interactions with resources are what IHE BALP calls RESTful operations. Everything else has a type of DICOM's (PS3.15
A.5, PS3.16 CID 400 and 401) and the trail's own word as a subtype, by which it can be searched for.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import Case, F, Func, Q, TextField, Value, When

REST = "http://terminology.hl7.org/CodeSystem/audit-event-type"
INTERACTION = "http://hl7.org/fhir/restful-interaction"
DCM = "http://dicom.nema.org/resources/ontology/DCM"
LIFECYCLE = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
OWN = "urn:healthrecords:trail-action"  # the word in the trail


@dataclass(frozen=True)
class Coding:
    system: str
    code: str
    display: str = ""

    def as_fhir(self) -> dict[str, str]:
        named = {"display": self.display} if self.display else {}
        return {"system": self.system, "code": self.code, **named}

    def is_meant_by(self, text: str) -> bool:
        """Whether a search for `code`, `system|code` or `system|` means this one."""
        system, bar, code = text.rpartition("|")
        return (not bar or system == self.system) and code in ("", self.code)


@dataclass(frozen=True)
class Kind:
    """FHIR's action letter (C, R, U, D, E), the type, and what the type alone does not say."""

    action: str
    type: Coding
    subtypes: tuple[Coding, ...] = ()


RESTFUL = Coding(REST, "rest", "RESTful Operation")
APPLICATION = Coding(DCM, "110100", "Application Activity")
AUTHENTICATION = Coding(DCM, "110114", "User Authentication")
ALERT = Coding(DCM, "110113", "Security Alert")
_ATTRIBUTES = Coding(DCM, "110137", "User security Attributes Changed")
_ROLES = Coding(DCM, "110136", "Security Roles Changed")
_CONFIGURATION = Coding(DCM, "110131", "Software Configuration")
_OVERRIDE = Coding(DCM, "110127", "Emergency Override Started")


def _restful(action: str, code: str) -> Kind:
    return Kind(action, RESTFUL, (Coding(INTERACTION, code),))


KINDS = {
    "read": _restful("R", "read"),
    "history": _restful("R", "history"),
    "search": _restful("E", "search"),
    "create": _restful("C", "create"),
    "update": _restful("U", "update"),
    "delete": _restful("D", "delete"),
    "export": Kind("R", Coding(DCM, "110106", "Export"), (Coding(LIFECYCLE, "disclose"),)),
    "sign-in": Kind("E", AUTHENTICATION, (Coding(DCM, "110122", "Login"),)),
    "sign-out": Kind("E", AUTHENTICATION, (Coding(DCM, "110123", "Logout"),)),
    "session-ended": Kind("E", AUTHENTICATION, (Coding(DCM, "110123", "Logout"),)),
    "step-up": Kind("E", AUTHENTICATION),
    "recovery-code": Kind("E", AUTHENTICATION),
    "enrolment": Kind("E", ALERT, (_ATTRIBUTES,)),
    "factor-added": Kind("E", ALERT, (_ATTRIBUTES,)),
    "factor-removed": Kind("E", ALERT, (_ATTRIBUTES,)),
    "token": Kind("E", AUTHENTICATION),
    "app-allowed": Kind("E", ALERT, (_ATTRIBUTES,)),
    "app-ended": Kind("E", ALERT, (_ATTRIBUTES,)),
    "break-glass": Kind("E", ALERT, (_OVERRIDE,)),
    "key-use": Kind("E", ALERT, (_CONFIGURATION,)),
}
OTHERS = Kind("E", APPLICATION)  # commands, backups, restores, scans and what comes later
# Changes to what is no FHIR resource: of people, tokens, clients, roles and settings.
SECURITY = {
    "User": _ATTRIBUTES, "ApiToken": _ATTRIBUTES, "Client": _ATTRIBUTES, "Role": _ROLES, "Settings": _CONFIGURATION,
    "Key": _CONFIGURATION, "PurposeDefault": _CONFIGURATION,
}  # fmt: skip
CHANGES = ("create", "update", "delete")


def kind_of(word: str, resource_type: str) -> Kind:
    """The kind of an event by the trail's word for it; what was denied is of the kind that was asked for."""
    kind = KINDS.get(word, OTHERS)
    if word in CHANGES and resource_type in SECURITY:
        kind = Kind(kind.action, ALERT, (SECURITY[resource_type],))
    return kind if kind.type == RESTFUL else Kind(kind.action, kind.type, (*kind.subtypes, Coding(OWN, word)))


def word_of(action: str, detail: str) -> str:
    """The trail's word for what was done or, where it was denied, for what was asked (`read: forbidden`)."""
    return detail.partition(":")[0] if action == "denied" else action


# The same word in SQL.
WORD = Case(
    When(action="denied", then=Func(F("detail"), Value(":"), Value(1), function="split_part")),
    default=F("action"),
    output_field=TextField(),
)


def having(fits: Callable[[Kind], bool]) -> Q:
    """The condition on rows annotated with `word` that their kind fits."""
    words = [word for word in KINDS if fits(kind_of(word, ""))]
    found = Q(word__in=words) & ~Q(word__in=CHANGES, resource_type__in=SECURITY)
    for subject in SECURITY:
        found |= Q(word__in=[word for word in CHANGES if fits(kind_of(word, subject))], resource_type=subject)
    return found | ~Q(word__in=KINDS) if fits(OTHERS) else found


OUTCOMES = {"0": Q(outcome="success"), "8": Q(outcome="failure") | Q(outcome__startswith="failed 5")}
OUTCOMES["4"] = ~(OUTCOMES["0"] | OUTCOMES["8"])


def outcome_of(outcome: str) -> str:
    """Success, minor failure (what the client did wrong, or may not) or serious failure, as R4 codes it."""
    if outcome == "success":
        return "0"
    return "8" if outcome == "failure" or outcome.startswith("failed 5") else "4"
