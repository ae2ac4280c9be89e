"""Documents in a real browser: filing by choosing and by dropping, previews of each kind, and what must never run."""

import base64
import io
import zipfile
from typing import Any

import pytest

from documents.models import DocumentReference
from documents.tests.samples import document, inline
from documents.tests.test_ccda import CCD
from patients.models import Patient
from tests.browser.conftest import until, viewed
from tests.browser.test_admin import RICH, faults, fits

pytestmark = pytest.mark.needs("chromium")

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAYAAACNMs+9AAAAFUlEQVR42mNk+M9Qz0AEYBxVSF+FABJADveWkH6oAAAAAElFTkSuQmCC"
)
ESCAPE = "document.title='ran';window.ran=1;top.document.title='ran';fetch('/ran');new Image().src='/ran'"
HTML = f'<!doctype html><script>{ESCAPE}</script><img src=x onerror="{ESCAPE}">'.encode()
SVG = f'<svg xmlns="http://www.w3.org/2000/svg" onload="{ESCAPE}"><script>{ESCAPE}</script></svg>'.encode()
_FONT = b"<< /Font << /F1 5 0 R >> >> >>"


def pdf(text: str, script: str = "") -> bytes:
    """A PDF of one page that says `text`; `script` runs when a viewer that runs such things opens it."""
    drawn = f"BT /F1 24 Tf 40 120 Td ({text}) Tj ET".encode()
    action = f"/OpenAction << /S /JavaScript /JS ({script}) >>" if script else ""
    parts = [
        f"<< /Type /Catalog /Pages 2 0 R {action} >>".encode(),
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 400 200] /Contents 4 0 R /Resources " + _FONT,
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawn), drawn),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    made, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"xref\n0 6\n0000000000 65535 f \n" + table
    return made + end + b"trailer << /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(made)


@pytest.fixture
def maria(integrator: Any) -> Patient:
    return Patient.objects.get(logical_id=integrator.create({**RICH, "active": True})["id"])


@pytest.fixture
def file(integrator: Any, maria: Patient) -> Any:
    """File content for Maria by the API; answer the document's path in the admin."""

    def make(content: bytes, kind: str = "application/octet-stream", **changes: Any) -> str:
        made = integrator.create(document(maria.logical_id, inline(content, contentType=kind), **changes))
        key = DocumentReference.objects.get(logical_id=made["id"]).pk
        return f"/admin/documents/documentreference/{key}/"

    return make


