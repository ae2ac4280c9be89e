"""Oversight in a real browser, at a desk and on a phone: whoever snoops is found, and disclosures are accounted for."""

import pytest
from django.test import Client
from django.utils import timezone

from compliance.accounting.tests.test_accounting import give
from compliance.review.models import Finding
from healthrecords.accounts.models import Role, User
from patients.models import Patient
from tests.browser.test_admin import faults, fits
from tests.cast import PATIENT
from tests.cast import enter as sign_in

pytestmark = pytest.mark.needs("chromium")


@pytest.fixture
def snooped(integrator):
    """A patient whose chart an employee of the same family name has opened."""
    sam = User.objects.invite("sam@example.org", "Sam Snoop", [Role.objects.get(name="clinician")])
    body = integrator.create({**PATIENT, "name": [{"family": "Snoop", "given": ["Evelyn"]}]})
    patient = Patient.objects.get(logical_id=body["id"])
    assert sign_in(Client(), sam).get(f"/admin/patients/patient/{patient.pk}/").status_code == 200
    return patient


def test_an_employee_who_snoops_is_found_and_the_finding_signed_off(enter, live_server, snooped):
    page = enter("compliance-officer")
    page.get_by_role("link", name="Unusual access").last.click()
    page.get_by_role("link", name="Rules").click()
    page.get_by_label("Patient id").fill(snooped.logical_id)
    page.get_by_label("Why").fill("An employee's relative.")
    page.get_by_role("button", name="Watch", exact=True).click()
    page.get_by_label("Day", exact=True).fill(timezone.localdate().isoformat())
    page.get_by_role("button", name="Look at this day").click()
    assert "new findings" in page.get_by_role("status").inner_text()
    assert faults(page) == []
    assert fits(page)
    page.get_by_role("link", name="All findings").click()
    page.get_by_role("row").filter(has_text="Own family name").wait_for()
    assert faults(page) == []
    assert fits(page)
    page.get_by_role("row").filter(has_text="Own family name").get_by_role("link").click()
    page.get_by_label("What was asked").fill("Asked Sam, who could not say why.")
    assert faults(page) == []
    assert fits(page)
    page.get_by_role("button", name="Sign off: not justified").click()
    assert page.get_by_role("status").inner_text() == "Signed off."
    assert "Not justified" in page.locator(".sections").inner_text()
    finding = Finding.objects.get(rule="own-family")
    assert (finding.verdict, finding.signed_by) == ("unjustified", "Casey Compliance-Officer")


def test_from_a_patient_to_a_person_to_the_events(enter, live_server, snooped):
    page = enter("auditor")
    page.get_by_role("link", name="Who saw this patient").last.click()
    page.get_by_label("Patient").fill("MRN-1")
    page.keyboard.press("Enter")
    row = page.get_by_role("row").filter(has_text="Sam Snoop")
    row.wait_for()
    assert faults(page) == []
    assert fits(page)
    with page.expect_download() as file:
        page.get_by_role("link", name="Download (CSV)").click()
    assert "Sam Snoop" in file.value.path().read_text()
    row.get_by_role("link", name="Sam Snoop").click()
    page.get_by_role("heading", name="What this person saw").wait_for()
    assert faults(page) == []
    page.get_by_role("link", name="Events").click()
    assert "Read" in page.locator(".rows tbody").inner_text()


def test_disclosures_are_accounted_for_and_the_document_downloaded(enter, live_server, snooped):
    give(snooped.logical_id)
    page = enter("compliance-officer")
    page.get_by_role("link", name="Accounting of disclosures").last.click()
    page.get_by_label("Patient").fill("MRN-1")
    page.keyboard.press("Enter")
    page.get_by_role("row").filter(has_text="State Registry").wait_for()
    assert faults(page) == []
    assert fits(page)
    page.get_by_label("Made on").fill(timezone.localdate().isoformat())
    page.get_by_label("To whom").fill("Sheriff's office")
    page.get_by_label("What was disclosed").fill("A letter")
    page.get_by_label("Why").fill("Court order")
    page.get_by_role("button", name="Enter").click()
    page.get_by_role("row").filter(has_text="Sheriff").wait_for()
    with page.expect_download() as file:
        page.get_by_role("link", name="Download (PDF)").click()
    assert file.value.path().read_bytes().startswith(b"%PDF-")
