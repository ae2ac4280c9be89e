"""SMART Backend Services from the outside: how a program gets a token, what it opens, and what gets none."""

import base64
import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS

from healthrecords.accounts import attempts
from healthrecords.oauth.models import AccessToken
from tests.smart.backend import key_set, new_key


def encoded(part):
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def test_the_configuration_is_public_and_names_only_what_there_is(fhir):
    answer = requests.get(f"{fhir}/.well-known/smart-configuration", timeout=10)
    assert answer.headers["Content-Type"] == "application/json"
    said = answer.json()
    assert said["token_endpoint_auth_signing_alg_values_supported"] == ["RS384", "ES384"]
    assert "client-confidential-asymmetric" in said["capabilities"]


@pytest.mark.parametrize("algorithm", ["RS384", "ES384"])
def test_a_backend_gets_a_token_for_five_minutes_and_reads_with_it(algorithm, registered, integrator):
    backend, patient = registered(algorithm=algorithm), integrator.create()
    answer = backend.ask()
    assert answer.status_code == 200, answer.text
    assert "no-store" in answer.headers["Cache-Control"]
    said = answer.json()
    assert (said["token_type"], said["expires_in"], said["scope"]) == ("Bearer", 300, "system/Patient.rs")
    assert "refresh_token" not in said
    read = backend.send("GET", f"Patient/{patient['id']}", said["access_token"])
    assert (read.status_code, read.json()["id"]) == (200, patient["id"])
    assert backend.send("GET", "Patient?name=Jansen", said["access_token"]).json()["entry"]


def test_reads_and_writes_outside_the_scope_are_refused(backend, integrator):
    patient, token = integrator.create(), backend.token()
    assert backend.send("GET", "Immunization", token).status_code == 403
    assert backend.send("DELETE", f"Patient/{patient['id']}", token).status_code == 403
    body = {"resourceType": "Patient", "name": [{"family": "New"}]}
    headers = {"Content-Type": "application/fhir+json"}
    assert backend.send("POST", "Patient", token, json=body, headers=headers).status_code == 403


def test_a_scope_opens_no_more_than_the_role(registered):
    backend = registered(scope="system/*.cruds", role="operator")
    assert backend.send("GET", "Patient", backend.token("system/*.rs")).status_code == 403


def test_a_client_is_given_what_it_was_registered_for_and_told_so(registered):
    backend = registered(scope="system/Patient.rs system/Immunization.r")
    said = backend.ask(scope="system/*.cruds").json()
    assert said["scope"].split() == ["system/Patient.rs", "system/Immunization.r"]
    assert backend.ask(scope="system/Patient.read").json()["scope"] == "system/Patient.rs"


@pytest.mark.parametrize(
    "scope", ["system/DocumentReference.rs", "system/Patient.cud", "patient/Patient.rs", "nonsense", "", "launch"]
)
def test_a_scope_that_a_client_may_not_have_is_refused(scope, backend):
    answer = backend.ask(scope=scope)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")


def test_an_assertion_counts_once(backend, trail):
    assertion = backend.assertion()
    assert backend.ask(assertion).status_code == 200
    again = backend.ask(assertion)
    assert (again.status_code, again.json()["error"]) == (401, "invalid_client")
    assert trail(action="token", outcome="failure")[-1].detail == "the assertion was used before"


def test_of_ten_who_send_one_assertion_at_once_one_gets_a_token(backend):
    assertion = backend.assertion()
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: backend.ask(assertion).status_code, range(10)))
    assert sorted(answers) == [200] + [401] * 9
    assert AccessToken.objects.count() == 1


# Numbers are seconds from now.
WRONG = {
    "an expired one": {"exp": -10},
    "one that lives for ten minutes": {"exp": 600},
    "one without an end": {"exp": None},
    "one whose end is no number": {"exp": "tomorrow"},
    "one whose end never comes": {"exp": float("nan")},
    "one for another server": {"aud": "https://elsewhere.example.org/oauth/token"},
    "one for nobody": {"aud": None},
    "one without a number": {"jti": None},
    "one with an empty number": {"jti": ""},
    "one of another issuer": {"iss": "somebody-else"},
    "one without an issuer": {"iss": None},
    "one for an unknown client": {"iss": "nobody", "sub": "nobody"},
    "one that is not valid yet": {"nbf": 200},
}


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG)
def test_a_wrong_assertion_gets_no_token(changes, backend, trail):
    now = int(time.time())
    claims = {name: now + value if isinstance(value, int) else value for name, value in changes.items()}
    answer = backend.ask(backend.assertion(**claims))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert len(trail(action="token", outcome="failure")) == 1
    assert not AccessToken.objects.exists()


