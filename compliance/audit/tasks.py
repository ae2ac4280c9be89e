"""Recurring work on the trail: seal, ship and verify the newest each minute; each night verify all, and the logs."""

import logging

from celery import shared_task
from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

from compliance.audit import heads, reconciliation, sealing, shipping
from compliance.audit.findings import Report
from compliance.audit.verification import Verification
from healthrecords.cli import Result, counted

log = logging.getLogger(__name__)

# In the cache, for the metrics: how much the last verification and the last reconciliation found.
FINDINGS, UNRECORDED = "audit-findings", "audit-unrecorded"


@shared_task
def seal() -> Result:
    """Seal the events of finished transactions, ship the statement and verify it."""
    before = heads.last()
    made = sealing.seal()
    shipping.ship()
    found = _tell(Verification(before.row.time if before else None).run()) if made else 0
    return _found(found, f"{counted(sum(statement.count for statement in made), 'event')} sealed.")


@shared_task
def verify() -> Result:
    """Verify the whole trail and the places outside."""
    report = Verification().run()
    shipping.compare(report)
    cache.set(FINDINGS, len(report.findings), timeout=None)
    return _found(_tell(report), "The trail verifies.")


@shared_task
def reconcile() -> Result:
    """Compare the request log of the last day with the trail."""
    if not settings.AUDIT_REQUEST_LOGS:
        return Result("No request logs are named (HEALTHCARE_REQUEST_LOGS).")
    told = reconciliation.of_files(settings.AUDIT_REQUEST_LOGS, timezone.now() - reconciliation.DAY)
    for each in told.unrecorded:
        log.error("Request %s (%s %s) left no event in the audit trail.", each.request, each.method, each.route)
    for fault in told.faults:
        log.error("%s", fault)
    found = len(told.unrecorded) + len(told.faults)
    cache.set(UNRECORDED, found, timeout=None)
    return _found(found, "Every request of the last day left its event.")


def _found(number: int, well: str) -> Result:
    """The result of a look at the trail; what was found stands in the log, and by the group `audit` in full."""
    return Result(f"{counted(number, 'finding')}; the log has them.", outcome="problem") if number else Result(well)


def _tell(report: Report) -> int:
    for finding in report.findings:
        log.error("The audit trail does not verify (%s): %s", finding.check, finding.text)
    if report.findings:
        cache.set(FINDINGS, max(len(report.findings), cache.get(FINDINGS, 0)), timeout=None)
    return len(report.findings)
