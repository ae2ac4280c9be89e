"""Errors as OperationOutcome (R4 §2.2), each with the path of its fault, and their row in the trail."""

import logging
from dataclasses import dataclass, field
from typing import Any, Self

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import Error as DatabaseError
from django.db import IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest
from psycopg.errors import DeadlockDetected, LockNotAvailable, QueryCanceled
from rest_framework import exceptions
from rest_framework.response import Response

from healthrecords import trail
from healthrecords.access.request import NOBODY, AccessRequest, UnknownPurpose, route_of
from healthrecords.accounts.attempts import TooMany
from healthrecords.jsontext import BadJSON

from .primitives import ID
from .search.faults import BadSearch, PageGone

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Issue:
    """One fault: an IssueType code, a sentence, and the FHIRPath of the element."""

    code: str
    text: str
    path: str = ""
    severity: str = "error"

    def as_fhir(self) -> dict[str, Any]:
        issue: dict[str, Any] = {"severity": self.severity, "code": self.code, "diagnostics": self.text}
        if self.path:
            issue["expression"] = [self.path]
        return issue


@dataclass
class FHIRError(Exception):
    """Ends an interaction with a status and its issues."""

    status: int
    issues: list[Issue] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    about: tuple[AccessRequest, str | None] | None = None  # the entry of a Bundle that it is about

    @classmethod
    def of(cls, status: int, code: str, text: str, path: str = "") -> Self:
        return cls(status, [Issue(code, text, path)])

    @property
    def text(self) -> str:
        """What is wrong, in sentences for people."""
        return " ".join(issue.text for issue in self.issues)


def not_found(resource_type: str) -> FHIRError:
    """What a record that is not there answers, and one that may not be seen just the same."""
    return FHIRError.of(404, "not-found", f"There is no such {resource_type}.")


def outcome(issues: list[Issue]) -> dict[str, Any]:
    """The OperationOutcome resource of `issues`; without one it says that all went well."""
    told = issues or [Issue("informational", "All is well.", severity="information")]
    return {"resourceType": "OperationOutcome", "issue": [issue.as_fhir() for issue in told]}


_CODES = {
    400: "invalid", 401: "login", 403: "forbidden", 404: "not-found", 405: "not-supported", 406: "not-supported",
    409: "conflict", 410: "deleted", 412: "conflict", 413: "too-long", 415: "not-supported", 422: "processing",
    429: "throttled", 500: "exception", 503: "transient",
}  # fmt: skip


# What the client is told for an exception: status, IssueType code, and a sentence (None: the exception's own).
_TOLD: tuple[tuple[type[Exception] | tuple[type[Exception], ...], int, str, str | None], ...] = (
    ((BadSearch, BadJSON), 400, "invalid", None),
    (PageGone, 410, "deleted", None),
    (UnknownPurpose, 403, "forbidden", None),
    (Http404, 404, "not-found", "There is nothing at this address."),
    (PermissionDenied, 403, "forbidden", "This is not permitted."),
    (RequestDataTooBig, 413, "too-long", "The request body is too large."),
    (SuspiciousOperation, 400, "invalid", "The request has a form that is not accepted."),
    (IntegrityError, 409, "conflict", "Another request changed the same record at the same moment; try again."),
    ((OperationalError, InterfaceError), 503, "transient", "The database does not answer; try again shortly."),
)


_AGAIN = "Another request changed the same records at the same moment; try again."
# What PostgreSQL ended for a reason of ours.
_CROSSED: dict[type, tuple[int, str, str]] = {
    DeadlockDetected: (409, "conflict", _AGAIN),
    LockNotAvailable: (409, "lock-error", _AGAIN),
    QueryCanceled: (503, "too-costly", "This took too long and was ended; ask for less."),
}


def as_error(fault: Exception) -> FHIRError:
    """Return the error that the client is told for an exception; nothing of an unforeseen one is told."""
    if isinstance(fault, FHIRError):
        return fault
    if isinstance(fault, TooMany):
        return FHIRError(429, [Issue("throttled", str(fault))], {"Retry-After": str(fault.wait)})
    if isinstance(fault, exceptions.APIException):
        headers = {"WWW-Authenticate": "Bearer"} if fault.status_code == 401 else {}
        if isinstance(fault, exceptions.Throttled):
            headers = {"Retry-After": str(fault.wait)}  # type: ignore[attr-defined]
        code = _CODES.get(fault.status_code, "processing")
        return FHIRError(fault.status_code, [Issue(code, str(fault.detail))], headers)
    crossed = type(fault.__cause__)
    if isinstance(fault, OperationalError) and crossed in _CROSSED:
        return FHIRError.of(*_CROSSED[crossed])
    for kind, status, code, text in _TOLD:
        if isinstance(fault, kind):
            return FHIRError.of(status, code, text or str(fault))
    return FHIRError.of(500, "exception", "The server met an error; its log names it by the request id.")


def exception_handler(fault: Exception, context: dict[str, Any]) -> Response:
    """Answer a failed request: record it apart from its rolled-back transaction, then say what was wrong."""
    error = as_error(fault)
    view = context["view"]
    if error.status >= 500:
        log.error("request %s failed", getattr(context["request"], "request_id", ""), exc_info=fault)
    try:
        if not _is_flood(fault):
            record_failure(context["request"], view, error)
    except DatabaseError as second:
        log.error("the failure of a request could not be recorded", exc_info=second)
        text = "This access could not be written down, so that no data leaves; try again, or tell the operator."
        error = FHIRError.of(503, "transient", text)
    return Response(outcome(error.issues), status=error.status, headers=error.headers)


def _is_flood(fault: Exception) -> bool:
    """Whether a refusal leaves no row: of guesses the first in a window does; a throttled client saw nothing."""
    return isinstance(fault, exceptions.Throttled) or (isinstance(fault, TooMany) and not fault.first)


def record_failure(http: HttpRequest, view: Any, error: FHIRError) -> None:
    """Leave the row of a request that was denied or failed."""
    if error.about:
        record_refusal(error.about[0], error, error.about[1])
        return
    asked: AccessRequest | None = getattr(view, "asked", None)
    resource = getattr(view, "resource", None)
    if asked is None:
        asked = AccessRequest(
            getattr(view, "actor", NOBODY),
            "read" if http.method in ("GET", "HEAD") else "write",
            resource.name if resource else "",
            address=getattr(http, "client_address", ""),
            request_id=getattr(http, "request_id", ""),
            route=route_of(http),
        )
    record_refusal(asked, error, getattr(view, "kwargs", {}).get("logical_id"))


def record_refusal(asked: AccessRequest, error: FHIRError, logical_id: str | None) -> None:
    """Leave the row of a denial (401, 403) or of an attempt that failed, apart from its rolled-back transaction."""
    denied = error.status in (401, 403)
    logical_id = logical_id if logical_id and ID.fullmatch(logical_id) else None  # anything else is no id of ours
    named = (f"{asked.resource_type}/{logical_id}",) if logical_id and asked.resource_type else ()
    fact = trail.Fact(
        "denied" if denied else asked.interaction,
        outcome="denied" if denied else f"failed {error.status}",
        patient=logical_id if asked.resource_type == "Patient" else None,
        resources=named,
        versions=(0,) * len(named),
        detail=f"{asked.interaction}: {error.issues[0].code}",
    )
    trail.record_apart(asked, [fact])
