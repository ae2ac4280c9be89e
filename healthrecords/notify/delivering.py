"""Send what waits: each delivery is claimed for a while, tried, recorded; again later with backoff, or given up.

At least once: a process that dies between the sending and the record leaves a claim that runs out, and the message
goes out once more, under the same id. Never twice at the same time: a claim outlasts the time that sending may take.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from healthrecords.notify import outbox, sending
from healthrecords.notify.models import Delivery, State
from healthrecords.notify.wording import message

log = logging.getLogger(__name__)

TRIES = 10  # then it is given up, after about four hours
LONGEST_WAIT = 60  # minutes
CLAIM = timedelta(seconds=2 * sending.SECONDS)
MAIL = "notify:mail"  # whether the process that sends has a mail server: the web processes have none to ask
RUNNING = "notify:sending"  # the key of the one run; it lasts as long as a claim, and is renewed for each message


def send_waiting() -> tuple[int, int]:
    """Send what is due; return how many were taken and how many tries failed.

    One run at a time, and in it a channel that fails is left alone: one that hangs costs one time limit a minute.
    """
    sent, down = 0, set[UUID | None]()
    with _alone() as may:
        while may and (ways := _due_ways() - down):
            for way in ways:
                taken, works = _send_by(way)
                sent += taken
                down |= set() if works else {way}
    return sent, len(down)


def attempt(delivery: Delivery) -> bool:
    """Send a claimed delivery and record how it ended; whether it was taken."""
    channel = delivery.channel
    try:
        address = str(channel.address) if channel else sending.BY_DEFAULT
        note = sending.send(address, message(delivery.notice))
    except Exception as fault:  # whatever a channel does, the others go on
        _failed(delivery, str(fault) if isinstance(fault, sending.NotTaken) else f"{type(fault).__name__} here.")
        return False
    _record(delivery, state=State.SENT, ended_at=timezone.now(), reason=note)
    return True


def claim(**which: Any) -> Delivery | None:
    """Take the delivery that has been due longest, for longer than sending may take; None where none is due."""
    now = timezone.now()
    with transaction.atomic():
        due = Delivery.objects.select_for_update(skip_locked=True).filter(state=State.WAITING, next_at__lte=now)
        found = due.filter(**which).order_by("next_at", "uuid").first()
        if found:
            found.tries, found.next_at = found.tries + 1, now + CLAIM
            found.save(update_fields=["tries", "next_at"])
    return found


def wait_after(tries: int) -> timedelta:
    """How long to wait after so many tries: one minute, two, four, up to an hour."""
    return timedelta(minutes=min(2 ** (tries - 1), LONGEST_WAIT))


def _due_ways() -> set[UUID | None]:
    """Route what is new; the channels with something due."""
    outbox.route()
    due = Delivery.objects.filter(state=State.WAITING, next_at__lte=timezone.now())
    return set(due.values_list("channel_id", flat=True).distinct())


def _send_by(way: UUID | None) -> tuple[int, bool]:
    """Send what is due by a channel until a try fails; how many were taken, and whether none failed."""
    which = {"channel_id": way} if way else {"channel": None}
    sent = 0
    while found := claim(**which):
        _keep_others_out(CLAIM.seconds)
        if not attempt(found):
            return sent, False
        sent += 1
    return sent, True


def _failed(delivery: Delivery, reason: str) -> None:
    given_up = delivery.tries >= TRIES
    log.warning("%s was not taken by %s: %s", delivery.notice.event, delivery.channel_name, reason)
    if given_up:
        _record(delivery, state=State.FAILED, ended_at=timezone.now(), reason=reason)
    else:
        _record(delivery, next_at=timezone.now() + wait_after(delivery.tries), reason=reason)


def _record(delivery: Delivery, **said: Any) -> None:
    """Write how a try ended, unless the claim ran out and somebody else has tried since."""
    Delivery.objects.filter(pk=delivery.pk, state=State.WAITING, tries=delivery.tries).update(**said)


@contextmanager
def _alone() -> Iterator[bool]:
    """Whether no other run sends now. Without the cache all may run: claims keep them from doing the same."""
    try:
        first = cache.add(RUNNING, 1, timeout=CLAIM.seconds)
        cache.set(MAIL, settings.MAIL_IS_SET, timeout=3600)
    except Exception:
        log.warning("The cache does not answer: two runs may send at the same time, each its own messages.")
        first = True
    try:
        yield first
    finally:
        if first:
            _keep_others_out(0)


def _keep_others_out(seconds: int) -> None:
    """Let no other run begin for so long; a process that dies keeps them out no longer than its claim."""
    with suppress(Exception):  # a cache that does not answer
        cache.set(RUNNING, 1, timeout=seconds)
