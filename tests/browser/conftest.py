"""A browser for the tests: Debian's Chromium, which talks to nobody but the test server."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.cast import code, give_app

CHROMIUM = "/usr/bin/chromium"
QUIET = [
    "--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
]  # fmt: skip
REPORT = """document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`${event.violatedDirective} forbids ${event.blockedURI} ${event.sample} (${event.sourceFile})`))"""
PASSWORD = "a long enough passphrase"


def until(page: Any, expression: str) -> None:
    """Wait until an expression is true on a page; Playwright's own way is forbidden by the Content-Security-Policy."""
    for _ in range(200):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"{expression} did not become true")


def viewed(page: Any) -> None:
    """Wait until the page's PDF stands in its viewer: Chromium 156 can crash when it is left while this loads."""
    for _ in range(200):
        if any(frame.url.startswith("chrome-extension://") for frame in page.frames):
            page.wait_for_timeout(500)
            return
        page.wait_for_timeout(50)
    raise AssertionError("no viewer of PDFs came up")


@pytest.fixture(scope="package")
def chromium() -> Iterator[Callable[[], Any]]:
    """Answers the browser, a new one when the last has crashed.

    Playwright runs a loop in this thread, in which Django would refuse to ask the database.
    """
    from playwright.sync_api import sync_playwright

    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browsers = [playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)]

        def living() -> Any:
            if not browsers[-1].is_connected():
                browsers.append(playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET))
            return browsers[-1]

        yield living
        browsers[-1].close()


@pytest.fixture(params=[1440, 390], ids=["desk", "phone"])
def width(request: pytest.FixtureRequest) -> int:
    return request.param


@pytest.fixture
def complaints() -> list[str]:
    """What the browser's console complains of, each with the page that it was on."""
    return []


@pytest.fixture
def tab(chromium: Callable[[], Any], width: int, complaints: list[str]) -> Iterator[Any]:
    """An empty page of a browser at a desk or, in the dark, on a phone. None may break the Content-Security-Policy."""
    scheme = "light" if width > 1000 else "dark"
    context = chromium().new_context(viewport={"width": width, "height": 860}, color_scheme=scheme)
    page = context.new_page()
    page.add_init_script(REPORT)
    page.on("console", lambda said: complaints.append(f"{page.url}: {said.text}") if said.type == "error" else None)
    page.on("pageerror", lambda fault: complaints.append(f"{page.url}: {fault}"))
    yield page
    context.close()
    assert [each for each in complaints if " forbids " in each] == []


@pytest.fixture
def enter(tab: Any, live_server: Any) -> Callable[..., Any]:
    """Sign a person with the roles in, by the pages for it; answer the page that they land on."""
    from healthrecords.accounts.models import Role, User

    def sign_in(role: str, *more: str) -> Any:
        roles = list(Role.objects.filter(name__in=[role, *more]))
        person = User.objects.invite(f"{role}@example.org", f"Casey {role.title()}", roles)
        person.set_password(PASSWORD)
        person.save()
        give_app(person)
        tab.goto(f"{live_server.url}/admin/")
        tab.get_by_label("E-mail").fill(person.email)
        tab.get_by_label("Password").fill(PASSWORD)
        tab.keyboard.press("Enter")
        tab.get_by_label("Code").fill(code())
        tab.keyboard.press("Enter")
        tab.wait_for_url(f"{live_server.url}/admin/")
        return tab

    return sign_in
