"""Signing in as people do, in Chromium, at a desk and on a phone: enrolment, codes, passkeys, sessions, step-up."""

import re
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from healthrecords.accounts import people
from healthrecords.accounts.models import Session, User
from healthrecords.cli import host_request
from tests.browser.test_admin import faults, fits
from tests.cast import code

from .conftest import PASSWORD

pytestmark = pytest.mark.needs("chromium")


@pytest.fixture
def by():
    return host_request("test")


@pytest.fixture
def invite(live_server, by):
    """Invite a person; return the address of their link."""

    def make(email="nina@example.org", name="Nina Nurse", role="immunization-nurse"):
        return here(live_server, people.invite(email, name, [role], by)[1])

    return make


@pytest.fixture
def passkeys(tab):
    """A passkey device in the browser (Chrome DevTools Protocol, WebAuthn)."""
    session = tab.context.new_cdp_session(tab)
    session.send("WebAuthn.enable")
    device = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    return session.send("WebAuthn.addVirtualAuthenticator", {"options": device})["authenticatorId"]


def here(server, link):
    return server.url + "/accounts" + link.partition("/accounts")[2]


def good(page):
    """No serious fault, and nothing beyond the right edge."""
    assert (faults(page), fits(page)) == ([], True)


def choose_password(page, link):
    page.goto(link)
    good(page)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("The same password again").fill(PASSWORD)
    page.get_by_role("button", name="Set password").click()
    page.wait_for_url("**/accounts/factor/")
    good(page)


def add_app(page):
    """Add an authenticator app from the key on the page; return the key."""
    page.get_by_role("link", name="Authenticator app").click()
    page.get_by_role("img", name="QR code").wait_for()
    good(page)
    secret = page.locator(".key").inner_text().replace(" ", "")
    page.get_by_label("Code that the app shows").fill(code(secret=secret))
    page.keyboard.press("Enter")
    page.wait_for_url("**/factor/codes/")
    return secret


def give_password(page, server, email, path="/admin/"):
    page.goto(server.url + path)
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")


def test_the_first_administrator_comes_from_the_link_with_an_app_and_recovery_codes(tab, live_server, by):
    link = here(live_server, people.first(False, by)[1])
    tab.goto(link)
    tab.get_by_label("Your name").fill("Ada Admin")
    tab.get_by_label("Your e-mail").fill("ada@example.org")
    tab.get_by_label("Password", exact=True).fill(PASSWORD)
    tab.get_by_label("The same password again").fill(PASSWORD)
    tab.get_by_role("button").click()
    tab.goto(f"{live_server.url}/admin/")
    assert tab.url.endswith("/accounts/factor/")
    secret = add_app(tab)
    good(tab)
    kept = tab.locator(".codes li").all_inner_texts()
    with tab.expect_download() as started:
        tab.get_by_role("link", name="Keep as a file").click()
    assert kept[0] in started.value.path().read_text()
    tab.get_by_role("link", name="I have kept them").click()
    tab.get_by_role("heading", name="Home").wait_for()
    tab.goto(link)
    assert tab.get_by_role("heading").inner_text() == "This link no longer works"
    tab.context.clear_cookies()
    give_password(tab, live_server, "ada@example.org")
    tab.get_by_role("heading", name="Second step").wait_for()
    good(tab)
    tab.get_by_label("Code").fill(code(1, secret))
    tab.keyboard.press("Enter")
    tab.wait_for_url(f"{live_server.url}/admin/")
    tab.context.clear_cookies()
    give_password(tab, live_server, "ada@example.org")
    tab.get_by_label("Code").fill(kept[0])
    tab.keyboard.press("Enter")
    tab.wait_for_url(f"{live_server.url}/admin/")
    assert User.objects.get().email == "ada@example.org"


def test_an_invited_nurse_enrols_a_passkey_and_signs_in_with_it(tab, live_server, invite, passkeys):
    choose_password(tab, invite())
    tab.get_by_role("link", name="Passkey").click()
    good(tab)
    tab.get_by_role("button", name="Add a passkey").click()
    tab.wait_for_url("**/factor/codes/")
    tab.context.clear_cookies()
    give_password(tab, live_server, "nina@example.org")
    tab.get_by_role("button", name="Use a passkey").wait_for()
    good(tab)
    tab.get_by_role("button", name="Use a passkey").click()
    tab.wait_for_url(f"{live_server.url}/admin/")
    tab.goto(f"{live_server.url}/accounts/security/")
    good(tab)
    assert tab.get_by_text("Passkey 1").first.is_visible()
    tab.goto(f"{live_server.url}/admin/immunizations/lot/")
    assert tab.locator("h1").is_visible()


