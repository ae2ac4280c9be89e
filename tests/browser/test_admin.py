"""The admin in a real browser, at a desk and on a phone: usable by keyboard, and without WCAG faults that matter."""

from typing import Any

import pytest

from patients.models import Patient
from tests.cast import PATIENT

pytestmark = pytest.mark.needs("chromium")

RICH = {
    **PATIENT,
    "active": False,
    "identifier": [
        {"type": {"coding": [{"code": "MR"}]}, "system": "urn:example:mrn", "value": "MRN-1"},
        {"system": "http://hl7.org/fhir/sid/us-ssn", "value": "999-12-3456"},
    ],
    "telecom": [{"system": "phone", "value": "555-0101", "use": "home"}, {"system": "email", "value": "m@example.org"}],
    "address": [{"use": "home", "line": ["1 Main Street"], "city": "Springfield", "state": "IL"}],
    "contact": [
        {"name": {"family": "Jansen", "given": ["Piet"]}, "telecom": [{"system": "phone", "value": "555-0102"}]}
    ],
    "communication": [{"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "nl"}]}, "preferred": True}],
}


@pytest.fixture
def maria(integrator: Any) -> Patient:
    return Patient.objects.get(logical_id=integrator.create(RICH)["id"])


def faults(page: Any) -> list[str]:
    """The serious and critical faults that axe finds, each with where it is."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {node['html'][:150]} {node['failureSummary'][:200]}"
        for each in found
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]


def fits(page: Any) -> bool:
    """Whether nothing reaches beyond the right edge."""
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_the_sign_in_page_is_accessible(tab, live_server):
    tab.goto(f"{live_server.url}/admin/")
    assert (faults(tab), fits(tab)) == ([], True)


@pytest.mark.parametrize("screen", ["home", "list", "search", "page", "change", "history", "add", "missing"])
def test_each_screen_of_a_clinician_is_accessible_and_fits(enter, live_server, maria, screen):
    page, patients = enter("clinician"), f"{live_server.url}/admin/patients/patient/"
    page.goto({
        "home": f"{live_server.url}/admin/", "list": patients, "search": f"{patients}?q=nobody",
        "page": f"{patients}{maria.pk}/", "change": f"{patients}{maria.pk}/change/",
        "history": f"{patients}{maria.pk}/history/", "add": f"{patients}add/", "missing": f"{patients}none/",
    }[screen])  # fmt: skip
    assert (faults(page), fits(page)) == ([], True)


@pytest.mark.parametrize("path", ["", "user/", "user/add/", "role/", "role/clinician/", "role/matrix/", "apitoken/"])
def test_each_screen_of_an_administrator_is_accessible_and_fits(enter, live_server, integrator, path):
    page = enter("administrator")
    page.goto(f"{live_server.url}/admin/" + (f"healthrecords/{path}" if path else ""))
    assert (faults(page), fits(page)) == ([], True)


def test_the_access_log_is_accessible_and_fits(enter, live_server, maria):
    page = enter("auditor")
    page.goto(f"{live_server.url}/admin/compliance/accessevent/")
    assert (faults(page), fits(page)) == ([], True)
    page.locator(".rows tbody a").first.click()
    assert (faults(page), fits(page)) == ([], True)


def test_a_patient_is_found_and_opened_by_keyboard_alone(enter, live_server, maria):
    page = enter("clinician")
    page.goto(f"{live_server.url}/admin/patients/patient/")
    page.locator("#searchbar:focus").wait_for()
    page.keyboard.type("jansen 1980")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?q=jansen*")
    page.locator("#searchbar").focus()
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Maria Louise Jansen":
            break
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{maria.pk}/")
    assert page.locator("h1").inner_text() == "Maria Louise Jansen"
    assert page.locator(".flags").inner_text() == "Record not in use"


def test_a_phone_number_is_added_in_the_form(enter, live_server, maria):
    page = enter("clinician")
    page.goto(f"{live_server.url}/admin/patients/patient/{maria.pk}/change/")
    page.get_by_role("button", name="Add phone or e-mail").click()
    page.keyboard.press("Tab")
    page.keyboard.type("555-0177")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(f"**/{maria.pk}/")
    assert page.get_by_role("link", name="555-0177").is_visible()
    assert page.get_by_role("status").inner_text() == "Your changes were saved."


def test_an_organization_is_chosen_by_name(enter, live_server, integrator, maria):
    integrator.create({"resourceType": "Organization", "name": "Harbor Clinic"})
    page = enter("clinician")
    page.goto(f"{live_server.url}/admin/patients/patient/{maria.pk}/change/")
    page.locator("#id_managing_organization + .select2").click()
    page.keyboard.type("harb")
    page.get_by_role("option", name="Harbor Clinic").click()
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(f"**/{maria.pk}/")
    assert page.get_by_text("Harbor Clinic").is_visible()


def test_signing_out_ends_the_session(enter, live_server):
    page = enter("clinician")
    if page.get_by_role("button", name="Menu").is_visible():
        page.get_by_role("button", name="Menu").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/accounts/login/**")
    page.goto(f"{live_server.url}/admin/patients/patient/")
    assert "/accounts/login/" in page.url
