"""A notice in words: what a mail, a chat and a text message say of it. Ids and counts alone; the page tells more."""

from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse

from healthrecords.notify.models import Notice, Severity

NOBODY = "This message names nobody. The same id in two messages is the same notice."


@dataclass(frozen=True)
class Message:
    """`brief` is for where a title or many lines have no room; `id` is the same when a message is sent again."""

    id: str
    severity: str
    title: str
    body: str
    brief: str


def message(notice: Notice) -> Message:
    """Put a notice into words."""
    severity, site = Severity(notice.severity).label, settings.ORGANIZATION_NAME
    page = f"{settings.PUBLIC_URL}{reverse('admin:healthrecords_notice_page', args=[notice.pk])}"
    lines = [notice.summary, "", f"Severity: {severity}", f"Event: {notice.event}", _when(notice), *_facts(notice)]
    body = "\n".join([*lines, "", page, f"Notice {notice.pk}. {NOBODY}"])
    return Message(str(notice.pk), notice.severity, f"{severity}: {site}", body, f"{severity}: {notice.summary}")


def _when(notice: Notice) -> str:
    again = f", {notice.count} times until {notice.last_at:%Y-%m-%d %H:%M}" if notice.count > 1 else ""
    return f"Told: {notice.told_at:%Y-%m-%d %H:%M} UTC{again}"


def _facts(notice: Notice) -> list[str]:
    return [f"{name.replace('_', ' ').capitalize()}: {value}" for name, value in notice.facts.items()]
