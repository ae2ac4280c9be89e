"""Gathers the facts that the rules judge: the day's looks from the trail, and what there is to compare them with.

It reads the charts of everybody who was looked at, for the rules alone; what leaves it is a finding without any value.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Q
from django.utils import timezone

from compliance.phi_access.models import AccessEvent
from compliance.review import rules
from compliance.review.models import WatchedPatient
from documents.models import DocumentReference
from healthrecords.accounts.models import User
from healthrecords.text import fold, search_key
from immunizations.models import Immunization
from patients.models import Patient, PatientAddress, PatientName, PatientTelecom

OPENS = ("read", "history", "export")  # a row in a list is not yet an opened chart
WRITES = ("create", "update", "delete")
CHUNK = 1000  # patients whose facts are read at once


def bounds(day: date) -> tuple[datetime, datetime]:
    """The instants between which a local day lies."""
    zone = timezone.get_current_timezone()
    begin = datetime.combine(day, time(), zone)
    return begin, datetime.combine(day + timedelta(days=1), time(), zone)


def days(day: date, limits: rules.Limits) -> list[tuple[rules.Day, dict[str, list[UUID]]]]:
    """What each person opened on `day`, and for each patient the events that show it."""
    rows = _rows(day)
    people = _people({row["actor_id"]: row["name"] for row in rows})
    patients = _patients({row["patient"] for row in rows}, day, limits)
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        if row["times"] and row["actor_id"] in people:
            found[row["actor_id"]].append(row)
    return [
        (
            rules.Day(people[key], tuple(_look(people[key], patients[row["patient"]], row) for row in mine)),
            {row["patient"]: row["events"] for row in mine},
        )
        for key, mine in found.items()
    ]


def _rows(day: date) -> list[dict[str, Any]]:
    """One row for each person and patient: when the chart was opened, how often it was written in, the events."""
    begin, end = bounds(day)
    opened, wrote = Q(action__in=OPENS), Q(action__in=WRITES)
    rows: Any = AccessEvent.objects.filter(time__gte=begin, time__lt=end, actor_kind="user", outcome="success")
    return list(
        rows.filter(opened | wrote, patient__isnull=False)
        .order_by()
        .values("actor_id", "patient")
        .annotate(
            name=ArrayAgg("actor", order_by="-time"),
            times=ArrayAgg("time", filter=opened, order_by="time", default=[]),
            events=ArrayAgg("uuid", filter=opened, order_by="time", default=[]),
            written=ArrayAgg("time", filter=wrote, default=[]),
        )
    )


def _look(person: rules.Person, patient: rules.Patient, row: dict[str, Any]) -> rules.Look:
    times = tuple(timezone.localtime(each) for each in row["times"])
    return rules.Look(person, patient, times, wrote=bool(row["written"]))


# --- People -------------------------------------------------------------------------------------------------------


def _people(named: dict[str, list[str]]) -> dict[str, rules.Person]:
    users = {str(user.pk): user for user in User.objects.filter(pk__in=named)}
    addresses = _own_addresses({user.email.casefold() for user in users.values()})
    people = {}
    for key, names in named.items():
        email = users[key].email.casefold() if key in users else ""
        given, _, family = fold(names[0]).rpartition(" ")
        common = _namesakes(family)
        people[key] = rules.Person(key, names[0], given, family, email, addresses.get(email, frozenset()), common)
    return people


def _namesakes(family: str) -> int:
    return PatientName.objects.filter(family_key=search_key([family])).count() if family else 0


def _own_addresses(emails: set[str]) -> dict[str, frozenset[str]]:
    """The addresses of the records that carry these e-mail addresses: the people's own."""
    rows = PatientTelecom.objects.filter(system="email", value_key__in=emails - {""})
    owners = dict(rows.values_list("record_id", "value_key"))
    found: dict[str, set[str]] = defaultdict(set)
    for row in PatientAddress.objects.filter(record__in=owners):
        found[owners[row.record_id]] |= {address for address in [_address(row)] if address}
    return {email: frozenset(each) for email, each in found.items()}


def _address(row: PatientAddress) -> str:
    """Street and postal code as one text; empty unless both are there."""
    street = fold(" ".join(filter(None, row.line)))
    return f"{street}|{row.postal_code_key}" if street and row.postal_code_key else ""


# --- Patients -----------------------------------------------------------------------------------------------------


def _patients(ids: set[str], day: date, limits: rules.Limits) -> dict[str, rules.Patient]:
    watched = set(WatchedPatient.objects.filter(pk__in=ids).values_list("pk", flat=True))
    every = sorted(ids)
    chunks = [every[at : at + CHUNK] for at in range(0, len(every), CHUNK)]
    return {patient.id: patient for chunk in chunks for patient in _chunk(chunk, watched, day, limits)}


def _chunk(ids: list[str], watched: set[str], day: date, limits: rules.Limits) -> Iterable[rules.Patient]:
    names = _gathered(PatientName, ids, lambda row: (fold(" ".join(filter(None, row.given))), fold(row.family)))
    emails = _gathered(PatientTelecom, ids, lambda row: row.value_key if row.system == "email" else None)
    addresses = _gathered(PatientAddress, ids, _address)
    cared_for = _cared_for(ids, day, limits.care_days)
    for key in ids:
        yield rules.Patient(key, names[key], emails[key], addresses[key], key in watched, key in cared_for)


def _gathered(model: Any, ids: list[str], told: Any) -> dict[str, frozenset[Any]]:
    found: dict[str, set[Any]] = defaultdict(set)
    for row in model.objects.filter(record__logical_id__in=ids).select_related("record"):
        if value := told(row):
            found[row.record.logical_id].add(value)
    return {key: frozenset(found[key]) for key in ids}


def _cared_for(ids: list[str], day: date, near: int) -> set[str]:
    """Those to whom something happened near `day`: registered, a dose or a document of that time or entered then."""
    begin, end = bounds(day)
    span = [begin - timedelta(days=near), end + timedelta(days=near)]
    entered = Q(created_at__range=span)
    found = set(Patient.objects.filter(entered, logical_id__in=ids).values_list("logical_id", flat=True))
    kinds: list[tuple[Any, Q]] = [
        (Immunization.objects.live(), Q(occurred_from__range=span)),
        (DocumentReference.objects.live(), Q(date_from__range=span)),
    ]
    for rows, happened in kinds:
        found |= set(rows.filter(entered | happened, patient_id__in=ids).values_list("patient_id", flat=True))
    return found
