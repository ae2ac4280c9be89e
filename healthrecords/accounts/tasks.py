"""Recurring work on accounts."""

from celery import shared_task
from django.utils import timezone

from healthrecords.accounts.models import EnrolmentLink


@shared_task
def expire_enrolment_links() -> int:
    """Delete enrolment links that can no longer be used; return how many."""
    return EnrolmentLink.objects.filter(expires_at__lt=timezone.now()).delete()[0]
