"""Who got a lot: the list of a recall, as rows and as CSV. Each patient listed leaves a row in the trail."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from healthrecords import spreadsheet, trail
from healthrecords.access import policy
from healthrecords.access.request import AccessRequest, Disclosure
from immunizations.codes import lookup
from immunizations.models import Immunization, Status, lot_code_of
from immunizations.stock.following import vaccine_of
from immunizations.stock.listing import vaccine_name
from immunizations.stock.matching import Likeness, likeness, lot_code
from patients.models import Patient, PatientTelecom


@dataclass(frozen=True)
class Wanted:
    """The lot that is asked for; vaccine and manufacturer may be empty, and then everything with its number is."""

    lot_number: str
    cvx: str = ""
    mvx: str = ""


@dataclass(frozen=True)
class Recipient:
    """One dose of the lot, and whom to call. `match` is `possible` where a person should look at the record.

    A dose whose patient is not recorded here, or was deleted, is listed all the same: it was given to somebody.
    """

    name: str
    birth_date: str
    phone: str
    patient: str
    vaccine: str
    lot_number: str
    given: str
    location: str
    match: Likeness
    immunization: str


def recipients(wanted: Wanted, asked: AccessRequest, export: bool = False) -> list[Recipient]:
    """Return the doses of a lot that the asker may see, certain ones first, then by name.

    Leaves one row for each patient listed, or one row where nobody is; as `export` where the list leaves as a file.
    """
    with transaction.atomic():
        found = list(_doses(wanted, asked))
        ids = {dose.patient_id for dose, _ in found}
        people = _people(ids, asked)
        listed = people.keys() | _without_record(ids)
        doses = [(dose, match) for dose, match in found if dose.patient_id in listed]
        _disclose(wanted, [dose for dose, _ in doses], people, asked, export)
        phones = _phones(people.values())
    rows = [_row(dose, people.get(dose.patient_id), phones, match) for dose, match in doses]
    return sorted(rows, key=lambda row: (row.match != "certain", row.name.casefold(), row.patient, row.given))


def as_csv(rows: Sequence[Recipient]) -> str:
    """Return the list as CSV, safe for spreadsheets."""
    names = [each.name for each in fields(Recipient)]
    return spreadsheet.as_csv(names, ([getattr(row, name) for name in names] for row in rows))


def _doses(wanted: Wanted, asked: AccessRequest) -> Iterator[tuple[Immunization, Likeness]]:
    rows = policy.visible(Immunization.objects.live(), asked.to("search", "Immunization"))
    same = _with_code(rows.filter(status=Status.COMPLETED), lot_code(wanted.lot_number))
    for dose in same.select_related("location"):
        vaccine = vaccine_of(dose.cvx, dose.ndc)
        match = likeness((wanted.cvx, wanted.mvx), (vaccine, dose.mvx), _same_group(wanted.cvx, vaccine))
        if match != "other":
            yield dose, match


def _with_code(rows: "QuerySet[Any]", code: str) -> "QuerySet[Any]":
    """Those whose lot number compares as `code`; the index immunization_by_lot_code answers it."""
    same = rows.annotate(lot_code=lot_code_of("lot_key")).filter(lot_code=code)
    return same.exclude(lot_key="") if code else rows.none()


def _same_group(one: str, other: str) -> bool:
    groups = [{group.name for group in lookup.groups_of(cvx)} for cvx in (one, other)]
    return bool(groups[0] & groups[1])


def _people(ids: set[str], asked: AccessRequest) -> dict[str, Patient]:
    rows = policy.visible(Patient.objects.live(), asked.to("search", "Patient"))
    return {row.logical_id: row for row in rows.filter(logical_id__in=ids)}


def _without_record(ids: set[str]) -> set[str]:
    """Those of whom there is no record to be seen by anybody."""
    return ids - set(Patient.objects.live().filter(logical_id__in=ids).values_list("logical_id", flat=True))


def _phones(people: Iterable[Patient]) -> dict[Any, str]:
    """The first phone number of each that is in use."""
    rows = PatientTelecom.objects.filter(record__in=list(people), system="phone").exclude(use="old")
    return {row.record_id: row.value for row in reversed(rows.order_by("position", "uuid"))}


NO_RECORD = "No patient record here"


def _row(dose: Immunization, person: Patient | None, phones: dict[Any, str], match: Likeness) -> Recipient:
    vaccine = dose.vaccine_text or (vaccine_name(dose.cvx) if dose.cvx else dose.ndc)
    place = str(dose.location or dose.location_id or "") if dose.location_id else ""
    return Recipient(
        str(person) if person else NO_RECORD,
        person.birth_date if person else "",
        phones.get(person.pk, "") if person else "",
        dose.patient_id,
        vaccine,
        dose.lot_number,
        dose.occurred or dose.occurred_text,
        place,
        match,
        dose.logical_id,
    )


def _disclose(
    wanted: Wanted, doses: Sequence[Immunization], people: dict[str, Patient], asked: AccessRequest, export: bool
) -> None:
    action = "export" if export else "search"
    listed = {dose.patient_id for dose in doses}
    shown = [
        Disclosure("Immunization", [(dose.logical_id, dose.version, dose.patient_ids()) for dose in doses]),
        Disclosure("Patient", [(key, person.version, [key]) for key, person in people.items() if key in listed]),
    ]
    facts = trail.disclosed(action, shown, detail=f"who got lot {wanted.lot_number[:40]}")
    trail.record(asked.to(action, "Immunization"), facts)
