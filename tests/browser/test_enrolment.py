"""What only a browser does: it sends Origin and Referer, keeps cookies, and shows the page at phone width."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from healthrecords.accounts import people
from healthrecords.accounts.models import User
from healthrecords.cli import host_request

PASSWORD = "a-long-and-lonely-road"


@pytest.mark.needs("chromium")
@pytest.mark.parametrize("width", [390], indirect=True)
def test_the_first_person_enrols_signs_out_and_in_again_on_a_phone(live_server, tab, width):
    link = live_server.url + "/accounts" + people.first(False, host_request("test"))[1].partition("/accounts")[2]
    faults = {}
    page = tab
    page.goto(link)
    faults["enrol"] = Axe().run(page).response["violations"]
    wide = page.evaluate("document.documentElement.scrollWidth")
    page.get_by_label("Your name").fill("Ada Admin")
    page.get_by_label("Your e-mail").fill("ada@example.org")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("The same password again").fill(PASSWORD)
    page.get_by_role("button").click()
    enrolled = page.url
    page.goto(link)
    gone = page.get_by_role("heading").inner_text()
    page.context.clear_cookies()
    page.goto(live_server.url + "/accounts/login/")
    faults["sign-in"] = Axe().run(page).response["violations"]
    page.get_by_label("E-mail").fill("ada@example.org")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/**")
    assert enrolled == live_server.url + "/admin/"
    assert gone == "This link no longer works"
    assert wide == 390
    assert faults == {"enrol": [], "sign-in": []}
    assert User.objects.get().email == "ada@example.org"
