"""What every page says to operators about notices: that nobody would be told, and what could not be delivered."""

from datetime import timedelta

from django.core.cache import cache
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from healthrecords.access.policy import permit
from healthrecords.cli import counted
from healthrecords.console.minutes import asked_of
from healthrecords.console.notices import Notice
from healthrecords.notify.delivering import MAIL
from healthrecords.notify.models import Channel, Delivery, State

NOBODY = "Nobody would be told of trouble: there is no channel, and no mail server (HEALTHCARE_SMTP_URL)."


def notices(request: HttpRequest) -> list[Notice]:
    """What whoever may set up channels should mind."""
    if not permit(asked_of(request, "create", "Operations")).permitted:
        return []
    said = []
    if cache.get(MAIL) is False and not Channel.objects.filter(enabled=True).exists():
        said.append(Notice(NOBODY, address=reverse("admin:healthrecords_channel_add"), link="Add a channel"))
    since = timezone.now() - timedelta(days=1)
    if failed := Delivery.objects.filter(state=State.FAILED, ended_at__gt=since).count():
        text = f"{counted(failed, 'message')} to people could not be delivered in the last 24 hours."
        address = f"{reverse('admin:healthrecords_notice_changelist')}?state=failed"
        said.append(Notice(text, "error", address, "See which"))
    return said
