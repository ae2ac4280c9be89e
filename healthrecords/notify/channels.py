"""Set up whom notices go to. Each change leaves its row in the trail, in the same transaction, without the address."""

import re
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from healthrecords import trail
from healthrecords.access.request import AccessRequest
from healthrecords.accounts.people import find_role
from healthrecords.notify import delivering, kinds, outbox, sending
from healthrecords.notify.models import Channel, Delivery, Notice, Route, Severity, State

SUBJECT = "Operations"
TEST = "notify.test"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,39}")


def add(name: str, address: str, severities: Iterable[str], event: str, by: AccessRequest) -> Channel:
    """Make a channel that is told notices of these severities (none named: of every one); raise ValidationError."""
    if not _NAME.fullmatch(name):
        raise ValidationError("A channel's name is one word of letters, digits and hyphens, such as oncall-chat.")
    _check(address)
    with transaction.atomic():
        if Channel.objects.filter(name=name).exists():
            raise ValidationError(f"There is a channel {name} already.")
        channel = Channel.objects.create(name=name, service=kinds.title_of(address), address=address)
        _record("create", channel, channel.service, by)
        for severity in severities or [""]:
            add_route(channel, severity, event, by)
    return channel


def change_address(channel: Channel, address: str, by: AccessRequest) -> None:
    """Put another address in the place of the one that nobody sees."""
    _check(address)
    with transaction.atomic():
        channel.address, channel.service = address, kinds.title_of(address)
        channel.save(update_fields=["address", "service"])
        _record("update", channel, f"another address: {channel.service}", by)


def enable(channel: Channel, by: AccessRequest) -> bool:
    """Use a channel again; False when it was in use."""
    return _switch(channel, True, by)


def disable(channel: Channel, by: AccessRequest) -> bool:
    """Use a channel no longer, and give up what waits for it; False when it was so already."""
    with transaction.atomic():
        waiting = Delivery.objects.filter(channel=channel, state=State.WAITING)
        waiting.update(state=State.FAILED, ended_at=timezone.now(), reason="The channel was disabled.")
        return _switch(channel, False, by)


def add_route(channel: Channel, severity: str, event: str, by: AccessRequest) -> bool:
    """Tell a channel notices of a severity, and of events that begin with `event`; empty is any. False: it was so."""
    if severity and severity not in Severity.values:
        raise ValidationError(f"A severity is one of {', '.join(Severity.values)}.")
    if event and not outbox.EVENT.fullmatch(event):
        raise ValidationError("An event is a dotted word such as backup.failed, or its beginning, such as backup.")
    with transaction.atomic():
        route, is_new = Route.objects.get_or_create(channel=channel, severity=severity, event=event)
        if is_new:
            _record("update", channel, f"is told {route}", by)
    return is_new


def remove_route(channel: Channel, key: str, by: AccessRequest) -> bool:
    """Tell a channel less; False when there is no such route."""
    with transaction.atomic():
        route = channel.routes.filter(pk=key).first() if key.isdecimal() else None
        if route:
            _record("update", channel, f"is no longer told {route}", by)
            route.delete()
    return route is not None


def test(channel: Channel, by: AccessRequest) -> Delivery:
    """Put a test message for a channel into the outbox, and ask the worker to send; return its delivery."""
    with transaction.atomic():
        delivery = _tested(channel, by)
        transaction.on_commit(outbox.send_soon)
    return delivery


def test_now(channel: Channel, by: AccessRequest) -> Delivery:
    """Send a test message through a channel here and now; return its delivery as it is afterwards."""
    delivery = _tested(channel, by, tries=1, next_at=timezone.now() + delivering.CLAIM)  # no worker takes it meanwhile
    delivering.attempt(delivery)
    delivery.refresh_from_db()
    return delivery


def again(delivery: Delivery, by: AccessRequest) -> bool:
    """Try again what was given up; False when it was not, or its channel is disabled."""
    with transaction.atomic():
        given_up = Delivery.objects.filter(pk=delivery.pk, state=State.FAILED).exclude(channel__enabled=False)
        done = given_up.update(state=State.WAITING, tries=0, next_at=timezone.now(), ended_at=None)
        if done:
            fact = trail.Fact("update", resources=(f"Notice/{delivery.notice_id}",), versions=(0,), detail="sent again")
            trail.record(by.to("update", SUBJECT), [fact])
            transaction.on_commit(outbox.send_soon)
    return bool(done)


def named(name: str) -> Channel:
    """The channel of that name; raise ValidationError where there is none."""
    if found := Channel.objects.filter(name=name).first():
        return found
    raise ValidationError(f"There is no channel {name}; notify list shows those that there are.")


def _check(address: str) -> None:
    kinds.refuse_bad(address)
    if address.startswith("role:"):
        for role in address.partition(":")[2].split(","):
            find_role(role)
    try:
        sending.check(address)
    except sending.NotTaken as fault:
        raise ValidationError(str(fault)) from None


@transaction.atomic
def _tested(channel: Channel, by: AccessRequest, **claimed: Any) -> Delivery:
    text = f"This is a test of the channel {channel.name}."
    notice = Notice.objects.create(event=TEST, severity=Severity.INFO, summary=text, key=b"", routed_at=timezone.now())
    _record("update", channel, "was tested", by)
    return Delivery.objects.create(notice=notice, channel=channel, **claimed)


def _switch(channel: Channel, enabled: bool, by: AccessRequest) -> bool:
    with transaction.atomic():
        changed = Channel.objects.filter(pk=channel.pk, enabled=not enabled).update(enabled=enabled)
        if changed:
            _record("update", channel, "enabled" if enabled else "disabled", by)
    return bool(changed)


def _record(action: str, channel: Channel, detail: str, by: AccessRequest) -> None:
    fact = trail.Fact(action, resources=(f"Channel/{channel.pk}",), versions=(0,), detail=f"{channel.name}: {detail}")
    trail.record(by.to(action, SUBJECT), [fact])
