"""Accounts for the disclosures of a patient's records: from the trail, and those entered by hand.

Several disclosures to one recipient for one purpose are one line: the first, how many, the last (45 CFR 164.528(b)(3)).
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from compliance.accounting import purposes
from compliance.accounting.models import EnteredDisclosure
from compliance.phi_access.models import AccessEvent
from healthrecords import trail
from healthrecords.access import acting
from healthrecords.access.request import AccessRequest
from healthrecords.directory.models import Organization
from patients.models import Patient

YEARS = 6  # 45 CFR 164.528(a)(1): the period that a patient may ask about
GIVEN = ("read", "search", "history", "export")
LONGEST = 1000  # characters


@dataclass(frozen=True)
class Line:
    """Disclosures to one recipient for one purpose. `address` is empty where none is known."""

    first: date
    last: date
    times: int
    recipient: str
    address: str
    description: str
    purpose: str


@dataclass(frozen=True)
class Accounting:
    """What a patient is given: who they are, the period, and the lines, oldest first."""

    patient: str
    name: str
    birth_date: str
    since: date
    until: date
    lines: tuple[Line, ...]


def account(patient: str, by: AccessRequest, since: date | None = None) -> Accounting:
    """Return the accounting of the patient with this logical id, for six years or since a later day.

    It leaves one row in the trail, as what `by` asks for (read, export), or nothing is returned.
    Raise ValidationError for a patient who is not here, or a day that is not in the period.
    """
    until = timezone.localdate()
    begin = since or years_before(until, YEARS)
    if not years_before(until, YEARS) <= begin <= until:
        raise ValidationError(f"The accounting begins at most {YEARS} years ago, and not in the future.")
    with transaction.atomic():
        record = Patient.objects.filter(logical_id=patient).first()
        if record is None:
            raise ValidationError("There is no such patient.")
        lines = sorted([*_from_trail(patient, begin), *_entered(patient, begin)], key=lambda line: line.first)
        detail = f"accounting of disclosures since {begin}: {len(lines)} lines"
        shown, version = (f"Patient/{patient}",), (record.version,)
        fact = trail.Fact(by.interaction, patient=patient, resources=shown, versions=version, detail=detail)
        acting.consult()  # the patient's right by law, whatever their consents say
        trail.record(by.to(by.interaction, "Patient"), [fact])
    return Accounting(patient, str(record), record.birth_date, begin, until, tuple(lines))


def enter(patient: str, said: dict[str, Any], by: AccessRequest) -> EnteredDisclosure:
    """Enter a disclosure that was made by other means. Raise ValidationError for one that says too little."""
    for name in ("recipient", "description", "purpose"):
        if not said.get(name, "").strip():
            raise ValidationError(f"Say the {name} (45 CFR 164.528(b)(2)).")
    if said["made_on"] > timezone.localdate():
        raise ValidationError("A disclosure was made today or earlier.")
    if not Patient.objects.filter(logical_id=patient).exists():
        raise ValidationError("There is no such patient.")
    with transaction.atomic():
        row = EnteredDisclosure.objects.create(patient=patient, entered_by=by.actor.name, **said)
        named = (f"EnteredDisclosure/{row.pk}",)
        fact = trail.Fact(
            "create", patient=patient, resources=named, versions=(0,), detail="disclosure entered by hand"
        )
        trail.record(by.to("create", "Accounting"), [fact])
    return row


def years_before(day: date, years: int) -> date:
    """The same day so many years earlier; the first of March for a day that there was not then."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return date(day.year - years, 3, 1)


def disclosing(patient: str, since: date) -> Any:
    """The events in which the patient's records left for a purpose that is accounted for."""
    begin = datetime.combine(since, datetime.min.time(), timezone.get_current_timezone())
    rows: Any = AccessEvent.objects.filter(patient=patient, time__gte=begin, outcome="success", action__in=GIVEN)
    return rows.exclude(purpose__in=purposes.LEFT_OUT).exclude(actor_kind="system").order_by("time")


def _from_trail(patient: str, since: date) -> Iterable[Line]:
    found: dict[tuple[str, str, str], list[AccessEvent]] = {}
    for event in disclosing(patient, since).iterator():
        found.setdefault((event.actor_kind, event.actor_id, event.purpose), []).append(event)
    addresses = _addresses({events[-1].actor for events in found.values()})
    return [_line(events, addresses) for events in found.values()]


def _line(events: list[AccessEvent], addresses: dict[str, str]) -> Line:
    first, last = (timezone.localtime(event.time).date() for event in (events[0], events[-1]))
    name = events[-1].actor
    purpose = purposes.in_words(events[-1].purpose)
    return Line(first, last, len(events), name, addresses.get(name.casefold(), ""), _described(events), purpose)


def _described(events: list[AccessEvent]) -> str:
    """Which kinds of record, each with the number of records that were given, however often."""
    given = {name for event in events for name in event.resources}
    kinds = Counter(name.partition("/")[0] for name in given)
    said = [
        f"{TITLES.get(kind, kind)} ({count})" if count > 1 else TITLES.get(kind, kind)
        for kind, count in sorted(kinds.items())
    ]
    return ", ".join(said) or "Record of the patient"


TITLES = {
    "Patient": "Demographic data", "Immunization": "Immunizations", "DocumentReference": "Document descriptions",
    "Binary": "Documents", "Provenance": "Origin of records", "Consent": "Consents",
}  # fmt: skip


def _addresses(names: set[str]) -> dict[str, str]:
    """The addresses of those recipients that the directory has as organizations under the same name."""
    found = {}
    for row in Organization.objects.live().filter(name__in=names).prefetch_related("addresses"):
        first = row.addresses.first()
        found[row.name.casefold()] = str(first) if first else ""
    return found


def _entered(patient: str, since: date) -> Iterable[Line]:
    for row in EnteredDisclosure.objects.filter(patient=patient, made_on__gte=since):
        words = (str(each or "") for each in (row.recipient, row.address, row.description, row.purpose))
        yield Line(row.made_on, row.made_on, 1, *words)
