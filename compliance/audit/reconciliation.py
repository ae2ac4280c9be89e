"""Compares the request log with the trail: an answer that showed records and left no event is a finding.

It narrows what no seal can show: an event that was never written. The log is written at another place than the events
(for HAProxy's: by another program), and both have the request's id.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from itertools import islice

from django.contrib import admin

from compliance.audit import requestlog
from compliance.audit.requestlog import Logged
from compliance.phi_access.models import AccessEvent
from healthrecords.console.record_admin import RecordAdmin
from healthrecords.fhir.resource import registry

DAY = timedelta(hours=25)  # of a daily run: an hour more than a day, so that none falls between two
BUNDLE = "fhir/"
_AROUND = timedelta(hours=1)  # an event may be so much older or newer than the line about its request
_AT_ONCE = 5000  # requests that are looked up by one query
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
_OTHERS = ("Binary", "AuditEvent")  # types with addresses of their own beside those of the registry
_SCREENS = ("", "<str:object_id>/", "<str:object_id>/change/", "<str:object_id>/history/")


@dataclass
class Reconciliation:
    """How many requests were read, how many of them must have left an event, which did not, and what else is wrong."""

    requests: int = 0
    judged: int = 0
    begins: datetime | None = None
    unrecorded: list[Logged] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def of_files(patterns: list[str], since: datetime) -> Reconciliation:
    """Reconcile the logs that the patterns name; raise ValidationError where one names none."""
    return reconcile(requestlog.read(patterns), since)


def reconcile(log: Iterable[Logged], since: datetime) -> Reconciliation:
    """Look for the events of all requests since a time; log lines may come in any order, and more than once."""
    told = Reconciliation()
    bundles = 0
    lines = _seen(log, since, told)
    while some := list(islice(lines, _AT_ONCE)):
        missing = _without_event([each for each in some if must_leave_event(each) or each.route == BUNDLE])
        told.judged += sum(map(must_leave_event, some))
        told.unrecorded += [each for each in missing if each.route != BUNDLE]
        bundles += sum(each.route == BUNDLE for each in missing)
    if bundles:
        told.notes.append(f"{bundles} bundles left no event: that is right if they read the directory alone.")
    _judge_log(told, since)
    return told


def must_leave_event(logged: Logged) -> bool:
    """Whether the answer showed or changed records of patients: one below 400, at an address of such records."""
    if logged.status >= 400 or logged.method not in _METHODS or "$validate" in logged.route:
        return False
    place, _, rest = logged.route.partition("/")
    if place == "fhir":
        return rest.partition("/")[0] in _types()
    return logged.status == 200 and logged.route in _screens()


def _seen(log: Iterable[Logged], since: datetime, told: Reconciliation) -> Iterator[Logged]:
    for each in log:
        told.begins = min(told.begins or each.time, each.time)
        if each.time >= since:
            told.requests += 1
            yield each


def _without_event(asked: list[Logged]) -> list[Logged]:
    if not asked:
        return []
    times = [each.time for each in asked]
    recorded = set(
        AccessEvent.objects.filter(
            time__range=(min(times) - _AROUND, max(times) + _AROUND), request__in={each.request for each in asked}
        ).values_list("request", flat=True)
    )
    return [each for each in asked if each.request not in recorded]


def _judge_log(told: Reconciliation, since: datetime) -> None:
    """A log that does not reach back, or is empty while people worked, proves nothing."""
    if told.begins and told.begins > since + _AROUND:
        told.notes.append(f"The log begins at {told.begins:%Y-%m-%d %H:%M:%S}Z: what came before was not compared.")
    if not told.requests and AccessEvent.objects.filter(time__gte=since).exclude(address="").exists():
        told.faults.append("The log tells of no request in this time, and the trail of some: it is not the log in use.")


@cache
def _types() -> frozenset[str]:
    return frozenset({name for name, each in registry().items() if not each.directory}.union(_OTHERS))


@cache
def _screens() -> frozenset[str]:
    """The routes of the screens that show records of patients."""
    shown = [
        model._meta
        for model, screens in admin.site._registry.items()
        if isinstance(screens, RecordAdmin) and not screens.resource.directory
    ]
    return frozenset(f"admin/{meta.app_label}/{meta.model_name}/{each}" for meta in shown for each in _SCREENS)
