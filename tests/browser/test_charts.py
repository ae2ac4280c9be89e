"""The charts and the home page in a browser: readable at a desk and on a phone, for those without sight too."""

import math
from datetime import timedelta

import pytest
from django.utils import timezone

from ops.monitoring.history.models import Sample
from tests.browser.test_admin import faults, fits

pytestmark = pytest.mark.needs("chromium")


@pytest.fixture
def history(db):
    """A week of samples, each ten minutes, with three hours in which the server was down."""
    for number in range(0, 7 * 24 * 60, 10):
        if not 300 <= number < 480:
            busy = 1 + math.sin(number / 230)
            figures = {
                "requests": 40 * busy, "errors": 0 if number % 370 else 3, "p95": 60 + 80 * busy, "reads": 22 * busy,
                "denials": number % 7 / 9, "queue": number % 4, "unsealed": 20 + number % 35,
                "backup": 60 * (number % 1440), "cpu": 12 + 20 * busy, "memory": 72.4, "disk": 48 - number / 900,
            }  # fmt: skip
            Sample.objects.create(time=timezone.now() - timedelta(minutes=number), figures=figures)


def test_an_operator_reads_charts_of_a_day_and_a_week_and_unfolds_a_table(enter, live_server, history):
    page = enter("operator")
    page.get_by_role("link", name="Charts").last.click()
    assert page.get_by_role("img", name="Requests, day").is_visible()
    assert page.get_by_text("Over the limit").first.is_visible()
    assert (faults(page), fits(page)) == ([], True)
    page.get_by_text("Table", exact=True).first.click()
    assert page.get_by_role("table", name="Requests, newest first").is_visible()
    assert (faults(page), fits(page)) == ([], True)
    page.get_by_role("link", name="Week").click()
    assert page.get_by_role("img", name="Requests, week").is_visible()
    assert fits(page)


@pytest.mark.parametrize("role", ["operator", "compliance-officer"])
def test_home_says_how_things_are_and_each_leads_to_its_page(enter, live_server, role):
    page = enter(role)
    assert page.get_by_role("heading", name="At a glance").is_visible()
    assert (faults(page), fits(page)) == ([], True)
    page.locator(".glance").last.click()
    assert page.get_by_role("heading", level=1).first.inner_text() != "Home"
