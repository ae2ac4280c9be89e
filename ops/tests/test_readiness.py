"""Readiness: what stops requests, and what only degrades them."""

import pytest

from documents.tests.scanners import answering, nowhere
from healthrecords.health import status_of
from ops.health import readiness

GOOD, BAD, LACKING = {"ok": True}, {"ok": False}, {"ok": False, "optional": True}


@pytest.mark.parametrize(
    ("parts", "status"),
    [([GOOD], "ok"), ([GOOD, LACKING], "degraded"), ([BAD], "unavailable"), ([BAD, LACKING], "unavailable")],
)
def test_only_what_requests_need_makes_the_server_unavailable(parts, status):
    assert status_of({str(number): part for number, part in enumerate(parts)}) == status


def test_a_scanner_that_does_not_answer_is_told_and_closes_no_door(db, settings):
    settings.CLAMAV = nowhere()
    assert readiness.report()["scanner"] == {"ok": False, "problem": "Unreachable", "optional": True}


def test_a_scanner_that_answers_is_ready(db, settings):
    with answering(b"") as settings.CLAMAV:
        assert readiness.report()["scanner"]["ok"]


def test_without_a_scanner_none_is_missed(db):
    assert "scanner" not in readiness.report()
