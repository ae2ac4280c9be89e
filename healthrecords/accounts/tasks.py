"""Recurring work on accounts."""

from celery import shared_task
from django.utils import timezone

from healthrecords.accounts.models import EnrolmentLink, Session


@shared_task
def expire_enrolment_links() -> int:
    """Delete enrolment links that can no longer be used; return how many."""
    return EnrolmentLink.objects.filter(expires_at__lt=timezone.now()).delete()[0]


@shared_task
def clear_ended_sessions() -> int:
    """Delete the rows of sessions whose time is over; return how many."""
    return Session.objects.filter(expire_date__lt=timezone.now()).delete()[0]
