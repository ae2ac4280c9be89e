"""The headers of real answers, other origins, forged hosts and redirects."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.test import Client, override_settings

DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"
ORIGIN = "https://app.example.org"
ASKED = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authorization,if-match"}


@pytest.fixture
def pages(signed_in, integrator):
    """Six answers, by name: two pages without sign-in, two with, two of the API."""
    patient = integrator.create()["id"]
    clinician = signed_in("clinician")
    return {
        "sign-in page": Client().get("/accounts/login/"),
        "unknown address": Client().get("/nowhere"),
        "admin's home": clinician.get("/admin/"),
        "patient list": clinician.get("/admin/patients/patient/"),
        "FHIR read": integrator.get(f"Patient/{patient}"),
        "FHIR error": integrator.get("Patient/none"),
    }


def test_every_answer_is_framed_by_nobody_kept_by_nobody_and_sniffed_by_nobody(pages):
    for name, answer in pages.items():
        assert answer["X-Frame-Options"] == "DENY", name
        assert "no-store" in answer["Cache-Control"], name
        assert answer["X-Content-Type-Options"] == "nosniff", name
        assert answer["Referrer-Policy"] == "same-origin", name
        assert answer["Cross-Origin-Opener-Policy"] == "same-origin", name
        assert answer["Cross-Origin-Resource-Policy"] == "same-origin", name
        assert "camera=()" in answer["Permissions-Policy"], name
        assert "publickey-credentials-get=(self)" in answer["Permissions-Policy"], name
        assert answer["X-Request-Id"], name
        assert "Server" not in answer.headers, name
        assert "Access-Control-Allow-Origin" not in answer.headers, name


def test_pages_have_a_strict_policy_with_a_nonce_of_their_own(signed_in):
    clinician = signed_in("clinician")
    nonces = set()
    for _ in range(2):
        answer = clinician.get("/admin/")
        policy = answer["Content-Security-Policy"]
        nonce = re.search(r"style-src 'self' 'nonce-([^']{20,})'", policy)[1]
        assert f'nonce="{nonce}"' in answer.content.decode()
        nonces.add(nonce)
    assert len(nonces) == 2
    for part in (
        "default-src 'none'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "object-src 'none'",
        "form-action 'self'",
    ):
        assert part in policy
    assert "script-src 'self' 'nonce-" in policy
    assert not re.search(r"unsafe|\*|https:|http:", policy)


def test_data_has_a_policy_that_permits_nothing(pages):
    assert {pages[name]["Content-Security-Policy"] for name in ("FHIR read", "FHIR error")} == {DATA_POLICY}


def test_no_page_holds_inline_code(pages):
    """An attribute such as onclick or style, or a script without an address, would not work under the policy."""
    for name, answer in pages.items():
        if answer["Content-Type"].startswith("text/html"):
            text = answer.content.decode()
            assert not re.findall(r"<[^>]+\s(?:on[a-z]+|style|x-[a-z:]+|hx-[a-z]+)=", text), name
            assert not re.findall(r"<script(?![^>]*(?:src=|application/json))", text), name


# Other origins


def test_no_origin_is_answered_unless_it_is_listed(integrator):
    answer = integrator.get("Patient", Origin=ORIGIN)
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert integrator.send("OPTIONS", "Patient", Origin=ORIGIN, **ASKED).status_code == 405


@override_settings(CORS_ORIGINS=[ORIGIN])
def test_a_listed_origin_may_call_the_api_without_cookies(integrator, outsider):
    first = outsider.send("OPTIONS", "Patient", Origin=ORIGIN, **ASKED)
    assert (first.status_code, first["Access-Control-Allow-Origin"]) == (204, ORIGIN)
    assert "PUT" in first["Access-Control-Allow-Methods"]
    assert "If-Match" in first["Access-Control-Allow-Headers"]
    then = integrator.get("Patient", Origin=ORIGIN)
    assert then["Access-Control-Allow-Origin"] == ORIGIN
    assert "Origin" in then["Vary"]
    assert {"ETag", "Location"} <= set(then["Access-Control-Expose-Headers"].split(", "))
    assert "Access-Control-Allow-Credentials" not in first.headers
    assert "Access-Control-Allow-Credentials" not in then.headers


@override_settings(CORS_ORIGINS=[ORIGIN])
@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://app.example.org", f"{ORIGIN}.evil.example", f"{ORIGIN}:444", "*"]
)
def test_an_origin_that_is_not_listed_gets_nothing(integrator, origin):
    answer = integrator.get("Patient", Origin=origin)
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert answer["Vary"].endswith("Origin")


@override_settings(CORS_ORIGINS=[ORIGIN])
def test_pages_are_for_no_other_origin_even_if_it_is_listed(signed_in):
    answer = signed_in("clinician").get("/admin/", headers={"Origin": ORIGIN})
    assert "Access-Control-Allow-Origin" not in answer.headers


# Hosts and redirects


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "evil.example:8000", "127.0.0.1@evil.example", "", "[::1]", "*", "a/b"],
)
def test_a_forged_host_is_refused(db, host):
    for path in ("/accounts/login/", "/admin/", "/fhir/metadata", "/nowhere"):
        answer = Client(raise_request_exception=False).get(path, headers={"Host": host})
        assert answer.status_code == 400, path
        assert "evil" not in answer.content.decode()


def test_a_forwarded_host_is_not_believed(db):
    answer = Client().get("/admin/", headers={"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"})
    assert answer["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize(
    "path",
    ["//evil.example/", "//evil.example/%2f..", "/\\evil.example", "/%5cevil.example", "/admin//evil.example/",
     "/admin/login/?next=//evil.example", "/admin/login/?next=https://evil.example",
     "/accounts/login/?next=javascript:alert(1)", "/admin/patients/patient/%0d%0aLocation:%20https://evil.example"],
)  # fmt: skip
def test_nobody_is_redirected_elsewhere(signed_in, path):
    for client in (Client(), signed_in("clinician")):
        answer = client.get(path)
        location = answer.headers.get("Location", "/")
        assert location.startswith("/"), location
        assert not location.startswith(("//", "/\\")), location


# What is told of them


def test_the_documented_headers_are_those_of_real_answers(pages, signed_in, integrator):
    """Each row of the table in docs/security/web.md, against an answer from such an address."""
    answers = {
        "/accounts/login/": pages["sign-in page"],
        "/accounts/enrol/…": Client().get(_enrolment()),
        "/admin/": pages["admin's home"],
        "an unknown address": pages["unknown address"],
        "/fhir/metadata": integrator.get("metadata"),
        "/fhir/Binary/…": _content(integrator),
    }
    rows = re.findall(
        r"^\| (.+?) \| (.+?) \| (`.+?`) \| (`.+?`) \|$", Path("docs/security/web.md").read_text(), re.MULTILINE
    )
    told = {row[0].strip("`").partition("`")[0].partition(" (")[0]: row[1:] for row in rows}
    assert answers.keys() <= told.keys()
    for address, answer in answers.items():
        policy, kept, referrer = (each.strip("`") for each in told[address])
        assert kept in answer["Cache-Control"], address
        assert answer["Referrer-Policy"] == referrer, address
        expected = {"data": DATA_POLICY, "pages": _pages_policy()}.get(policy, policy)
        assert _directives(answer["Content-Security-Policy"]) == _directives(expected), address


def _enrolment():
    from healthrecords.accounts import people
    from healthrecords.accounts.models import User

    return urlsplit(people.enrolment_link(User.objects.invite("nina@example.org", "Nina", []))).path


def _content(integrator):
    made = integrator.post("Binary", "hello", Content_Type="text/plain")
    return integrator.get(made["Location"].partition("/fhir/")[2])


def _directives(policy):
    """The directives of a policy; the nonce, which a page without such a script or style does not have, left out."""
    return {re.sub(r" 'nonce-[^']+'", "", each.strip()) for each in policy.split(";")}


def _pages_policy():
    """As the document has it, its lines joined."""
    text = Path("docs/security/web.md").read_text()
    return " ".join(re.search(r"\* \*pages\* is `([^`]+)`", text)[1].split())
