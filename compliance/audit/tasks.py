"""Recurring work on the trail: seal, ship and verify the newest each minute; each night verify all, and the logs."""

import logging

from celery import shared_task
from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

from compliance.audit import heads, reconciliation, sealing, shipping
from compliance.audit.findings import Report
from compliance.audit.verification import Verification

log = logging.getLogger(__name__)

# In the cache, for the metrics: how much the last verification and the last reconciliation found.
FINDINGS, UNRECORDED = "audit-findings", "audit-unrecorded"


@shared_task
def seal() -> int:
    """Seal the events of finished transactions, ship the statement and verify it; return how many events."""
    before = heads.last()
    made = sealing.seal()
    shipping.ship()
    if made:
        _tell(Verification(before.row.time if before else None).run())
    return sum(statement.count for statement in made)


@shared_task
def verify() -> int:
    """Verify the whole trail and the places outside; return how many findings there were."""
    report = Verification().run()
    shipping.compare(report)
    cache.set(FINDINGS, len(report.findings), timeout=None)
    return _tell(report)


@shared_task
def reconcile() -> int:
    """Compare the request log of the last day with the trail; return how many requests left no event."""
    if not settings.AUDIT_REQUEST_LOGS:
        return 0
    told = reconciliation.of_files(settings.AUDIT_REQUEST_LOGS, timezone.now() - reconciliation.DAY)
    for each in told.unrecorded:
        log.error("Request %s (%s %s) left no event in the audit trail.", each.request, each.method, each.route)
    for fault in told.faults:
        log.error("%s", fault)
    found = len(told.unrecorded) + len(told.faults)
    cache.set(UNRECORDED, found, timeout=None)
    return found


def _tell(report: Report) -> int:
    for finding in report.findings:
        log.error("The audit trail does not verify (%s): %s", finding.check, finding.text)
    if report.findings:
        cache.set(FINDINGS, max(len(report.findings), cache.get(FINDINGS, 0)), timeout=None)
    return len(report.findings)
