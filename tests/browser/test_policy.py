"""The Content-Security-Policy in a real browser: no screen breaks it, and nothing that it forbids runs."""

from collections import deque
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.urls import Resolver404, resolve

from tests.browser.test_immunizations import history, lot, maria  # noqa: F401

pytestmark = pytest.mark.needs("chromium")

EVERYONE = ("clinician", "administrator", "operator", "compliance-officer", "immunization-nurse", "auditor")
LEFT_OUT = ("/accounts/logout/", "/accounts/factor/codes/", "/admin/jsi18n/", "/static/")


def route(path: str) -> str:
    """The route that answers a path, or an empty text for what is no page to look at."""
    try:
        return "" if path.startswith(LEFT_OUT) else str(resolve(path).route)
    except Resolver404:
        return ""


def walk(page: Any, start: str) -> set[str]:
    """Open a page of every route that links lead to; return the routes."""
    seen, waiting = set(), deque([start])
    while waiting:
        address = waiting.popleft()
        kind = route(urlsplit(address).path)
        if not kind or kind in seen or ".csv" in kind or urlsplit(address).netloc != urlsplit(start).netloc:
            continue
        seen.add(kind)
        page.goto(address, wait_until="load")
        links = page.eval_on_selector_all(
            "a[href]:not([download])", "all => all.map(each => each.getAttribute('href'))"
        )
        waiting.extend(urljoin(page.url, link) for link in links)
    return seen


@pytest.mark.parametrize("width", [1440], indirect=True)
def test_no_screen_breaks_the_policy_or_complains(enter, live_server, history, lot, complaints):  # noqa: F811
    seen = walk(enter(*EVERYONE), f"{live_server.url}/admin/")
    assert complaints == []
    assert len(seen) >= 25
    assert {"admin/patients/patient/<str:object_id>/change/", "admin/compliance/accessevent/"} <= seen


@pytest.mark.parametrize("width", [1440], indirect=True)
def test_the_policy_stops_what_is_put_into_a_page(enter, complaints):
    page = enter("clinician")
    page.evaluate("""() => {
      const script = document.createElement("script");
      script.textContent = "window.stolen = true";
      document.body.append(script);
      document.body.insertAdjacentHTML("beforeend", '<img src="https://evil.example/" onerror="window.stolen = true">');
    }""")
    page.wait_for_timeout(200)
    assert page.evaluate("window.stolen") is None
    assert any("script-src" in each for each in complaints)
    assert any("img-src forbids https://evil.example" in each for each in complaints)
    complaints.clear()


@pytest.mark.parametrize("width", [390], indirect=True)
def test_the_menu_opens_and_closes_on_a_phone(enter, complaints):
    page = enter("clinician")
    menu = page.get_by_role("button", name="Menu")
    patients = page.locator("#side-menu").get_by_role("link", name="Patients")
    assert (menu.get_attribute("aria-expanded"), patients.is_visible()) == ("false", False)
    menu.click()
    assert (menu.get_attribute("aria-expanded"), patients.is_visible()) == ("true", True)
    menu.click()
    assert menu.get_attribute("aria-expanded") == "false"
    assert complaints == []
