"""clients register, list, rotate, disable, enable, as an operator runs them."""

import json
import re

import pytest

from healthrecords.oauth.models import Client
from tests.smart.backend import key_set, new_key

SCOPE = ("--scope", "system/Patient.rs")
RETURN = ("--redirect-uri", "https://app.example.org/callback")


@pytest.fixture
def keys(tmp_path):
    file = tmp_path / "keys.json"
    file.write_text(key_set(new_key()))
    return str(file)


@pytest.fixture
def lab(run, keys):
    return run("clients", "register", "Lab", "--jwks", keys, *SCOPE)[1].strip()


def test_register_prints_the_id_alone_on_stdout(run, keys, trail):
    code, out, err = run("clients", "register", "Lab", "--jwks", keys, *SCOPE)
    assert code == 0
    assert re.fullmatch(r"[A-Za-z0-9]{40}\n", out)
    assert "system/Patient.rs" in err
    assert trail(action="create")[-1].resources == [f"Client/{out.strip()}"]


def test_a_backend_is_an_integrator_unless_told(run, keys, lab):
    run("clients", "register", "Ops", "--jwks", keys, *SCOPE, "--role", "front-desk", "--purpose", "TREAT")
    found = {client.name: (client.role_id, client.purposes) for client in Client.objects.all()}
    assert found["Lab"][0] == "integrator"
    assert found["Ops"] == ("front-desk", ["TREAT"])


def test_an_app_without_keys_is_public_and_one_with_keys_is_not(run, keys):
    run("clients", "register", "Public", "--scope", "patient/*.rs", *RETURN)
    run("clients", "register", "Confidential", "--scope", "patient/*.rs", *RETURN, "--jwks", keys)
    kinds = {row["name"]: row["kind"] for row in json.loads(run("clients", "list", "--json")[1])["clients"]}
    assert kinds == {"Public": "app, public", "Confidential": "app, confidential"}


def test_scopes_are_kept_as_version_2_writes_them(run):
    run(
        "clients",
        "register",
        "App",
        "--scope",
        "launch/patient patient/Patient.read openid patient/Patient.rs",
        *RETURN,
    )
    assert Client.objects.get().scope == "launch/patient openid patient/Patient.rs"


REFUSED = {
    "no keys": ([*SCOPE], "A backend proves who it is by its keys"),
    "no file": ([*SCOPE, "--jwks", "/nowhere/keys.json"], "/nowhere/keys.json cannot be read"),
    "an address inside the network": ([*SCOPE, "--jwks", "https://10.0.0.1/keys"], "inside a private or special"),
    "an unknown role": ([*SCOPE, "--jwks", "KEYS", "--role", "wizard"], "There is no role 'wizard'"),
    "a purpose that the role lacks": (
        [*SCOPE, "--jwks", "KEYS", "--purpose", "MARKT"],
        "does not have the purpose MARKT",
    ),
    "a scope that is none": (["--scope", "everything", "--jwks", "KEYS"], "'everything' is no scope"),
    "a type that is not served": (["--scope", "system/Spaceship.rs", "--jwks", "KEYS"], "names Spaceship"),
    "a constraint that no search knows": (["--scope", "system/Patient.rs?shoe=9", "--jwks", "KEYS"], "shoe"),
    "an app's scope for a backend": (["--scope", "patient/Patient.rs", "--jwks", "KEYS"], "system/ scopes alone"),
    "a launch for a backend": (["--scope", "launch system/Patient.rs", "--jwks", "KEYS"], "system/ scopes alone"),
    "a backend's scope for an app": (["--scope", "system/Patient.rs", *RETURN], "patient/ and user/ scopes"),
    "a role for an app": (["--scope", "patient/*.rs", *RETURN, "--role", "clinician"], "leave --role"),
    "no scope": (["--scope", " ", "--jwks", "KEYS"], "at least one scope"),
    "plain http": (["--scope", "patient/*.rs", "--redirect-uri", "http://app.example.org/"], "must begin with https"),
    "a wildcard": (["--scope", "patient/*.rs", "--redirect-uri", "https://*.example.org/"], "no address to return to"),
    "a fragment": (["--scope", "patient/*.rs", "--redirect-uri", "https://a.example/#x"], "no address to return to"),
    "a script": (["--scope", "patient/*.rs", "--redirect-uri", "javascript:alert(1)"], "must begin with https"),
    "a user name": (["--scope", "patient/*.rs", "--redirect-uri", "https://u@a.example/"], "no address to return to"),
    "a bad launch address": (["--scope", "patient/*.rs", *RETURN, "--launch-url", "ftp://a/"], "The launch address"),
}


