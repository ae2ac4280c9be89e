"""Keep what was heard of alerts, and tell people: when one begins to fire, when it ends, and again while it lasts."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from healthrecords.notify import tell
from healthrecords.notify.outbox import FACT

from .models import Alert, Watchdog
from .reading import WATCHDOG, Heard

REMIND = timedelta(hours=4)
SILENT = timedelta(minutes=15)  # of the watchdog; Alertmanager posts it every few minutes
KEPT = timedelta(days=400)
WHICH = ("job", "instance", "queue", "place", "kind")  # the labels that a message names


def hear(alerts: Iterable[Heard]) -> None:
    """Write down alerts, each in its own transaction, and tell what is new."""
    for alert in alerts:
        if alert.name == WATCHDOG:
            _heard_watchdog(alert)
        else:
            _hear(alert)


def watch(now: datetime | None = None) -> timedelta | None:
    """The dead man's switch: tell when Alertmanager has fallen silent. Return for how long, None while all is well.

    It is waited for where HEALTHCARE_ALERTMANAGER says that there is one, or once it was heard.
    """
    now = now or timezone.now()
    if settings.ALERTMANAGER:
        Watchdog.objects.get_or_create(number=1, defaults={"heard_at": now})
    silence = now - (Watchdog.last_heard() or now)
    if silence < SILENT:
        return None
    minutes = int(silence.total_seconds() // 60)
    tell("alerting.silent", "critical", "Alertmanager was not heard for {minutes} minutes: no alert would arrive.",
         minutes=minutes)  # fmt: skip
    return silence


def forget(now: datetime | None = None) -> int:
    """Remove alerts that ended more than 400 days ago; return how many."""
    return Alert.objects.filter(ended_at__lt=(now or timezone.now()) - KEPT).delete()[0]


@transaction.atomic
def _hear(heard: Heard) -> None:
    now = timezone.now()
    alert, is_new = Alert.objects.select_for_update().get_or_create(
        fingerprint=heard.fingerprint, started_at=heard.started,
        defaults={"name": heard.name, "severity": heard.severity, "heard_at": now},
    )  # fmt: skip
    ends = heard.ended is not None and alert.ended_at is None
    alert.severity, alert.labels, alert.summary, alert.runbook = (
        heard.severity, heard.labels, heard.summary, heard.runbook,
    )  # fmt: skip
    alert.heard_at, alert.ended_at = now, alert.ended_at or heard.ended
    if ends and not is_new:
        _tell("alert.resolved", alert)
    elif not alert.ended_at and (alert.told_at is None or now - alert.told_at >= REMIND):
        _tell("alert.firing", alert)
        alert.told_at = now
    alert.save()


def _tell(event: str, alert: Alert) -> None:
    which = {name: alert.labels[name] for name in WHICH if FACT.fullmatch(alert.labels.get(name, ""))}
    is_over = event == "alert.resolved"
    tell(event, alert.severity, "{alert} is over." if is_over else "{alert} fires.", alert=alert.name, **which)


@transaction.atomic
def _heard_watchdog(alert: Heard) -> None:
    """Note that alerting lives; tell that it is back, where its silence was told."""
    now = timezone.now()
    before = Watchdog.objects.select_for_update().first()
    if before and now - before.heard_at >= SILENT:
        tell("alerting.back", "critical", "Alertmanager is heard again.")
    if alert.ended is None:
        Watchdog.objects.update_or_create(number=1, defaults={"heard_at": now})
