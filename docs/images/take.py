"""Take the pictures of the documentation from a running server with the demo data.

Usage: HEALTHCARE_PICTURE_PASSWORD=… python docs/images/take.py http://127.0.0.1:8000 EMAIL [SEARCH]

Signs in as EMAIL (a clinician), searches for SEARCH and opens the first patient found. Needs Debian's chromium.
"""

import os
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
QUIET = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
SIZES = {"": (1280, 800), "-phone": (390, 844)}


def main(server: str, email: str, search: str = "") -> None:
    """Write each picture at a desk's and at a phone's width beside this file."""
    password = os.environ["HEALTHCARE_PICTURE_PASSWORD"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=QUIET)
        for suffix, (width, height) in SIZES.items():
            page = browser.new_context(viewport={"width": width, "height": height}).new_page()
            take_all(page, server, (email, password), search, suffix)
        browser.close()


def take_all(page: Any, server: str, who: tuple[str, str], search: str, suffix: str) -> None:
    """Walk from sign-in to a patient's form, with a picture at each stop."""

    def take(name: str) -> None:
        page.screenshot(path=str(HERE / f"{name}{suffix}.png"))

    page.goto(f"{server}/admin/")
    take("sign-in")
    page.get_by_label("E-mail").fill(who[0])
    page.get_by_label("Password").fill(who[1])
    page.keyboard.press("Enter")
    page.wait_for_url(f"{server}/admin/")
    page.goto(f"{server}/admin/patients/patient/")
    take("patient-list")
    page.goto(f"{server}/admin/patients/patient/?q={search}")
    page.locator(".rows tbody a").first.click()
    page.wait_for_load_state()
    take("patient-page")
    page.goto(f"{page.url}change/")
    take("edit-form")
    page.goto(f"{page.url.removesuffix('change/')}history/")
    take("history")


if __name__ == "__main__":
    main(*sys.argv[1:])
