"""Recurring work on accounts."""

from celery import shared_task
from django.utils import timezone

from healthrecords.accounts.models import EnrolmentLink, Session
from healthrecords.cli import counted


@shared_task
def expire_enrolment_links() -> str:
    """Delete enrolment links that can no longer be used; return what was done, in words."""
    return f"{counted(EnrolmentLink.objects.filter(expires_at__lt=timezone.now()).delete()[0], 'link')} removed."


@shared_task
def clear_ended_sessions() -> str:
    """Delete the rows of sessions whose time is over; return what was done, in words."""
    return f"{counted(Session.objects.filter(expire_date__lt=timezone.now()).delete()[0], 'session')} removed."
