"""What `health external` asks about notices: whether anybody would be told, and whether what was told arrived."""

from datetime import timedelta

from django.core.cache import cache
from django.utils import timezone

from healthrecords.cli import counted
from healthrecords.notify.delivering import MAIL
from healthrecords.notify.models import Channel, Delivery, State
from ops.health.registry import NotConfigured, Problem, check

LATE = timedelta(minutes=15)  # that a first try may take
STEP = "Read why in the console (Notices) or by `notify list`; `notify test CHANNEL` tries a channel."


@check("notices", "external", limit=3, needs="database", next_step=STEP)
def delivered() -> str:
    """Whether messages to people arrive: none given up in the last 24 hours, none without a try for long."""
    now = timezone.now()
    failed = Delivery.objects.filter(state=State.FAILED, ended_at__gt=now - timedelta(days=1)).order_by("ended_at")
    if first := failed.first():
        text = f"{counted(failed.count(), 'message')} to people could not be delivered in the last 24 hours."
        raise Problem(text, since=first.ended_at)
    late = Delivery.objects.filter(state=State.WAITING, tries=0, next_at__lt=now - LATE).order_by("next_at")
    if oldest := late.first():
        raise Problem("Messages to people wait, and nobody sends them.", "Start the worker.", oldest.next_at)
    return _ways()


def _ways() -> str:
    ways = Channel.objects.filter(enabled=True).count()
    if not ways and not _may_mail():
        raise NotConfigured("Nobody would be told: there is no channel (`notify add`) and no HEALTHCARE_SMTP_URL.")
    return f"{counted(ways, 'channel')}; nothing was given up in the last 24 hours."


def _may_mail() -> bool:
    """Whether the worker has a mail server, as it said last; a cache that does not answer is another check's."""
    try:
        return cache.get(MAIL) is not False
    except Exception:
        return True
