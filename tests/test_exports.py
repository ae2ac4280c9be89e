"""Files that take many people's data away at once: each asks for a second factor of the last five minutes."""

import re
from uuid import uuid4

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

ONE_PERSON = ("paper.pdf",)  # what the patient at the desk is to sign
FILE = re.compile(r"\.(csv|pdf|ndjson|json|xlsx?|zip|txt)$")
ROLES = ("clinician", "immunization-nurse", "operator", "administrator", "compliance-officer", "security-officer")


def _files(patterns, before=""):
    for each in patterns:
        route = before + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from _files(each.url_patterns, route)
        elif isinstance(each, URLPattern) and FILE.search(route):
            yield "/" + re.sub(r"<[^>]+>", str(uuid4()), route)


def _takes_many(address):
    return address.startswith("/admin/") and not address.endswith(ONE_PERSON)


def test_every_file_of_a_screen_asks_for_a_fresh_factor(signed_in):
    browser = signed_in(*ROLES)
    session = browser.session
    session["account_authentication_methods"][0]["at"] -= 301
    session.save()
    files = [address for address in _files(get_resolver().url_patterns) if _takes_many(address)]
    assert len(files) >= 3, files
    for address in files:
        answer = browser.get(address)
        assert answer.status_code == 302, address
        assert answer["Location"].startswith("/accounts/confirm/"), address


@pytest.mark.parametrize("name", ["csv", "pdf", "ndjson"])
def test_a_file_is_known_by_the_end_of_its_address(name):
    assert FILE.search(f"admin/immunizations/lot/<str:object_id>/recipients.{name}")
