"""SMART App Launch in a real browser: the pages at both widths, and the way on to the app that the policy lets pass."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest

from healthrecords.access.request import SYSTEM, AccessRequest
from healthrecords.oauth import clients
from tests.smart.app import App

pytestmark = pytest.mark.needs("chromium")
SCOPE = "openid fhirUser launch launch/patient offline_access patient/Patient.rs patient/Immunization.rs"


@pytest.fixture
def elsewhere():
    """The app's own web server, on another origin: it answers every address with a page."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><html lang=en><title>The app</title><h1>The app</h1>")

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def app(live_server, settings, elsewhere, db):
    settings.PUBLIC_URL = live_server.url
    settings.OAUTH2_PROVIDER = {**settings.OAUTH2_PROVIDER, "OIDC_ISS_ENDPOINT": live_server.url}
    back, by = f"{elsewhere}/callback", AccessRequest(SYSTEM, "command", "")
    client = clients.register("Growth Chart", SCOPE, by, redirect_uris=(back,), launch_url=f"{elsewhere}/launch")
    return App(f"{live_server.url}/fhir", client.client_id, redirect_uri=back)


def findings(page):
    from axe_playwright_python.sync_playwright import Axe

    grave = [each for each in Axe().run(page).response["violations"] if each["impact"] in ("serious", "critical")]
    return [(each["id"], each["nodes"][0]["html"]) for each in grave]


def test_a_patient_is_picked_and_an_app_allowed_and_ended(enter, app, integrator, live_server):
    integrator.create()
    page = enter("clinician")
    page.goto(app.address(SCOPE))
    assert findings(page) == []
    page.get_by_label("Name").fill("jansen")
    page.get_by_role("button", name="Search").click()
    assert findings(page) == []
    page.get_by_role("button", name="Maria Louise Jansen").click()
    page.get_by_role("heading", name="Allow Growth Chart?").wait_for()
    assert findings(page) == []
    page.get_by_role("button", name="Allow", exact=True).click()
    page.get_by_role("heading", name="The app").wait_for()
    said = app.exchange(app.code(page.url)).json()
    assert said["patient"]
    page.goto(f"{live_server.url}/accounts/security/")
    assert findings(page) == []
    page.get_by_role("button", name="End Growth Chart").click()
    page.get_by_text("Growth Chart may no longer act for you.").wait_for()


def test_an_app_is_opened_from_a_patient_s_page(enter, app, integrator, live_server):
    patient = integrator.create()
    page = enter("clinician")
    page.goto(f"{live_server.url}/admin/patients/patient/")
    page.get_by_role("link", name="Jansen").first.click()
    page.get_by_role("link", name="Growth Chart").wait_for()
    assert findings(page) == []
    page.get_by_role("link", name="Growth Chart").click()
    page.get_by_role("heading", name="The app").wait_for()
    handed = {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}
    page.goto(app.address("launch patient/Patient.rs", launch=handed["launch"]))
    page.get_by_text("Maria Louise Jansen").wait_for()
    page.get_by_role("button", name="Allow", exact=True).click()
    page.get_by_role("heading", name="The app").wait_for()
    assert app.exchange(app.code(page.url)).json()["patient"] == patient["id"]


def test_a_person_who_does_not_allow_it_is_sent_back_without_a_code(enter, app):
    page = enter("clinician")
    page.goto(app.address(SCOPE))
    page.get_by_role("button", name="Do not open Growth Chart").click()
    page.get_by_role("heading", name="The app").wait_for()
    assert "error=access_denied" in page.url
