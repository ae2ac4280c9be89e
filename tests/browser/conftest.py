"""A browser for the tests: Debian's Chromium, which talks to nobody but the test server."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.cast import code, give_app

CHROMIUM = "/usr/bin/chromium"
QUIET = [
    "--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
]  # fmt: skip
PASSWORD = "a long enough passphrase"


@pytest.fixture(scope="package")
def chromium() -> Iterator[Any]:
    """The browser. Playwright runs a loop in this thread, in which Django would refuse to ask the database."""
    from playwright.sync_api import sync_playwright

    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(params=[1440, 390], ids=["desk", "phone"])
def width(request: pytest.FixtureRequest) -> int:
    return request.param


@pytest.fixture
def tab(chromium: Any, width: int) -> Iterator[Any]:
    """An empty page of a browser at a desk or on a phone."""
    context = chromium.new_context(viewport={"width": width, "height": 860})
    yield context.new_page()
    context.close()


@pytest.fixture
def enter(tab: Any, live_server: Any) -> Callable[[str], Any]:
    """Sign a person with the role in, by the pages for it; answer the page that they land on."""
    from healthrecords.accounts.models import Role, User

    def sign_in(role: str) -> Any:
        person = User.objects.invite(f"{role}@example.org", f"Casey {role.title()}", [Role.objects.get(name=role)])
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
