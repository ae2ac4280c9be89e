"""Take the pictures of the documentation from a running server with the demo data.

Usage: HEALTHCARE_PICTURE_PASSWORD=… HEALTHCARE_PICTURE_KEY=… python docs/images/take.py http://127.0.0.1:8000 EMAIL [SEARCH]

Signs in as EMAIL (a clinician or nurse; an administrator, too, for the access matrix, and a compliance officer for
oversight, with findings of a review) with a code of the authenticator app whose key is HEALTHCARE_PICTURE_KEY, searches
for SEARCH and opens the first patient found. Fill the stock first (`manage.py stock receive …`): a lot that is recalled
already, else the first one, is the one of the recall page. HEALTHCARE_PICTURE_APP is the id of an app that returns to
https://app.example.org/callback. Needs Debian's chromium.
"""

import base64
import hmac
import os
import struct
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import sync_playwright, expect

HERE = Path(__file__).parent
FLUZONE = "(01)00349281425882(17)270630(10)U8200BB"
QUIET = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
SIZES = {"": (1280, 740), "-phone": (390, 844)}


def main(server: str, email: str, search: str = "") -> None:
    """Write each picture at a desk's and at a phone's width beside this file."""
    password = os.environ["HEALTHCARE_PICTURE_PASSWORD"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=QUIET)
        for suffix, (width, height) in SIZES.items():
            page = browser.new_context(viewport={"width": width, "height": height}).new_page()
            take_all(page, server, (email, password), search, suffix)
        browser.close()


