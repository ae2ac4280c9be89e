"""Each attack is really made, and is blocked, or found by the check named at the next verification."""

import re

import psycopg
import pytest
from botocore.exceptions import ClientError
from django.conf import settings as configured
from django.db import DatabaseError

from compliance.audit import inspection, shipping, status
from compliance.audit.findings import Report
from compliance.audit.tests import attacks
from compliance.audit.tests.hands import superuser, verified
from compliance.audit.tests.scene import ATTACKS, BLOCKED, IGNORED, NOTED, Scene, clock

assert attacks


@pytest.fixture
def scene(fragile, integrator, tmp_path, settings):
    folder = tmp_path / "witness"
    folder.mkdir()
    settings.AUDIT_WITNESS = folder.as_uri()
    return Scene(integrator, folder)


def found(scene):
    with clock(shipping, hours=getattr(scene, "hours_later", 0)):
        report = verified()
        shipping.compare(report)
    return report


@pytest.mark.parametrize("each", ATTACKS, ids=lambda each: f"{each.title} ({each.rights})")
def test_it_is_blocked_or_found(scene, each):
    if each.outcome == BLOCKED:
        with pytest.raises((DatabaseError, psycopg.Error, ClientError), match=each.says):
            each.act(scene)
    else:
        each.act(scene)
    report = found(scene)
    if each.outcome in (BLOCKED, IGNORED, NOTED):
        assert report.findings == []
        assert bool(report.notes) == (each.outcome == NOTED)
        assert all(each.says in note for note in report.notes)
    else:
        assert each.says in " ".join(f.text for f in report.findings if f.check == each.outcome)


def test_without_an_attack_nothing_is_found(scene):
    report = found(scene)
    assert (report.findings, report.notes) == ([], [])


@pytest.mark.parametrize("change", [
    "GRANT healthrecords_trail TO healthrecords_app",
    "GRANT healthrecords_owner TO healthrecords_sealer",
    "ALTER ROLE healthrecords_trail LOGIN",
    "ALTER ROLE healthrecords_app SUPERUSER",
])  # fmt: skip
def test_a_role_with_more_than_its_rights_is_found(db, change):
    """In a transaction that is rolled back: roles belong to the whole server, which other tests use."""
    report = Report()
    with superuser() as cursor, cursor.connection.transaction(force_rollback=True):
        cursor.execute(change)
        inspection.inspect(cursor, report)
    assert [finding.text.startswith("Not expected: role ") for finding in report.findings] == [True]


def test_a_stopped_sealer_shows_in_the_status(scene):
    scene.api.create()
    scene.unguarded(
        "UPDATE {events} SET time = time - interval '10 minutes' WHERE seq = (SELECT max(seq) FROM {events})"
    )
    now = status.status()
    assert now.unsealed_events >= 1
    assert now.oldest_unsealed_seconds > 590


def test_the_page_on_security_has_this_table():
    page = (configured.BASE_DIR / "docs/security/audit.md").read_text()
    part = page.partition("## Attacks")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \| (.+?) \|$", part, re.MULTILINE)
    assert rows[2:] == table(), "\n".join(f"| {' | '.join(row)} |" for row in table())


def table():
    """Attack, rights, outcome, what is told; attacks that end alike with several rights in one row."""
    rows = {}
    for each in ATTACKS:
        named = each.outcome in (BLOCKED, IGNORED, NOTED)
        words = each.outcome if named else f"found: `{each.outcome}`"
        rows.setdefault((each.title, words, each.says), []).append(each.rights)
    return [(title, "; ".join(rights), words, says) for (title, words, says), rights in rows.items()]