def zipped() -> bytes:
    """An archive with one file."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("note.txt", "more")
    return made.getvalue()


def named(name: str, content: bytes, kind: str) -> dict[str, Any]:
    return {"name": name, "mimeType": kind, "buffer": content}


def test_files_are_chosen_described_and_filed(enter, live_server, maria):
    page = enter("clinician")
    page.goto(f"{live_server.url}/admin/patients/patient/{maria.pk}/")
    page.get_by_role("link", name="Add documents").click()
    page.locator("#files").set_input_files(
        [named("letter.pdf", pdf("Hello"), "application/pdf"), named("summary.xml", CCD, "text/xml")]
    )
    page.locator("[name=lines-1-content]:not([value=''])").wait_for(state="attached")
    until(page, "document.querySelector('[name=lines-1-title]').value === 'Summary of care'")
    assert page.locator("[name=lines-1-type]").input_value() == "34133-9"
    assert page.locator("[name=lines-1-date]").input_value() == "2024-10-15"
    assert "names another patient: Isabella Jones" in page.locator(".upload-warning:visible").inner_text()
    assert (faults(page), fits(page)) == ([], True)
    page.get_by_role("button", name="File documents").click()
    page.locator("#id_lines-0-type_error").wait_for()
    assert (faults(page), fits(page)) == ([], True)
    page.locator("[name=lines-0-type]").select_option("11488-4")
    page.get_by_role("button", name="File documents").click()
    page.wait_for_url(f"**/patient/{maria.pk}/")
    assert page.get_by_role("status").inner_text() == "2 documents were filed."
    assert "letter" in page.locator(".documents").inner_text()


def test_files_are_dropped_and_each_shows_its_progress(enter, live_server, maria):
    page = enter("clinician")
    page.goto(f"{live_server.url}/admin/documents/documentreference/upload/{maria.pk}/")
    assert page.get_by_role("button", name="File documents").is_disabled()
    slow = page.context.new_cdp_session(page)
    slow.send("Network.enable")
    speed = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 400_000}
    slow.send("Network.emulateNetworkConditions", speed)
    dropped = page.evaluate_handle(
        """() => {
            const data = new DataTransfer();
            data.items.add(new File(["x".repeat(700000)], "long.txt", { type: "text/plain" }));
            data.items.add(new File([], "empty.txt", { type: "text/plain" }));
            return data;
        }"""
    )
    page.dispatch_event(".drop", "dragover", {"dataTransfer": dropped})
    assert "over" in page.locator(".drop").get_attribute("class")
    page.dispatch_event(".drop", "drop", {"dataTransfer": dropped})
    bar = page.get_by_role("progressbar", name="Sending long.txt")
    bar.wait_for()
    until(page, "(v => v > 0 && v < 100)(document.querySelector('progress').value)")
    page.get_by_text("This file is empty.").first.wait_for(state="attached")
    assert page.locator("[name=lines-0-title]").input_value() == "long"
    page.locator("[name=lines-0-type]").select_option("34109-9")
    page.get_by_role("button", name="File documents").click()
    page.wait_for_url(f"**/patient/{maria.pk}/")
    assert DocumentReference.objects.get().description == "long"


def test_filing_needs_no_mouse(enter, live_server, maria):
    page = enter("clinician")
    page.goto(f"{live_server.url}/admin/documents/documentreference/upload/{maria.pk}/")
    with page.expect_file_chooser() as chooser:
        page.locator("#files").press("Enter")
    chooser.value.set_files([named("note.txt", b"Seen and well.", "text/plain")])
    until(page, "document.querySelector('[name=lines-0-title]')?.value === 'note'")
    page.locator("[name=lines-0-type]").focus()
    page.keyboard.type("Progress")
    page.locator("[name=lines-0-title]").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/patient/{maria.pk}/")
    assert DocumentReference.objects.get().type_code == "11506-3"


@pytest.mark.parametrize("kind", ["pdf", "png", "text", "ccda", "zip", "list"])
def test_each_kind_shows_and_is_accessible(enter, live_server, file, kind):
    contents = {"png": PNG, "text": b"Plain words\nin two lines", "ccda": CCD, "zip": zipped()}
    path = file(contents.get(kind, pdf("A letter")))
    ends = {"list": "/admin/documents/documentreference/"}
    page = enter("clinician")
    page.goto(live_server.url + ends.get(kind, path), wait_until="load")
    if kind == "pdf":
        until(page, "document.querySelector('.preview-frame')")
        viewed(page)
    if kind == "png":
        assert page.evaluate("document.querySelector('.preview-picture').naturalWidth") == 10
    if kind == "text":
        assert page.locator(".preview-text").inner_text() == "Plain words\nin two lines"
    if kind == "ccda":
        page.get_by_role("link", name="Plan of treatment").click()
        assert page.get_by_role("cell", name="Penicillin G").is_visible()
    assert (faults(page), fits(page)) == ([], True)


HOSTILE = {
    "html": (HTML, "text/html"),
    "svg": (SVG, "image/svg+xml"),
    "html that claims to be a PDF": (HTML, "application/pdf"),
    "svg that claims to be a picture": (SVG, "image/png"),
    "a PDF with script and html": (pdf("Hello", "app.alert(1); this.submitForm('/ran')") + HTML, "application/pdf"),
    "a picture with html": (PNG + HTML, "text/html"),
    "text with html far down": (b"words " * 200 + HTML, "text/html"),
    "a C-CDA with a style sheet and script": (
        b'<?xml version="1.0"?><?xml-stylesheet href="/ran" type="text/xsl"?>'
        + CCD[CCD.index(b"<ClinicalDocument") :].replace(
            b"Walk without pain.", b"<script>" + ESCAPE.encode() + b"</script><img src='/ran' onerror='x'/>"
        ),
        "text/html",
    ),
}


def test_nothing_that_was_uploaded_runs(enter, live_server, file):
    paths = {name: file(content, kind, description="Planted") for name, (content, kind) in HOSTILE.items()}
    page = enter("clinician")
    asked: list[str] = []
    page.context.on("request", lambda request: asked.append(request.url))
    for name, path in paths.items():
        page.goto(live_server.url + path)
        viewed(page) if name.startswith("a PDF") else page.wait_for_timeout(200)
        assert page.evaluate("window.ran") is None, name
        assert "Planted" in page.title(), name
        link = page.get_by_role("link", name="Download").get_attribute("href")
        given = page.request.get(live_server.url + link)
        assert given.headers["content-disposition"].startswith("attachment"), name
        alone = page.request.get(f"{live_server.url}{path}content/{link.rstrip('/').rpartition('/')[2]}/")
        assert alone.status == 404 or "sandbox" in alone.headers["content-security-policy"], name
    assert not [url for url in asked if url.endswith("/ran")]


def test_what_is_planted_would_run_if_it_could(enter, live_server):
    """The bait is real: as a page of its own it runs, so that the test above can fail."""
    page = enter("clinician")
    page.goto("about:blank")
    page.set_content(HTML.decode())
    until(page, "window.ran === 1")


def test_a_hold_is_placed_seen_and_released(enter, live_server, file):
    path = file(pdf("A letter"))
    page = enter("clinician")
    page.goto(live_server.url + path)
    page.get_by_role("link", name="Place legal hold").click()
    assert (faults(page), fits(page)) == ([], True)
    page.get_by_role("button", name="Place legal hold").click()
    page.locator("#id_reason_error").wait_for()
    assert (faults(page), fits(page)) == ([], True)
    page.get_by_label("Reason").fill("Case 12")
    page.keyboard.press("Enter")
    page.wait_for_url(live_server.url + path)
    assert page.locator(".banner .flag").inner_text() == "Legal hold"
    assert "Case 12" in page.get_by_role("region", name="Keeping").inner_text()
    assert (faults(page), fits(page)) == ([], True)
    page.get_by_role("link", name="Release legal hold").click()
    page.get_by_label("Reason").fill("Case closed")
    page.get_by_role("button", name="Release legal hold").click()
    page.wait_for_url(live_server.url + path)
    assert page.get_by_role("status").inner_text() == "The legal hold was released."
    assert page.locator(".banner .flag").count() == 0


def test_a_document_is_replaced_by_a_newer_file(enter, live_server, file):
    path = file(pdf("The first"), description="Letter")
    page = enter("clinician")
    page.goto(live_server.url + path)
    page.get_by_role("link", name="Replace").click()
    assert "takes the place of “Letter”" in page.locator(".told").inner_text()
    page.locator("#files").set_input_files(named("second.png", PNG, "image/png"))
    until(page, "document.querySelector('[name=lines-0-title]')?.value === 'second'")
    page.locator("[name=lines-0-type]").select_option("34109-9")
    assert (faults(page), fits(page)) == ([], True)
    page.get_by_role("button", name="File documents").click()
    page.locator(".documents").get_by_role("link", name="second").click()
    assert page.locator(".preview-picture").is_visible()
    assert "Replaces" in page.get_by_role("region", name="Related documents").inner_text()
    page.goto(live_server.url + path)
    assert page.locator(".banner .flag").inner_text() == "Replaced"
    assert page.locator(".preview-frame").is_visible()
    assert page.get_by_role("link", name="Replace").count() == 0