@pytest.mark.parametrize(("options", "sentence"), REFUSED.values(), ids=REFUSED)
def test_a_wrong_registration_is_refused_in_one_sentence(options, sentence, run, keys, db):
    code, out, err = run("clients", "register", "New", *(keys if each == "KEYS" else each for each in options))
    assert (code, out, Client.objects.count()) == (2, "", 0)
    assert sentence in err


def private(key):
    return json.dumps({"keys": [key.export(as_dict=True)]})


SETS = {
    "no JSON": ("nonsense", "no JSON Web Key Set"),
    "no keys": ('{"keys": []}', "no JSON Web Key Set"),
    "too many": (json.dumps({"keys": [{}] * 21}), "no JSON Web Key Set"),
    "a private key": (private(new_key()), "only the public ones may leave"),
    "a shared secret": ('{"keys": [{"kty": "oct", "k": "AAAA", "kid": "1", "alg": "HS384"}]}', "No key of the set"),
    "another curve": ('{"keys": [{"kty": "EC", "crv": "P-256", "x": "a", "y": "b", "kid": "1"}]}', "No key of the set"),
    "a key that is none": (
        '{"keys": [{"kty": "EC", "crv": "P-384", "x": "a", "y": "b", "kid": "1"}]}',
        "cannot be read",
    ),
    "two of one id": (key_set(new_key(), new_key()), "the same `kid`"),
    "none of an id": (json.dumps({"keys": [{**new_key().export_public(as_dict=True), "kid": ""}]}), "needs a `kid`"),
}


@pytest.mark.parametrize(("text", "sentence"), SETS.values(), ids=SETS)
def test_a_wrong_key_set_is_refused_in_one_sentence(text, sentence, run, tmp_path, db):
    (tmp_path / "set.json").write_text(text)
    code, out, err = run("clients", "register", "New", "--jwks", str(tmp_path / "set.json"), *SCOPE)
    assert (code, out, Client.objects.count()) == (2, "", 0)
    assert sentence in err


def test_a_short_rsa_key_is_refused(run, tmp_path, db):
    from jwcrypto.jwk import JWK

    (tmp_path / "set.json").write_text(key_set(JWK.generate(kty="RSA", size=1024, kid="1", alg="RS384")))
    assert "1024 bits" in run("clients", "register", "New", "--jwks", str(tmp_path / "set.json"), *SCOPE)[2]


def test_the_name_of_an_enabled_client_is_taken_and_that_of_a_disabled_one_is_free(run, keys, lab):
    again = ("clients", "register", "Lab", "--jwks", keys, *SCOPE)
    assert "already" in run(*again)[2]
    run("clients", "disable", "Lab")
    assert run(*again)[0] == 0
    assert "disabled already" not in run("clients", "disable", "Lab")[1]


def test_a_dry_run_registers_nobody_and_says_so(run, keys, db):
    code, out, _ = run("clients", "register", "Lab", "--jwks", keys, *SCOPE, "--dry-run")
    assert (code, Client.objects.count()) == (0, 0)
    assert "Dry run, nothing was changed" in out


@pytest.mark.parametrize("verb", [["disable"], ["enable"], ["rotate", "--jwks", "KEYS"]], ids=lambda verb: verb[0])
def test_a_client_that_nobody_knows_is_named_in_the_refusal(verb, run, keys, db):
    code, _, err = run("clients", verb[0], "Nobody", *(keys if each == "KEYS" else each for each in verb[1:]))
    assert (code, "There is no client of the name or id Nobody" in err) == (2, True)


def test_each_change_leaves_its_row(run, keys, lab, trail):
    for arguments in (["disable", lab], ["enable", "Lab"], ["rotate", "Lab", "--jwks", keys]):
        assert run("clients", *arguments)[0] == 0
    details = [row.detail for row in trail(resources=[f"Client/{lab}"])]
    assert details[:3] == ["Lab: registered for system/Patient.rs", "Lab: disabled", "Lab: enabled"]
    assert details[3].startswith("Lab: keys are now ")


def test_a_second_disabling_changes_nothing(run, lab):
    run("clients", "disable", "Lab")
    code, out, _ = run("clients", "disable", "Lab")
    assert (code, "Lab was disabled already." in out) == (0, True)
