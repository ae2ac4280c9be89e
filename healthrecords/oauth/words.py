"""Scopes in words that a clinician understands."""

import re
from collections.abc import Iterator

from healthrecords.oauth import scopes
from healthrecords.oauth.scopes import ANY, Scope

_KINDS = {
    ANY: "the record",
    "Patient": "name, birth date, address and other personal details",
    "Immunization": "immunizations",
    "DocumentReference": "documents",
    "Binary": "the content of documents",
    "Provenance": "where records came from",
    "AuditEvent": "who looked at records",
}
_VERBS = {"c": "add", "u": "change", "d": "delete"}


def described(granted: list[str]) -> list[str]:
    """One line for each thing that the scopes open."""
    records = [_record(scope) for scope in scopes.parse(" ".join(granted))]
    return [*records, *_others(set(granted))]


def lasting(granted: list[str], days: int) -> str:
    """How long it lasts."""
    if "offline_access" in granted:
        return f"Until you end it under Sign-in and security, or {days} days after the app was last used."
    if "online_access" in granted:
        return "Until you sign out."
    return "For an hour, or until you sign out."


def _record(scope: Scope) -> str:
    kind = _KINDS.get(scope.kind) or re.sub(r"(?<=[a-z])(?=[A-Z])", " ", scope.kind).lower() + " entries"
    whose = "of this patient" if scope.level == "patient" else "of every patient you may see"
    only = f", only where {_constraint(scope)}" if scope.constraint else ""
    return f"{_joined(_verbs(scope.letters)).capitalize()} {kind} {whose}{only}"


def _verbs(letters: str) -> list[str]:
    seen = ["see"] if set(letters) & set("rs") else []
    return seen + [verb for letter, verb in _VERBS.items() if letter in letters]


def _joined(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _constraint(scope: Scope) -> str:
    return " and ".join(f"{name} is {value}" for name, value in scope.constraint)


def _others(granted: set[str]) -> Iterator[str]:
    if granted & {"openid", "fhirUser", "profile"}:
        yield "Know who you are"
    if granted & {"offline_access", "online_access"}:
        yield "Renew its access without asking you again"
