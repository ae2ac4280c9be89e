"""Vaccination in a real browser, at a desk and on a phone: from the patient's page to the recall, without a mouse."""

from datetime import date
from typing import Any

import pytest
from playwright.sync_api import expect

from healthrecords.cli import host_request
from immunizations.duplicates.models import DuplicatePair
from immunizations.models import Immunization
from immunizations.stock import actions, listing
from immunizations.stock.models import Lot
from immunizations.tests.samples import SID, coded, given
from patients.models import Patient
from tests.browser.test_admin import RICH, faults, fits

pytestmark = pytest.mark.needs("chromium")

FLUZONE = "(01)00349281425882(17)290630(10)U8123AA"
EXPIRED = "(01)00349281425882(17)200630(10)OLD1"
MISREAD = "(01)00349281425883(17)290630(10)U8123AA"


@pytest.fixture
def maria(integrator: Any) -> Patient:
    return Patient.objects.get(logical_id=integrator.create({**RICH, "active": True})["id"])


@pytest.fixture
def lot(db: None) -> Lot:
    """Ten doses of Fluzone."""
    delivery = actions.Delivery("U8123AA", 10, "140", "49281-0425-88", "PMC", date(2029, 6, 30), threshold=12)
    return actions.receive(delivery, host_request("browser test")).lot


@pytest.fixture
def history(integrator: Any, maria: Patient) -> Patient:
    """Maria with doses of every state, two of which may be one."""
    for cvx, day, changes in (
        ("140", "2024-10-01", {}), ("140", "2024-10-03", {}), ("110", "1990-05", {"primarySource": False}),
        ("03", "1991-05-01", {"isSubpotent": True}), ("208", "2022-01-11", {"status": "entered-in-error"}),
        ("62", "2023-01-11", {"status": "not-done"}),
    ):  # fmt: skip
        body = given(maria.logical_id, vaccineCode=coded(f"{SID}/cvx", cvx), occurrenceDateTime=day)
        integrator.create({**{name: each for name, each in body.items() if name != "isSubpotent"}, **changes})
    return maria


def scan(page: Any, text: str) -> None:
    """Type as a reader does: all at once, with Enter at the end."""
    page.locator("#scan").focus()
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def test_from_a_scan_to_the_grid_the_stock_and_a_recall(enter, live_server, maria, lot):
    page = enter("immunization-nurse")
    page.goto(f"{live_server.url}/admin/patients/patient/?q=jansen")
    page.get_by_role("link", name="Maria Louise Jansen").click()
    page.get_by_role("link", name="Record vaccines").click()
    page.wait_for_url("**/visit/**")
    page.keyboard.type(FLUZONE)
    page.keyboard.press("Enter")
    page.locator("[name=lines-0-site]:focus").wait_for()
    page.keyboard.type("Left d")
    page.keyboard.press("Enter")
    page.keyboard.type("engerix")
    page.locator("#scan-offers li").first.wait_for()
    page.keyboard.press("Enter")
    page.locator("[name=lines-1-lot]:focus").wait_for()
    assert page.locator("[name=lines-1-site]").input_value() == "LD"
    page.keyboard.press("Control+Enter")
    page.wait_for_url(f"**/patient/{maria.pk}/")
    assert page.get_by_role("status").inner_text() == "2 vaccines were recorded."
    grid = page.locator(".doses").inner_text()
    for words in ("Influenza", "HepB", "Lot U8123AA", "Given"):
        assert words in grid
    assert listing.line_of(lot).on_hand == 9
    page.goto(f"{live_server.url}/admin/immunizations/lot/")
    assert page.locator("td[data-label='On hand']").inner_text().endswith("9")
    page.get_by_role("link", name="Fluzone").click()
    page.get_by_role("link", name="Recall").click()
    page.get_by_label("Why is it recalled?").fill("Glass in vials")
    page.get_by_role("button", name="Mark as recalled").click()
    page.get_by_role("heading", name="1 patient got this lot").wait_for()
    assert page.get_by_role("link", name="Maria Louise Jansen").is_visible()
    with page.expect_download() as started:
        page.get_by_role("link", name="Download list (CSV)").click()
    assert started.value.suggested_filename == "recall-u8123aa.csv"


