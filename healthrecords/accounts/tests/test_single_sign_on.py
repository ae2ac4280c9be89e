"""Single sign-on against an OpenID provider on loopback: who comes in, with which roles, and what is refused."""

import base64
import json
import time
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.test import Client
from jwcrypto.jwk import JWK

from healthrecords.accounts import people
from healthrecords.accounts.models import User
from tests.cast import code, give_app
from tests.openid_provider import CLIENT, SECRET, serving

START, BACK = "/accounts/sso/", "/accounts/sso/back/"


@pytest.fixture
def provider(settings, db):
    """The provider, and this server as its client."""
    with serving() as provider:
        settings.EMBEDDED = True
        settings.OUTGOING_ALLOW = [urlsplit(provider.issuer).netloc]
        settings.OIDC_ISSUER = provider.issuer
        settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = CLIENT, SECRET
        yield provider


@pytest.fixture
def mapped(settings):
    """Roles follow the claim `groups`."""
    settings.OIDC_ROLE_CLAIM = "groups"
    settings.OIDC_ROLES = {"Nurses": "immunization-nurse", "Bosses": "administrator", "Audit": "auditor"}


@pytest.fixture
def nina(provider, by):
    return people.invite("nina@example.org", "Nina Nurse", ["clinician"], by)[0]


def follow(client, start=START):
    """Go to the provider and come back, as a browser does; return the answer on the way back."""
    there = client.get(start)
    way_back = requests.get(there["Location"], allow_redirects=False, timeout=5).headers["Location"]
    parts = urlsplit(way_back)
    return client.get(f"{parts.path}?{parts.query}")


def roles_of(person):
    return {role.name for role in person.roles.all()}


def held(client):
    return "_auth_user_id" in client.session


def test_an_invited_person_comes_in_and_must_add_a_factor_here(client, provider, nina, logged):
    assert follow(client, f"{START}?next=/admin/patients/")["Location"] == "/admin/patients/"
    assert client.get("/admin/")["Location"] == "/accounts/factor/"
    assert client.get("/accounts/factor/app/").status_code == 200
    assert logged("sign-in")[-1]["detail"] == "single sign-on"


def test_our_factor_is_asked_for_where_the_provider_asked_for_none(client, provider, nina):
    give_app(nina)
    assert follow(client)["Location"] == "/accounts/login/factor/"
    assert not held(client)
    assert client.post("/accounts/login/factor/", {"code": code()})["Location"] == "/admin/"


