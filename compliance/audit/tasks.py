"""Recurring work on the trail: seal, ship and verify the newest each minute, verify all each night."""

import logging

from celery import shared_task
from django.core.cache import cache

from compliance.audit import heads, sealing, shipping
from compliance.audit.findings import Report
from compliance.audit.verification import Verification

log = logging.getLogger(__name__)

FINDINGS = "audit-findings"  # in the cache: how many the last verification had, for the metrics


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


def _tell(report: Report) -> int:
    for finding in report.findings:
        log.error("The audit trail does not verify (%s): %s", finding.check, finding.text)
    if report.findings:
        cache.set(FINDINGS, max(len(report.findings), cache.get(FINDINGS, 0)), timeout=None)
    return len(report.findings)