def test_what_is_wrong_with_a_scan_is_said_beside_the_field(enter, live_server, maria):
    page = enter("immunization-nurse")
    page.goto(f"{live_server.url}/admin/immunizations/immunization/visit/{maria.pk}/")
    scan(page, MISREAD)
    page.locator("#scan-fault:not(:empty)").wait_for()
    assert "check digit" in page.locator("#scan-fault").inner_text()
    scan(page, EXPIRED)
    page.locator("[name=lines-0-expires][aria-invalid]").wait_for()
    assert "do not give it" in page.locator("#id_lines-0-expires_error").inner_text()
    assert (faults(page), fits(page)) == ([], True)
    page.get_by_role("button", name="Save all").click()
    page.locator(".told-error").wait_for()
    assert page.locator("[name=lines-0-lot]").input_value() == "OLD1"
    assert (faults(page), fits(page)) == ([], True)
    assert not Immunization.objects.exists()


def test_each_scan_fills_a_line_of_its_own_and_keeps_the_site(enter, live_server, maria):
    page = enter("immunization-nurse")
    page.goto(f"{live_server.url}/admin/immunizations/immunization/visit/{maria.pk}/")
    for number in range(3):
        scan(page, f"(01)00349281425882(17)290630(10)LOT{number}")
        expect(page.locator(f"[name=lines-{number}-lot]")).to_have_value(f"LOT{number}")
        if number == 0:
            page.locator("[name=lines-0-site]").select_option("RT")
    assert [page.locator(f"[name=lines-{n}-site]").input_value() for n in range(3)] == ["RT"] * 3
    assert page.evaluate("document.activeElement.id") == "scan"


@pytest.mark.parametrize("screen", ["patient", "list", "dose", "change", "history", "error", "visit", "report"])
def test_each_screen_of_doses_is_accessible_and_fits(enter, live_server, history, screen):
    page, doses = enter("immunization-nurse"), f"{live_server.url}/admin/immunizations/immunization/"
    dose = f"{doses}{Immunization.objects.get(cvx='110').pk}/"
    page.goto({
        "patient": f"{live_server.url}/admin/patients/patient/{history.pk}/", "list": doses, "dose": dose,
        "change": f"{dose}change/", "history": f"{dose}history/", "error": f"{dose}error/",
        "visit": f"{doses}visit/{history.pk}/", "report": f"{doses}report/{history.pk}/",
    }[screen])  # fmt: skip
    assert page.locator("h1").is_visible()
    assert (faults(page), fits(page)) == ([], True)


@pytest.mark.parametrize("screen", ["stock", "receive", "lot", "recall", "recalled", "duplicates", "decided"])
def test_each_screen_of_stock_and_duplicates_is_accessible_and_fits(enter, live_server, history, lot, screen):
    page, apps = enter("immunization-nurse"), f"{live_server.url}/admin/immunizations"
    if screen == "recalled":
        actions.recall(lot, "Glass in vials", host_request("browser test"))
    if screen == "decided":
        DuplicatePair.objects.update(verdict="not-duplicate", decided_by="Nora", decided_at=lot.created_at)
    page.goto({
        "stock": f"{apps}/lot/", "receive": f"{apps}/lot/receive/", "lot": f"{apps}/lot/{lot.pk}/",
        "recall": f"{apps}/lot/{lot.pk}/recall/", "recalled": f"{apps}/lot/{lot.pk}/recall/",
        "duplicates": f"{apps}/duplicatepair/", "decided": f"{apps}/duplicatepair/",
    }[screen])  # fmt: skip
    assert page.locator("h1").is_visible()
    assert (faults(page), fits(page)) == ([], True)


def test_the_grid_scrolls_within_its_own_region(enter, live_server, maria, integrator):
    for year in range(2005, 2025):
        body = given(maria.logical_id, vaccineCode=coded(f"{SID}/cvx", "140"), occurrenceDateTime=f"{year}-10-01")
        integrator.create(body)
    page = enter("immunization-nurse")
    page.goto(f"{live_server.url}/admin/patients/patient/{maria.pk}/")
    assert page.locator(".dose").count() == 20
    assert (faults(page), fits(page)) == ([], True)
