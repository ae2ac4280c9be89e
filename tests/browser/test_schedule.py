"""The pages of jobs in a browser: readable at a desk and on a phone, for those without sight too."""

from datetime import timedelta

import pytest
from django.utils import timezone

from ops.runs import Run
from ops.schedule import status
from ops.schedule.models import Pulse, Standing
from tests.browser.test_admin import faults, fits

pytestmark = pytest.mark.needs("chromium")


@pytest.fixture
def stands(db):
    """A day of jobs: most went well, one failed, one goes on, one took too long."""
    now = timezone.now()
    for name in status.process_names():
        Pulse.objects.create(name=name, time=now - timedelta(seconds=9), steady=now - timedelta(days=1))
    Standing.all_by_name()
    Standing.objects.update(
        begun=now, ended=now, succeeded=now, seconds=2.41, outcome="good", summary="Done.", since=now, by="timetable"
    )
    failed = "StoreFault: The store does not answer; start it, or check HEALTHCARE_S3_ENDPOINT."
    Standing.objects.filter(job="check-documents").update(outcome="error", summary=failed, succeeded=None)
    Standing.objects.filter(job="backup-test").update(running=True, seconds=4210)
    for hours in range(6):
        Run.objects.create(
            actor="timetable", command="documents check", job="check-documents", seconds=4.2 + hours,
            outcome="error" if hours < 2 else "good", summary=failed if hours < 2 else "All 1,204 contents are there.",
            ended=now - timedelta(days=hours),
        )  # fmt: skip


def test_an_operator_finds_the_job_that_failed_and_runs_it_now(enter, live_server, stands):
    page = enter("operator")
    page.get_by_role("link", name="Scheduled jobs").first.click()
    assert page.get_by_text("jobs needs a look").is_visible()
    assert (faults(page), fits(page)) == ([], True)
    page.get_by_role("link", name="check-documents").click()
    assert page.get_by_text("StoreFault").first.is_visible()
    assert (faults(page), fits(page)) == ([], True)
    page.get_by_role("button", name="Run now").click()
    assert page.get_by_text("It was handed to its worker").is_visible()
