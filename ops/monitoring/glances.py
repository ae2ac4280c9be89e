"""What operators see first on the home page: is the server well, how old are backup and proof, did notices arrive."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from healthrecords.access.policy import permit
from healthrecords.console.glances import Glance
from healthrecords.console.minutes import asked_of
from healthrecords.health import status_of
from healthrecords.notify.models import Delivery, State
from ops.health import readiness
from ops.monitoring.history.chart import said
from ops.proof.models import Backups

AHEAD = timedelta(minutes=5)  # how far two clocks may differ


def health(request: HttpRequest) -> Iterator[Glance]:
    """Whether each part answers, asked now."""
    if not permit(asked_of(request, "search", "Operations")).permitted:
        return
    parts = readiness.report()
    failed = ", ".join(name for name, part in parts.items() if not part["ok"])
    state = {"ok": "good", "degraded": "caution"}.get(status_of(parts), "grave")
    text = f"No answer: {failed}" if failed else "Every part answers"
    yield Glance("Health", text, reverse("admin:ops_healthstate_changelist"), state, ", ".join(parts))


def backups(request: HttpRequest) -> Iterator[Glance]:
    """How old the newest backup and the last proven restore are."""
    if not permit(asked_of(request, "search", "Backup")).permitted:
        return
    found = Backups.published() or {}
    newest, proof = found.get("newest") or {}, found.get("proof") or {}
    yield _aged("Newest backup", newest.get("stopped"), settings.BACKUP_MAX_HOURS)
    yield _aged("Last proven restore", proof.get("time"), settings.BACKUP_PROOF_MAX_HOURS)


def notices(request: HttpRequest) -> Iterator[Glance]:
    """Whether what people were to be told reached them."""
    if not permit(asked_of(request, "search", "Operations")).permitted:
        return
    lost = Delivery.objects.filter(state=State.FAILED, ended_at__gt=timezone.now() - timedelta(days=1)).count()
    waiting = Delivery.objects.filter(state=State.WAITING).count()
    text = f"{lost} given up" if lost else "All delivered" if not waiting else f"{waiting} on the way"
    yield Glance("Notices", text, reverse("admin:healthrecords_notice_changelist"), "grave" if lost else "good")


def _aged(title: str, time: str | None, hours: int) -> Glance:
    address = reverse("admin:ops_backups_changelist")
    if not time:
        return Glance(title, "None yet", address, "grave")
    age = timezone.now() - datetime.fromisoformat(time)
    if age < -AHEAD:
        return Glance(title, "Dated in the future", address, "grave", "the clock is wrong, or was")
    state = "good" if age <= timedelta(hours=hours) else "grave"
    return Glance(title, f"{said(age.total_seconds(), 's')} ago", address, state, f"at most {hours} hours")