def test_a_browser_without_the_passkey_says_so(tab, live_server, invite, passkeys):
    choose_password(tab, invite())
    tab.get_by_role("link", name="Passkey").click()
    tab.get_by_role("button", name="Add a passkey").click()
    tab.wait_for_url("**/factor/codes/")
    tab.context.clear_cookies()
    give_password(tab, live_server, "nina@example.org")
    tab.get_by_role("button", name="Use a passkey").wait_for()
    tab.evaluate("() => { navigator.credentials.get = () => Promise.reject(new Error('none')) }")
    tab.get_by_role("button", name="Use a passkey").click()
    tab.get_by_text("The browser gave no passkey").wait_for()


def test_after_an_ended_session_sign_in_comes_back_and_says_what_was_lost(enter, live_server):
    page = enter("administrator")
    page.goto(f"{live_server.url}/admin/healthrecords/user/add/")
    page.get_by_label("Name", exact=True).fill("Ann New")
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    page.get_by_role("button", name="Invite").click()
    page.get_by_text("was not saved").wait_for()
    good(page)
    User.objects.get().authenticator_set.update(data={**give_data()})
    page.get_by_label("E-mail").fill("administrator@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_label("Code").fill(code())
    page.keyboard.press("Enter")
    page.wait_for_url("**/healthrecords/user/add/")


@pytest.fixture
def idle(enter, live_server):
    """A person's page whose session lasts for the whole idle time, and whose clock moves only when told to."""
    page = enter("clinician")
    page.clock.install(time=0)
    page.clock.pause_at(1000)
    Session.objects.update(seen_at=timezone.now() - timedelta(minutes=2))
    page.goto(f"{live_server.url}/admin/")
    return page


def test_a_minute_before_an_idle_session_ends_a_dialog_offers_to_stay(idle):
    idle.clock.run_for(13 * 60_000)
    assert idle.locator("dialog[open]").count() == 0
    idle.clock.run_for(65_000)
    dialog = idle.get_by_role("alertdialog", name="Are you still there?")
    dialog.wait_for()
    assert idle.title().startswith("Signing out soon")
    idle.clock.resume()  # the look for faults waits by the page's clock
    good(idle)
    soon = timezone.now() + timedelta(minutes=1)
    Session.objects.update(expire_date=soon)
    idle.keyboard.press("Enter")  # the button has the focus
    dialog.wait_for(state="hidden")
    assert Session.objects.get(person__name="Casey Clinician").expire_date > soon + timedelta(minutes=13)
    assert not idle.title().startswith("Signing out soon")
    idle.clock.run_for(14 * 60_000 + 5000)
    dialog.wait_for()
    idle.keyboard.press("Escape")
    dialog.wait_for(state="hidden")


def test_what_is_on_the_screen_goes_when_the_session_ends(idle):
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    idle.clock.run_for(15 * 60_000 + 2000)
    idle.get_by_label("Password").wait_for()


def test_at_the_limit_of_a_session_the_dialog_says_so(idle):
    idle.clock.run_for(14 * 60_000 + 5000)
    button = idle.get_by_role("button", name="Stay signed in")
    button.wait_for()
    Session.objects.update(started_at=timezone.now() - timedelta(hours=12) + timedelta(seconds=55))
    button.click()
    idle.get_by_text("as long as a session may last").wait_for()
    idle.clock.resume()
    good(idle)


def give_data():
    """The person's authenticator app as if no code had been used."""
    data = User.objects.get().authenticator_set.get(type="totp").data
    return {name: value for name, value in data.items() if name != "step"}


def test_inviting_asks_for_a_fresh_code(enter, live_server):
    page = enter("administrator")
    for row in Session.objects.exclude(person=None):
        data = row.get_decoded()
        for each in data["account_authentication_methods"]:
            each["at"] = time.time() - 360
        store = row.get_session_store_class()(row.session_key)
        store.update(data)
        store.save()
    page.goto(f"{live_server.url}/admin/healthrecords/user/add/")
    page.get_by_role("heading", name="Confirm that it is you").wait_for()
    good(page)
    page.get_by_label("Code").fill(code(1))
    page.keyboard.press("Enter")
    page.get_by_role("heading", name=re.compile("Invite a person")).wait_for()


def test_a_person_ends_their_session_elsewhere(enter, live_server, tab):
    page = enter("clinician")
    person = User.objects.get()
    Session.objects.create(
        session_key="k" * 32, session_data="", expire_date=timezone.now() + timedelta(minutes=5), person=person,
        address="192.0.2.7", browser="Safari on an iPhone",
    )  # fmt: skip
    page.goto(f"{live_server.url}/accounts/security/")
    good(page)
    page.get_by_role("button", name="End the session of Safari").click()
    page.get_by_text("Sessions ended: 1.").wait_for()
    assert not Session.objects.filter(pk="k" * 32).exists()
