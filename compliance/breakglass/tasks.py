"""Tell the privacy officers by mail. What could not be sent is tried again each minute; the work never waits for it."""

import logging

from celery import shared_task
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.utils import timezone

from compliance.breakglass.models import BreakGlass
from healthrecords.accounts.models import User
from healthrecords.cli import counted

log = logging.getLogger(__name__)

OFFICER = "compliance-officer"
NOBODY = "Nobody is mailed: there is no mail server, or no compliance officer."
SUBJECT = "Emergency access to a record at {organization}"
BODY = """Somebody opened a patient's record in an emergency, at {when:%Y-%m-%d %H:%M} UTC.

It must be reviewed by {due:%Y-%m-%d %H:%M} UTC: {address}

This message names nobody; the page does.
"""


def tell_soon() -> None:
    """Have the mail sent now; if the queue cannot be reached, the timetable does it within the minute."""
    try:
        tell.apply_async(retry=False)
    except Exception:  # whatever is wrong with the queue, the emergency goes on
        log.exception("The privacy officers' mail could not be handed to the queue; the next minute's run sends it.")


@shared_task
def tell() -> str:
    """Send a mail for each declaration of which the officers were not told yet; return what was done, in words."""
    to = list(User.objects.filter(is_active=True, roles__name=OFFICER).values_list("email", flat=True).distinct())
    waiting = BreakGlass.objects.filter(notified_at=None)
    if not (settings.MAIL_IS_SET and to):
        return NOBODY
    sent = 0
    for declared in waiting.order_by("opened_at"):
        try:
            _mail(declared, to)
        except OSError as fault:  # SMTPException among them
            log.warning("The privacy officers' mail was not taken (%s).", type(fault).__name__)
            break
        sent += BreakGlass.objects.filter(pk=declared.pk, notified_at=None).update(notified_at=timezone.now())
    return f"{counted(sent, 'mail')} sent."


def _mail(declared: BreakGlass, to: list[str]) -> None:
    address = f"{settings.PUBLIC_URL}/admin/compliance/breakglass/{declared.pk}/"
    body = BODY.format(when=declared.opened_at, due=declared.review_due, address=address)
    subject = SUBJECT.format(organization=settings.ORGANIZATION_NAME)
    EmailMessage(subject, body, to=to, connection=get_connection(timeout=20)).send()