def unsigned(backend):
    header = encoded(json.dumps({"alg": "none", "kid": "one"}).encode())
    return f"{header}.{encoded(json.dumps(backend.claims()).encode())}."


def signed_with_the_public_key(backend):
    """The public key taken for a shared secret: what a server would accept that believes the header."""
    secret = JWK(kty="oct", k=encoded(backend.key.export_to_pem()), alg="HS384", kid="one")
    signed = JWS(json.dumps(backend.claims()))
    signed.add_signature(secret, protected=json.dumps({"alg": "HS384", "kid": "one"}))
    return signed.serialize(compact=True)


def signed_for_another_algorithm(backend):
    key = JWK.generate(kty="RSA", size=2048, kid="one", alg="RS256")
    return backend.assertion(key)


FORGED = {
    "no signature": unsigned,
    "the public key as a secret": signed_with_the_public_key,
    "RS256": signed_for_another_algorithm,
    "another key of that id": lambda backend: backend.assertion(new_key()),
    "an unknown key": lambda backend: backend.assertion(new_key(kid="two")),
    "no key id": lambda backend: backend.assertion(header={"kid": None}),
    "the key in the header": lambda b: b.assertion(key := new_key(), {"jwk": key.export_public(as_dict=True)}),
    "an altered signature": lambda backend: backend.assertion()[:-8] + "AAAAAAAA",
    "no assertion at all": lambda _: "nonsense",
    "something long": lambda _: "a." * 10_000,
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_a_forged_assertion_gets_no_token(forge, backend):
    answer = backend.ask(forge(backend))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_a_key_of_another_client_is_nobody_else_s(registered):
    lab, clinic = registered("Lab"), registered("Clinic")
    assert lab.ask(lab.assertion(clinic.key)).status_code == 401
    assert lab.ask(lab.assertion(), client_id=clinic.client_id).status_code == 401
    assert lab.ask().status_code == 200


@pytest.mark.parametrize("changes", [{"client_assertion_type": "urn:other"}, {"client_assertion_type": ""}])
def test_the_kind_of_assertion_must_be_named(changes, backend):
    assert backend.ask(**changes).status_code == 401


@pytest.mark.parametrize("grant", ["password", "authorization_code", "refresh_token", "implicit", ""])
def test_a_backend_has_one_grant(grant, backend):
    assert backend.ask(grant_type=grant).status_code in (400, 401)
    assert not AccessToken.objects.exists()


def test_parameters_sent_twice_or_in_the_address_are_refused(backend):
    twice = [("grant_type", "client_credentials")] * 2 + [("scope", "system/Patient.rs")]
    assert requests.post(backend.endpoint, data=twice, timeout=10).status_code == 400
    assert requests.post(f"{backend.endpoint}?grant_type=client_credentials", timeout=10).status_code == 400


def test_a_token_ends_after_its_minutes(backend, integrator):
    patient, token = integrator.create(), backend.token()
    AccessToken.objects.update(expires="2026-01-01T00:00Z")
    read = backend.send("GET", f"Patient/{patient['id']}", token)
    assert (read.status_code, read.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_tokens_are_kept_as_hashes_alone(backend):
    token = backend.token()
    (row,) = AccessToken.objects.values()
    assert token not in str(row)
    assert row["token"] == ""


def test_a_disabled_client_is_shut_out_at_once_and_may_come_back(backend, clients, integrator):
    patient, token = integrator.create(), backend.token()
    clients("disable", "Lab interface")
    assert backend.send("GET", f"Patient/{patient['id']}", token).status_code == 401
    assert backend.ask().status_code == 401
    clients("enable", backend.client_id)
    assert backend.ask().status_code == 200


def test_new_keys_end_the_old_ones(backend, clients, tmp_path):
    fresh = new_key(kid="two")
    (tmp_path / "new.json").write_text(key_set(fresh))
    clients("rotate", "Lab interface", "--jwks", str(tmp_path / "new.json"))
    assert backend.ask().status_code == 401
    assert backend.ask(backend.assertion(fresh)).status_code == 200


def test_each_token_and_each_read_name_the_client_in_the_trail(backend, integrator, trail):
    patient = integrator.create()
    backend.send("GET", f"Patient/{patient['id']}", backend.token())
    issued, read = trail(action="token")[-1], trail(action="read")[-1]
    for row in (issued, read):
        assert (row.actor_kind, row.actor_id, row.actor) == ("client", backend.client_id, "Lab interface")
    assert read.patient == patient["id"]


def test_without_its_row_in_the_trail_there_is_no_token(backend, broken_trail):
    assert backend.ask().status_code == 500
    assert not AccessToken.objects.exists()


@pytest.mark.parametrize("endpoint", ["token", "introspect", "revoke"])
def test_of_thirty_guesses_at_once_no_more_than_the_limit_are_looked_at(endpoint, backend, trail, still):
    backend.endpoint, known = backend.endpoint.replace("token", endpoint), backend.endpoint
    forged = [backend.assertion(new_key(), aud=known) for _ in range(30)]
    with ThreadPoolExecutor(30) as pool:
        answers = list(pool.map(lambda each: backend.ask(each, token="hra_x").status_code, forged))
    assert answers.count(401) == attempts.MOST
    assert answers.count(429) == 30 - attempts.MOST
    assert len(trail(detail="too many attempts: client")) == 1
    refused = backend.ask(backend.assertion(aud=known))
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0


def test_nobody_shuts_a_client_out_from_another_address(backend):
    for number in range(12):
        for _ in range(5):
            attempts.take("client", backend.client_id, f"198.51.100.{number}")
    assert backend.ask().status_code == 200


# Keys by address


@pytest.fixture
def published(settings):
    """A client's own web server that serves its key set, and counts how often it is asked."""
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
    from threading import Thread

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.asked += 1
            self.send_response(200)
            self.end_headers()
            self.wfile.write(self.server.body.encode())

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.asked, server.body = 0, ""
        Thread(target=server.serve_forever, daemon=True).start()
        settings.OUTGOING_ALLOW = [f"127.0.0.1:{server.server_port}"]
        server.url = f"http://127.0.0.1:{server.server_port}/keys"
        yield server
        server.shutdown()


@pytest.fixture
def by_address(fhir, clients, published):
    from tests.smart.backend import Backend

    key = new_key()
    published.body = key_set(key)
    client_id = clients("register", "Remote", "--jwks", published.url, "--scope", "system/Patient.rs")
    return Backend(fhir, client_id, key)


def test_keys_by_address_are_kept_and_an_unknown_one_is_looked_for_but_not_often(by_address, published):
    from healthrecords.oauth.models import Client

    assert by_address.ask().status_code == 200
    assert published.asked == 1
    fresh = new_key(kid="two")
    published.body = key_set(by_address.key, fresh)
    assert by_address.ask(by_address.assertion(fresh)).status_code == 401
    assert published.asked == 1
    Client.objects.update(keys_read_at="2026-01-01T00:00Z")
    assert by_address.ask(by_address.assertion(fresh)).status_code == 200
    assert published.asked == 2


def test_keys_that_their_address_no_longer_shows_stop_working(by_address, published):
    from healthrecords.oauth.models import Client

    published.body = key_set(new_key(kid="two"))
    Client.objects.update(keys_read_at="2026-01-01T00:00Z")
    assert by_address.ask().status_code == 401


def test_old_keys_do_not_outlive_an_address_that_is_silent(by_address, published):
    from healthrecords.oauth.models import Client

    published.body = "no keys"
    Client.objects.update(keys_read_at="2026-01-01T00:00Z")
    assert by_address.ask().status_code == 401


def test_without_the_cache_tries_are_counted_in_the_database_and_a_right_one_gets_its_token(backend, settings, still):
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}
    assert backend.ask().status_code == 200
    answers = [backend.ask(backend.assertion(new_key())).status_code for _ in range(attempts.MOST + 1)]
    assert (answers.count(401), answers[-1]) == (attempts.MOST - 1, 429)  # the right one stays counted
