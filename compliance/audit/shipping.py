"""Brings statements to the places outside the database, in order; a place that is down gets them later."""

import logging
from datetime import datetime, timedelta

from django.db.models import F, QuerySet
from django.db.models.functions import Mod
from django.utils import timezone

from compliance.audit.findings import Report
from compliance.audit.heads import EPOCH, Head
from compliance.audit.models import AuditSeal, AuditShipment
from compliance.audit.places import Place, PlaceFault, places

log = logging.getLogger(__name__)

AT_ONCE = 500  # statements of one delivery
COMPARED = 3000  # newest statements that a verification compares, two days of them; older ones one in OLDER
OLDER = 1440
LAGGING = 3600.0  # seconds that a place may lack a statement before that is a finding; `audit status` is stricter


def ship() -> list[AuditShipment]:
    """Deliver what each place lacks; a fault is kept in the place's row, shown by `audit status`, and tried again."""
    return [_deliver(place) for place in places()]


def _deliver(place: Place) -> AuditShipment:
    state, _ = AuditShipment.objects.get_or_create(place=place.name)
    if state.shipped_at and timedelta() <= timezone.now() - state.shipped_at < timedelta(seconds=place.at_most_every):
        return state
    try:
        while waiting := [Head.of(row) for row in _rows().filter(number__gt=state.number)[:AT_ONCE]]:
            place.put(waiting)
            state.number, state.shipped_at, state.fault = waiting[-1].row.number, timezone.now(), ""
            state.save()
    except PlaceFault as fault:
        log.error("The %s of the audit trail: %s", place.name, fault)
        state.fault = str(fault)
        state.save()
    return state


def lag(state: AuditShipment) -> float:
    """For how many seconds the oldest statement that a place lacks has waited."""
    oldest = _rows().filter(number__gt=state.number).values_list("time", flat=True).first()
    return (timezone.now() - oldest).total_seconds() if oldest else 0.0


def compare(report: Report, since: datetime | None = None) -> None:
    """Add a finding for each statement that a place holds otherwise than the database, or beyond its end."""
    for place in places():
        try:
            _compare(place, report, since)
        except PlaceFault as fault:
            report.found("place", f"The {place.name} could not be compared: {fault}")


def _compare(place: Place, report: Report, since: datetime | None) -> None:
    state = AuditShipment.objects.filter(place=place.name).first() or AuditShipment(place=place.name)
    newest = _rows().last()
    chosen = _rows().filter(number__gt=newest.number - COMPARED) if newest else _rows()
    older = _rows().annotate(rest=Mod(F("number"), OLDER)).filter(rest=0)
    rows = {row.number: row for row in [*older, *(chosen.filter(time__gte=since) if since else chosen)]}
    compared = 0
    for head, held in place.held(Head.of(rows[number]) for number in sorted(rows)):
        compared += held is not None
        if held is not None and held != head.document():
            text = f"The {place.name} holds another statement {head.row.number} than the database."
            report.found(place.name, text, statement=head.row.number, sealed=f"{head.row.time:%Y-%m-%dT%H:%M:%SZ}")
        elif held is None and head.row.number <= state.number:
            text = f"The {place.name} has lost statement {head.row.number}."
            report.found(place.name, text, statement=head.row.number)
    report.compared[place.name] = compared
    _beyond(place, report)
    _lost(place, report)
    _waiting(place, state, report)


def _beyond(place: Place, report: Report) -> None:
    """Find statements that the database has not got; one that is made and shipped meanwhile is none of them."""
    number = -1
    while (newest := _newest())[1] > number:
        epoch, number = newest
        if not place.beyond(epoch, number):
            return
    text = f"The {place.name} holds statements after {number}: the database has lost its newest, or is old."
    report.found(place.name, text, statement=number)


def _newest() -> tuple[int, int]:
    """Epoch and number of the newest statement; of none, the first epoch and 0."""
    return _rows().values_list("epoch", "number").last() or (1, 0)


def _lost(place: Place, report: Report) -> None:
    """Note what a restore lost: a new epoch is signed, and yet the places know more of the one before."""
    for head in map(Head.of, _rows().filter(kind=EPOCH)):
        epoch, number = head.row.epoch, head.row.number - 1
        if place.beyond(epoch - 1, number):
            report.notes.append(
                f"The {place.name} holds statements of epoch {epoch - 1} after {number}: what they sealed was lost "
                f"when epoch {epoch} began ({head.said.get('reason')})."
            )


def _waiting(place: Place, state: AuditShipment, report: Report) -> None:
    """A place that lags is a fault after a while: what it has not got, it cannot prove."""
    seconds = lag(state)
    text = f"Statements wait for the {place.name} for {seconds:.0f} seconds. {state.fault}".rstrip()
    if seconds > place.at_most_every + LAGGING:
        report.found(place.name, text)
    elif state.fault:
        report.notes.append(text)


def _rows() -> QuerySet[AuditSeal]:
    return AuditSeal.objects.using("sealer").defer("leaves").order_by("number")
