"""In a browser: a consent is recorded and keeps records away, the glass is broken, and the officer asks why."""

from typing import Any

import pytest

from compliance.consent.tests.cast import dose
from patients.models import Patient
from tests.browser.test_admin import RICH, faults, fits

pytestmark = pytest.mark.needs("chromium")


@pytest.fixture
def maria(integrator: Any) -> Patient:
    patient = integrator.create({**RICH, "active": True})["id"]
    integrator.create(dose(patient))
    return Patient.objects.get(logical_id=patient)


def leave(page: Any, base: str) -> None:
    page.context.clear_cookies()
    page.goto(f"{base}/admin/")


def test_from_a_consent_to_the_review_of_an_emergency(enter, live_server, maria):
    page = enter("clinician")
    record = f"{live_server.url}/admin/patients/patient/{maria.pk}/"
    page.goto(record)
    page.get_by_role("link", name="Record a consent").click()
    page.get_by_role("group", name="What", exact=True).get_by_label("immunizations").check()
    page.locator("summary", has_text="Exception 1").click()
    assert (faults(page), fits(page)) == ([], True)
    page.get_by_role("button", name="See what this means").click()
    assert page.get_by_text("Nobody may see immunizations.").is_visible()
    assert (faults(page), fits(page)) == ([], True)
    page.get_by_role("button", name="Record this consent").click()
    page.get_by_text("The consent is in force.").wait_for()
    assert (faults(page), fits(page)) == ([], True)
    page.goto(record)
    assert page.get_by_text("A consent limits what you see here").is_visible()
    assert "COVID" not in page.locator("main, #content, body").first.inner_text()
    page.get_by_role("link", name="Emergency access").first.click()
    page.get_by_label("Reason").fill("Unconscious after a fall, allergies unknown")
    assert (faults(page), fits(page)) == ([], True)
    page.get_by_role("button", name="Open the record").click()
    page.get_by_text("Only this record is shown").wait_for()
    assert page.get_by_text("A consent limits what you see").count() == 0
    assert (faults(page), fits(page)) == ([], True)
    page.get_by_role("button", name="End it now").click()
    page.get_by_text("The emergency access has ended.").wait_for()
    leave(page, live_server.url)
    page = enter("compliance-officer")
    page.goto(f"{live_server.url}/admin/compliance/breakglass/")
    assert (faults(page), fits(page)) == ([], True)
    page.locator("tbody a").first.click()
    page.get_by_label("Finding").select_option("justified")
    assert (faults(page), fits(page)) == ([], True)
    page.get_by_role("button", name="Keep the review").click()
    page.get_by_text("The review was kept.").wait_for()
