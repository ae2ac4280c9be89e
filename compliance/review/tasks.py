"""The review of yesterday's accesses, each night."""

from celery import shared_task
from uuid6 import uuid7

from compliance.review import running
from healthrecords.access.request import SYSTEM, AccessRequest


@shared_task
def review_yesterday() -> str:
    """Run the rules over the last whole day; return what was found, in words."""
    asked = AccessRequest(SYSTEM, "search", "Review", "HSYSADMIN", request_id=str(uuid7()), route="review-accesses")
    return str(running.run(running.yesterday(), asked))
