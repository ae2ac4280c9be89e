"""A stranger's check: the script of the docs, alone in a directory with a proof and what the witness holds."""

import json
import shutil
import subprocess
import sys
from io import StringIO

import pytest
from django.conf import settings as configured
from django.core.management import CommandError, call_command

from compliance.audit import shipping
from compliance.audit.tests.hands import sealed, unguarded

SCRIPT = configured.BASE_DIR / "docs/security/check_proof.py"


@pytest.fixture
def stranger(integrator, trail, tmp_path, settings):
    """A directory with the script, a proof of one of several events, and the witness's statement."""
    witness, place = tmp_path / "witness", tmp_path / "stranger"
    witness.mkdir()
    settings.AUDIT_WITNESS = witness.as_uri()
    for _ in range(5):
        integrator.create()
    sealed()
    shipping.ship()
    place.mkdir()
    shutil.copy(SCRIPT, place)
    proof = prove(trail(action="create")[3].uuid)
    (place / "proof.json").write_text(proof)
    shutil.copy(witness / json.loads(proof)["witness_file"], place / "statement.json")
    return place


def prove(event):
    out = StringIO()
    call_command("audit", "prove", str(event), stdout=out, stderr=StringIO())
    return out.getvalue()


def check(place, *key):
    """Run the script in a Python that knows nothing of us."""
    return subprocess.run(
        [sys.executable, "-I", "check_proof.py", "proof.json", "statement.json", *key],
        cwd=place, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_the_script_proves_an_event_against_the_witness(stranger, trail):
    ran = check(stranger)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert f"Event {trail(action='create')[3].uuid} stands as it was sealed" in ran.stdout
    key = json.loads((stranger / "proof.json").read_text())["public_key"]
    assert check(stranger, key).returncode == 0


def test_the_script_is_short_and_needs_little():
    text = SCRIPT.read_text()
    assert len(text.splitlines()) <= 60
    imported = {line.split()[1].partition(".")[0] for line in text.splitlines() if line.startswith(("import", "from"))}
    assert imported == {"json", "sys", "hashlib", "pathlib", "cryptography"}


TAMPERING = [
    (lambda p: p.update(leaf=p["leaf"].replace("create", "delete")), "not in the tree"),
    (lambda p: p.update(event="018f0000-0000-7000-8000-000000000001"), "of another event"),
    (lambda p: p.update(index=p["index"] + 1), "path"),
    (lambda p: p.update(index=-1), "no such leaf"),
    (lambda p: p.update(size=p["size"] - 1), ""),
    (lambda p: p["path"].reverse(), "not in the tree"),
    (lambda p: p["path"].pop(), ""),
    (lambda p: p["path"].append("00" * 32), "too long"),
    (lambda p: p.update(statement=p["statement"].replace('"count":', '"count": ')), "another statement"),
    (lambda p: p.update(public_key="00" * 32), ""),
    (lambda p: p.pop("leaf"), "leaf"),
]


def test_a_proof_that_was_tampered_with_proves_nothing(stranger):
    file = stranger / "proof.json"
    before = file.read_text()
    for change, why in TAMPERING:
        proof = json.loads(before)
        change(proof)
        assert proof != json.loads(before)
        file.write_text(json.dumps(proof))
        ran = check(stranger)
        assert (ran.returncode, ran.stdout, ran.stderr[:12]) == (1, "", "Not proven: "), why
        assert why in ran.stderr


def test_a_statement_with_a_forged_root_is_not_signed(stranger):
    proof, held = (json.loads((stranger / name).read_text()) for name in ("proof.json", "statement.json"))
    root = json.loads(held["statement"])["root"]
    for each in (proof, held):
        each["statement"] = each["statement"].replace(root, "ab" * 32)
    (stranger / "proof.json").write_text(json.dumps(proof))
    (stranger / "statement.json").write_text(json.dumps(held))
    assert "the signature is not of this key" in check(stranger).stderr


def test_another_key_than_the_one_that_was_given_is_refused(stranger):
    assert "the signature is not of this key" in check(stranger, "d75a980182b10ab7d54bfed3c964073a" * 2).stderr


@pytest.mark.parametrize(("event", "why"), [
    ("018f0000-0000-7000-8000-000000000001", "There is no event"),
    ("x", "is no id of an event"),
])  # fmt: skip
def test_what_is_no_event_is_refused(db, event, why):
    told = StringIO()
    with pytest.raises((CommandError, SystemExit)):
        call_command("audit", "prove", event, stdout=StringIO(), stderr=told)
    assert why in told.getvalue()


def test_an_event_that_is_not_sealed_yet_or_no_longer_verifies_has_no_proof(integrator, trail):
    integrator.create()
    [event] = trail(action="create")
    for why in ("is not sealed yet", "does not verify"):
        told = StringIO()
        with pytest.raises((CommandError, SystemExit)):
            call_command("audit", "prove", str(event.uuid), stdout=StringIO(), stderr=told)
        assert why in told.getvalue()
        sealed()
        with unguarded() as cursor:
            cursor.execute("UPDATE compliance_accessevent SET actor = 'x' WHERE action = 'create'")


def test_telling_a_proof_leaves_a_row(stranger, trail):
    [row] = [row for row in trail(action="read") if "proof of event" in row.detail]
    assert row.actor_kind == "host"
