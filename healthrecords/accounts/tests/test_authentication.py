"""API tokens at the FHIR API's door."""

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.test import APIRequestFactory

from healthrecords.accounts import tokens
from healthrecords.accounts.authentication import TokenAuthentication
from healthrecords.accounts.models import ApiToken
from tests.cast import enter

UNKNOWN = "This token is not known."


def authenticate(header=None):
    headers = {"HTTP_AUTHORIZATION": header} if header is not None else {}
    return TokenAuthentication().authenticate(APIRequestFactory().get("/fhir/Patient", **headers))


@pytest.fixture
def issued(db, by):
    return tokens.issue("lab", "integrator", ["PUBHLTH", "TREAT"], 30, by)


@pytest.fixture
def text(issued):
    return issued[1]


def test_a_token_acts_with_its_role_and_its_purposes(issued):
    actor, token = authenticate(f"Bearer {issued[1]}")
    assert (actor.kind, actor.name, actor.roles, actor.purposes) == (
        "token",
        "lab",
        ("integrator",),
        ("PUBHLTH", "TREAT"),
    )
    assert actor.is_authenticated
    assert token == issued[0]


def test_the_word_bearer_is_read_without_case(text):
    assert authenticate(f"bearer {text}")


def test_a_request_without_a_header_is_left_to_others(db):
    assert authenticate() is None


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Basic dXNlcjpwYXNz",
        "Bearer nonsense",
        "hrt_1",
        "Bearer hrt_zz_short",
        "Bearer x y z",
        "Bearer \xe9",
    ],
)
def test_a_malformed_header_is_refused_without_asking_the_database(header, db, django_assert_num_queries):
    with django_assert_num_queries(0), pytest.raises(AuthenticationFailed, match="must be 'Bearer' and a token"):
        authenticate(header)


def test_a_wrong_secret_and_an_unknown_prefix_get_the_same_answer(text):
    swapped = text[:-1] + ("A" if text[-1] != "A" else "B")
    unknown = "hrt_" + "0" * 12 + text[16:]
    for wrong in (swapped, unknown):
        with pytest.raises(AuthenticationFailed, match=UNKNOWN):
            authenticate(f"Bearer {wrong}")


def test_the_secret_of_one_token_does_not_open_another(text, by):
    other = tokens.issue("other", "integrator", [], 30, by)[1]
    with pytest.raises(AuthenticationFailed, match=UNKNOWN):
        authenticate(f"Bearer {text[:17]}{other[17:]}")


def test_an_unknown_prefix_costs_the_same_comparison(text, monkeypatch):
    compared = []
    monkeypatch.setattr(ApiToken, "fits", lambda _, secret: compared.append(secret) or False)
    for prefix in (text[:16], "hrt_" + "0" * 12):
        with pytest.raises(AuthenticationFailed):
            authenticate(f"Bearer {prefix}{text[16:]}")
    assert len(compared) == 2


def test_an_expired_token_is_refused(issued):
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(AuthenticationFailed, match="expired"):
        authenticate(f"Bearer {issued[1]}")


def test_a_revoked_token_is_refused(text, by):
    tokens.revoke("lab", by)
    with pytest.raises(AuthenticationFailed, match="revoked"):
        authenticate(f"Bearer {text}")


def test_an_expired_token_with_a_wrong_secret_does_not_tell_that_it_expired(text):
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(AuthenticationFailed, match=UNKNOWN):
        authenticate(f"Bearer {text[:17]}{'A' * 43}")


def test_the_use_of_a_token_is_noted_once_a_minute(text, django_assert_num_queries):
    with django_assert_num_queries(2):
        authenticate(f"Bearer {text}")
    with django_assert_num_queries(1):
        authenticate(f"Bearer {text}")
    ApiToken.objects.update(last_used_at=timezone.now() - timedelta(seconds=61))
    with django_assert_num_queries(2):
        authenticate(f"Bearer {text}")
    assert timezone.now() - ApiToken.objects.get().last_used_at < timedelta(seconds=30)


def test_the_refusal_names_the_scheme():
    assert TokenAuthentication().authenticate_header(None) == "Bearer"


def test_only_a_hash_of_the_secret_is_kept(text):
    kept = ApiToken.objects.values().get()
    assert text[17:] not in str(kept)
    assert len(bytes(kept["secret_digest"])) == 32


def test_the_api_answers_401_with_the_scheme_to_an_outsider(outsider):
    answer = outsider.get("Patient")
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_a_revoked_token_is_out_at_the_next_request_and_the_denial_is_written_down(integrator, trail, by):
    assert integrator.get("Patient").status_code == 200
    tokens.revoke("integrator token", by)
    answer = integrator.get("Patient")
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert answer.json()["issue"][0]["diagnostics"] == "This token was revoked."
    assert [row.outcome for row in trail(action="denied")] == ["denied"]


def test_a_session_of_the_admin_does_not_open_the_api(client, clinician):
    assert enter(client, clinician).get("/fhir/Patient").status_code == 401