def code_of_now() -> str:
    """The code of the authenticator app (RFC 6238); each is good once, so that a new one is waited for."""
    time.sleep(30 - time.time() % 30 + 1)
    key = base64.b32decode(os.environ["HEALTHCARE_PICTURE_KEY"])
    digest = hmac.new(key, struct.pack(">Q", int(time.time()) // 30), "sha1").digest()
    (number,) = struct.unpack_from(">I", digest, digest[-1] & 15)
    return f"{(number & 0x7FFFFFFF) % 10**6:06d}"


def take_all(page: Any, server: str, who: tuple[str, str], search: str, suffix: str) -> None:
    """Walk from sign-in to a patient's form, with a picture at each stop."""

    def take(name: str) -> None:
        page.screenshot(path=str(HERE / f"{name}{suffix}.png"))

    page.goto(f"{server}/admin/")
    take("sign-in")
    page.get_by_label("E-mail").fill(who[0])
    page.get_by_label("Password").fill(who[1])
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Second step").wait_for()
    take("second-step")
    page.get_by_label("Code").fill(code_of_now())
    page.keyboard.press("Enter")
    page.wait_for_url(f"{server}/admin/")
    page.goto(f"{server}/accounts/security/")
    take("security")
    page.goto(f"{server}/admin/healthrecords/role/matrix/")
    take("matrix")
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
    page.goto(page.url.removesuffix("history/"))
    take_documents(page, suffix)
    take_vaccines(page, server, suffix)
    take_oversight(page, server, suffix)
    take_operations(page, server, suffix)
    if app := os.environ.get("HEALTHCARE_PICTURE_APP"):
        take_app(page, server, (app, search), suffix)


def take_documents(page: Any, suffix: str) -> None:
    """From a patient's page, and back: the documents, a C-CDA (one whose title begins with Summary), filing files."""

    def take(name: str) -> None:
        page.screenshot(path=str(HERE / f"{name}{suffix}.png"))

    patient = page.url
    page.locator(".documents").evaluate("panel => panel.scrollIntoView()")
    take("documents")
    page.locator(".documents").get_by_role("link", name="Summary").first.click()
    page.wait_for_load_state()
    take("documents-summary")
    take_hold(page, suffix)
    page.goto(patient)
    page.get_by_role("link", name="Add documents").click()
    page.wait_for_load_state()
    page.locator("#files").set_input_files([HERE.parents[1] / "documents/tests/data/summary.xml", HERE / "sign-in.png"])
    expect(page.locator("[name=lines-1-title]")).not_to_have_value("")
    take("documents-add")
    page.goto(patient)


def take_hold(page: Any, suffix: str) -> None:
    """A document on legal hold, which is released again."""
    document = page.url
    for step, reason in (("Place legal hold", "Records request 2026-118"), ("Release legal hold", "Request answered")):
        page.get_by_role("link", name=step).click()
        page.get_by_label("Reason").fill(reason)
        page.get_by_role("button", name=step).click()
        page.wait_for_url(document)
        if step.startswith("Place"):
            page.locator(".keeping").evaluate("actions => actions.scrollIntoView({block: 'end'})")
            page.screenshot(path=str(HERE / f"documents-hold{suffix}.png"))


def take_vaccines(page: Any, server: str, suffix: str) -> None:
    """From a patient's page: the grid, the entry of a visit, the stock, a recall."""

    def take(name: str) -> None:
        page.screenshot(path=str(HERE / f"{name}{suffix}.png"))

    page.locator(".vaccines").evaluate("panel => panel.scrollIntoView()")
    take("immunizations")
    page.get_by_role("link", name="Record vaccines").click()
    page.locator("#scan").focus()
    page.keyboard.type(FLUZONE)
    page.keyboard.press("Enter")
    expect(page.locator("[name=lines-0-lot]")).not_to_have_value("")
    page.locator("#scan").evaluate("field => field.closest('fieldset').scrollIntoView()")
    take("record-vaccines")
    page.goto(f"{server}/admin/immunizations/lot/")
    take("stock")
    recalled = page.get_by_role("row").filter(has_text="Recalled").get_by_role("link")
    (recalled if recalled.count() else page.locator(".rows tbody a")).first.click()
    page.get_by_role("link", name="Recall").click()
    page.wait_for_load_state()
    take("recall")
    page.goto(f"{server}/admin/immunizations/duplicatepair/")
    take("duplicates")
    page.goto(f"{server}/admin/ops/backups/")
    take("backups")
    page.goto(f"{server}/admin/ops/healthstate/")
    take("health")
    page.goto(f"{server}/admin/ops/standing/")
    take("schedule")
    page.goto(f"{server}/admin/ops/standing/backup-full/")
    take("schedule-job")


def take_app(page: Any, server: str, asked: tuple[str, str], suffix: str) -> None:
    """What an app asks: which patient, and whether it may."""
    app, search = asked
    sent = {
        "response_type": "code",
        "client_id": app,
        "redirect_uri": "https://app.example.org/callback",
        "scope": "openid fhirUser launch/patient offline_access patient/Patient.rs patient/Immunization.rs",
        "state": "picture",
        "aud": f"{server}/fhir",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }
    page.goto(f"{server}/oauth/authorize?{urlencode(sent)}")
    page.get_by_label("Name").fill(search)
    page.get_by_role("button", name="Search").click()
    page.wait_for_load_state()
    page.screenshot(path=str(HERE / f"pick-patient{suffix}.png"))
    page.locator(".choices button").first.click()
    page.wait_for_load_state()
    page.screenshot(path=str(HERE / f"allow-app{suffix}.png"), full_page=True)


def take_oversight(page: Any, server: str, suffix: str) -> None:
    """Findings, the first of them, who saw its patient, the accounting of disclosures of that patient."""

    def take(name: str) -> None:
        page.wait_for_load_state()
        page.screenshot(path=str(HERE / f"{name}{suffix}.png"))

    page.goto(f"{server}/admin/compliance/finding/")
    take("findings")
    page.locator(".rows tbody a").first.click()
    take("finding")
    page.locator("a[href*='/accessevent/patient/']").last.click()
    take("who-saw")
    patient = page.get_by_label("Patient").input_value()
    page.goto(f"{server}/admin/compliance/entereddisclosure/?q={patient}")
    take("accounting")


def take_operations(page: Any, server: str, suffix: str) -> None:
    """An operator's home page and charts, from below what every page says first."""
    for name, address, first in (("home", "/admin/", "#glances"), ("charts", "/admin/ops/sample/", ".ranges")):
        page.goto(f"{server}{address}")
        page.locator(first).evaluate("part => part.scrollIntoView()")
        page.screenshot(path=str(HERE / f"{name}{suffix}.png"))


if __name__ == "__main__":
    main(*sys.argv[1:])
