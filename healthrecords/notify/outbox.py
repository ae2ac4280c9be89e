"""What is told goes into the outbox by one INSERT, which waits for nobody; `route` gives it its ways afterwards."""

import hashlib
import json
import logging
import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from healthrecords.notify.models import Channel, Delivery, Notice, Route, Severity

log = logging.getLogger(__name__)

ASKED = "notify:asked"
SAME = timedelta(hours=1)  # the same trouble within it is one notice with a count
KEPT = timedelta(days=400)
AT_ONCE = 500  # notices that one look at the outbox takes
LONGEST = 300  # characters of a summary
EVENT = re.compile(r"[a-z][a-z0-9-]*(\.[a-z0-9-]+)*")
FACT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+-]{0,127}")  # an id, a name of a job or a host, a time: no space, no @


def put(event: str, severity: str, summary: str, facts: Mapping[str, str | int]) -> Notice:
    """Write a notice; after the commit the worker is asked to send. What may be told: see `notify.tell`."""
    _refuse_what_may_be_personal(event, severity, facts)
    text = _filled(summary, facts)
    notice = Notice.objects.create(
        event=event, severity=severity, summary=text, facts=dict(facts), key=_key(event, severity, summary, facts)
    )
    transaction.on_commit(send_soon)
    return notice


def route(now: datetime | None = None) -> int:
    """Give each new notice its ways, or count it with the one that told the same; return how many are new."""
    now = now or timezone.now()
    with transaction.atomic():
        waiting = Notice.objects.select_for_update(skip_locked=True).filter(routed_at=None).order_by("told_at", "uuid")
        return sum(_routed(notice, now) for notice in waiting[:AT_ONCE])


def forget(now: datetime | None = None) -> int:
    """Remove notices older than 400 days; return how many."""
    gone = Notice.objects.filter(told_at__lt=(now or timezone.now()) - KEPT).delete()[1]
    return gone.get("healthrecords.Notice", 0)


def send_soon() -> None:
    """Have the worker send; if the queue cannot be reached, the timetable does it within the minute.

    A storm asks once: the worker takes the mark away when it begins.
    """
    from healthrecords.notify.tasks import send

    try:
        if cache.add(ASKED, 1, timeout=30):
            send.apply_async(retry=False, expires=60)
    except Exception:  # whatever is wrong with the queue, the work goes on
        log.warning("A notice could not be handed to the queue; the next minute's run sends it.")


def _routed(notice: Notice, now: datetime) -> bool:
    if _counted(notice, now):
        notice.delete()
        return False
    ways = [Delivery(notice=notice, channel=channel) for channel in ways_of(notice)]
    Delivery.objects.bulk_create(ways)
    notice.routed_at = now
    notice.save(update_fields=["routed_at"])
    return True


def _counted(notice: Notice, now: datetime) -> bool:
    """Count it with the notice of the last hour that told the same, if there is one."""
    told = Notice.objects.select_for_update().filter(key=notice.key, routed_at__gt=now - SAME).first()
    if told is None:
        return False
    told.count, told.last_at, told.facts, told.summary = told.count + 1, notice.told_at, notice.facts, notice.summary
    told.save(update_fields=["count", "last_at", "facts", "summary"])
    return True


def ways_of(notice: Notice) -> list[Channel | None]:
    """The channels whose routes take it; where none does, None: operators by mail, but for what is only info."""
    routes = Route.objects.filter(channel__enabled=True).select_related("channel")
    found: list[Channel | None] = list(
        {each.channel_id: each.channel for each in routes if each.takes(notice)}.values()
    )
    by_mail = settings.MAIL_IS_SET and notice.severity != Severity.INFO
    return found or ([None] if by_mail else [])


def _refuse_what_may_be_personal(event: str, severity: str, facts: Mapping[str, str | int]) -> None:
    if not EVENT.fullmatch(event):
        raise ValueError(f"An event is a dotted word such as backup.failed, not {event!r}.")
    if severity not in Severity.values:
        raise ValueError(f"A severity is one of {', '.join(Severity.values)}, not {severity!r}.")
    for name, value in facts.items():
        if not (isinstance(value, int) or (isinstance(value, str) and FACT.fullmatch(value))):
            raise ValueError(f"The fact {name} of {event} is neither a whole number nor a plain identifier.")


def _filled(summary: str, facts: Mapping[str, str | int]) -> str:
    try:
        text = summary.format_map(facts)
    except (KeyError, IndexError, ValueError, AttributeError):
        raise ValueError(f"The summary {summary!r} names a fact that is not given.") from None
    if not (0 < len(text) <= LONGEST and text.isprintable()):
        raise ValueError(f"A summary is one sentence of at most {LONGEST} printable characters.")
    return text


def _key(event: str, severity: str, summary: str, facts: Mapping[str, str | int]) -> bytes:
    """What is the same for the same trouble: the numbers are left out."""
    named = sorted((name, value) for name, value in facts.items() if isinstance(value, str))
    return hashlib.sha256(json.dumps([event, severity, summary, named]).encode()).digest()