@pytest.mark.parametrize("claim", [{"amr": ["pwd", "mfa"]}, {"acr": "mfa"}])
def test_the_provider_s_factor_counts_when_it_says_so(client, provider, nina, logged, claim):
    provider.says |= claim
    assert follow(client)["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200
    assert logged("sign-in")[-1]["detail"] == "single sign-on, the provider's second factor"


@pytest.mark.parametrize("claim", [{"amr": ["pwd"]}, {"amr": "mfa"}, {"acr": "1"}, {"amr": [["mfa"]]}, {"amr": None}])
def test_what_does_not_say_so_does_not_count(client, provider, nina, claim):
    provider.says |= claim
    follow(client)
    assert client.get("/admin/")["Location"] == "/accounts/factor/"


def test_a_step_up_goes_to_the_provider_again(client, provider, by, make_person, logged):
    make_person("ada@example.org", "administrator")
    people.invite("nina@example.org", "Nina", ["administrator"], by)
    provider.says |= {"amr": ["mfa"]}
    follow(client)
    session = client.session
    for each in session["account_authentication_methods"]:
        each["at"] = time.time() - 360
    session.save()
    asked = client.get("/admin/healthrecords/user/add/")["Location"]
    assert asked == f"{START}?next=%2Fadmin%2Fhealthrecords%2Fuser%2Fadd%2F"
    assert follow(client, asked)["Location"] == "/admin/healthrecords/user/add/"
    assert provider.asked[-1]["prompt"] == "login"
    assert client.get("/admin/healthrecords/user/add/").status_code == 200
    assert [row["detail"] for row in logged("step-up")] == ["single sign-on"]


# Who comes in


@pytest.mark.parametrize("changes", [
    {"email": "stranger@example.org"}, {"email_verified": False}, {"email_verified": "true"}, {"email": None},
])  # fmt: skip
def test_who_is_not_invited_or_not_verified_stays_out(client, provider, nina, logged, changes):
    provider.says |= changes
    assert follow(client).status_code == 403
    assert not held(client)
    assert "Nobody here is known" in logged("sign-in")[-1]["detail"]
    assert "stranger" not in str(logged("sign-in"))


def test_a_person_is_known_by_the_provider_s_subject_from_then_on(client, provider, nina):
    follow(client)
    provider.says |= {"sub": "u-2"}
    assert follow(Client()).status_code == 403
    provider.says |= {"sub": "u-1", "email": "changed@example.org", "email_verified": False}
    other = Client()
    follow(other)
    assert other.session["_auth_user_id"] == str(nina.pk)


def test_who_is_shut_out_here_stays_out(client, provider, nina):
    User.objects.filter(pk=nina.pk).update(is_active=False)
    assert follow(client).status_code == 403


def test_a_stranger_with_a_mapped_role_is_created_only_if_the_setting_says_so(client, provider, mapped, settings):
    provider.says |= {"groups": ["Nurses", "Everybody"]}
    assert follow(client).status_code == 403
    settings.OIDC_CREATES_PEOPLE = True
    assert follow(client).status_code == 302
    created = User.objects.get(email="nina@example.org")
    assert roles_of(created) == {"immunization-nurse"}
    assert not created.links.exists()
    assert not created.has_usable_password()


# Roles


def test_roles_follow_the_claim_at_each_sign_in_and_leave_a_row(client, provider, nina, mapped, logged):
    provider.says |= {"groups": ["Nurses"]}
    follow(client)
    assert roles_of(nina) == {"immunization-nurse"}
    provider.says |= {"groups": "Audit"}
    follow(Client())
    assert roles_of(nina) == {"auditor"}
    rows = logged("update")
    assert [row["actor"] for row in rows] == ["single sign-on"] * 2
    assert "roles immunization-nurse became auditor" in rows[-1]["detail"]


@pytest.mark.parametrize("groups", [[], ["Everybody"], None, {"Nurses": 1}, 7])
def test_whom_the_claim_gives_no_role_stays_out_with_roles_unchanged(client, provider, nina, mapped, groups):
    provider.says |= {"groups": groups}
    assert follow(client).status_code == 403
    assert roles_of(nina) == {"clinician"}


def test_the_provider_cannot_take_the_last_administrator_s_role(client, provider, mapped, make_person):
    ada = make_person("nina@example.org", "administrator")
    provider.says |= {"groups": ["Nurses"]}
    assert follow(client).status_code == 403
    assert roles_of(ada) == {"administrator"}


# What is refused


def unsigned(provider, asked):
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    body = {"iss": provider.issuer, "aud": CLIENT, "exp": int(time.time()) + 300, "nonce": asked["nonce"], "sub": "u-1"}
    return f"{part({'alg': 'none'})}.{part(body | provider.says)}."


FORGERIES = {
    "another issuer": lambda p, asked: p.sign(asked, iss="https://evil.example"),
    "another audience": lambda p, asked: p.sign(asked, aud="other"),
    "another party": lambda p, asked: p.sign(asked, aud=[CLIENT, "other"], azp="other"),
    "an old nonce": lambda p, asked: p.sign(asked, nonce="old"),
    "expired": lambda p, asked: p.sign(asked, exp=int(time.time()) - 600),
    "another key": lambda p, asked: p.sign(asked, JWK.generate(kty="EC", crv="P-256", kid="one")),
    "an HMAC with the client's secret": lambda p, asked: p.sign(
        asked, JWK.from_password(SECRET + "-" * 32), alg="HS256"
    ),
    "no signature": unsigned,
    "no token": lambda *_: "",
    "no subject": lambda p, asked: p.sign(asked, sub=None),
    "an empty subject": lambda p, asked: p.sign(asked, sub=""),
    "a subject that is no text": lambda p, asked: p.sign(asked, sub=["u-1"]),
    "a broken token": lambda p, asked: p.sign(asked)[:-8] + "AAAAAAAA",
}


@pytest.mark.parametrize("what", FORGERIES)
def test_a_forged_token_lets_nobody_in(client, provider, nina, logged, what):
    provider.says |= {"amr": ["mfa"]}
    provider.id_token = lambda asked: FORGERIES[what](provider, asked)
    assert follow(client).status_code == 403
    assert not held(client)
    assert logged("sign-in")[-1]["outcome"] == "failure"


def test_an_answer_to_another_browser_or_a_used_one_lets_nobody_in(client, provider, nina):
    there = client.get(START)["Location"]
    way_back = requests.get(there, allow_redirects=False, timeout=5).headers["Location"]
    query = urlsplit(way_back).query
    assert Client().get(f"{BACK}?{query}").status_code == 403
    other = Client()
    other.get(START)
    assert other.get(f"{BACK}?{query}").status_code == 403
    assert client.get(f"{BACK}?{query}").status_code == 302
    assert client.get(f"{BACK}?{query}").status_code == 403


def test_a_refusal_of_the_provider_is_said_and_written_down(client, provider, nina, logged):
    state = parse_qs(urlsplit(client.get(START)["Location"]).query)["state"][0]
    page = client.get(BACK, {"error": "access_denied", "state": state})
    assert b"You are not signed in" in page.content
    assert "access_denied" in logged("sign-in")[-1]["detail"]


def test_a_provider_of_another_name_is_not_asked(client, provider, nina):
    provider.name = "https://evil.example"
    assert client.get(START).status_code == 403


def test_a_silent_provider_does_not_stop_sign_in_here(client, provider, nina, settings):
    settings.OIDC_ISSUER = "http://127.0.0.1:9"
    settings.OUTGOING_ALLOW = ["127.0.0.1:9"]
    assert client.get(START).status_code == 403
    assert client.get("/accounts/login/").status_code == 200


@pytest.mark.parametrize("evil", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_the_way_on_is_only_on_this_server(client, provider, nina, evil):
    provider.says |= {"amr": ["mfa"]}
    assert follow(client, f"{START}?next={evil}")["Location"] == "/admin/"


def test_a_new_session_key_comes_with_single_sign_on(client, provider, nina):
    provider.says |= {"amr": ["mfa"]}
    client.get(START)
    planted = client.session.session_key
    follow(client)
    assert client.session.session_key != planted


def test_the_sign_in_page_offers_it_only_where_it_is_set_up(client, provider, settings):
    assert b"Use single sign-on" in client.get("/accounts/login/").content
    settings.OIDC_ISSUER = ""
    assert b"Use single sign-on" not in client.get("/accounts/login/").content
    assert client.get(START).status_code == 404
