"""The console's page of backups, the notices above every page, the metrics, and what a start says."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from healthrecords.celery import app
from healthrecords.embedded.backup_state import PUBLISHED, Limits, concerns
from healthrecords.embedded.backups import Backups as Local
from ops.backup.catalogue import written
from ops.backup.points import make
from ops.monitoring.backups import BackupCollector
from ops.proof import publishing
from ops.proof.models import Backups
from ops.proof.moments import Choice

PAGE = "/admin/ops/backups/"
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def published(backup=1, proof=1, word=0, warnings=()):
    """What was published, with ages in hours; None for what there is none of."""
    at = [None if hours is None else written(NOW - timedelta(hours=hours)) for hours in (backup, proof, word)]
    return {
        "time": at[2],
        "newest": at[0] and {"id": "full-1", "stopped": at[0]},
        "proof": at[1] and {"backup": "full-1", "time": at[1]},
        "warnings": list(warnings),
    }


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (None, ["There is no backup yet"]),
        (published(backup=None), ["There is no backup yet"]),
        (published(), []),
        (published(backup=27), ["The newest backup is of 2026-03-09 09:00 UTC"]),
        (published(backup=-48), ["The newest backup is dated 2026-03-12 12:00 UTC, which is yet to come"]),
        (published(proof=None), ["No backup was restored yet to prove it"]),
        (published(proof=51), ["The last proven restore is of 2026-03-08 09:00 UTC"]),
        (published(proof=-2), ["The last proven restore is of 2026-03-10 14:00 UTC"]),
        (published(word=4), ["Nothing was heard of the backups since 2026-03-10 08:00 UTC"]),
        (published(27, None, 4, ["The log is not received."]), ["Nothing", "The newest", "No backup", "The log"]),
    ],
)
def test_what_is_said_of_the_backups(found, said):
    heard = list(concerns(found, NOW, Limits()))
    assert len(heard) == len(said)
    assert all(sentence.startswith(words) for sentence, words in zip(heard, said, strict=True))


@pytest.fixture
def known(site, operate):
    """A site with a chain of two, a point and a proof, published."""
    site.back_up()
    make("before-the-upgrade")
    site.back_up("incremental")
    assert operate("backup", "publish").code == 0
    return Backups.published()


def test_what_is_published_is_in_the_database_and_in_a_file_for_the_next_start(known, site):
    assert json.loads((site.cluster.work / PUBLISHED).read_text()) == known
    assert [(chain["type"], len(chain["links"])) for chain in known["chains"]] == [("full", 2)]
    assert [point["name"] for point in known["points"]] == ["before-the-upgrade"]
    assert publishing.notices()[0].startswith("No backup was restored yet to prove it")


def test_a_local_start_says_what_is_missing_of_backup_proof_and_kit(known, site):
    local = Local(site.cluster.home, site.cluster.work)
    said = " ".join(local.warnings())
    assert "There is no recovery kit" in said
    assert "No backup was restored yet to prove it" in said
    assert "There is no backup yet" not in said
    (site.cluster.work / PUBLISHED).unlink()
    assert "There is no backup yet" in " ".join(local.warnings())


def test_prometheus_reads_ages_sizes_and_what_was_measured(known):
    found = {family.name: family.samples[0].value for family in BackupCollector().collect()}
    assert 0 <= found["backup_last_age_seconds"] < 600
    assert found["backup_last_size_bytes"] == known["newest"]["size"]
    assert found["backup_repository_bytes"] > found["backup_last_size_bytes"]
    assert "backup_recovery_seconds" not in found


def test_an_operator_sees_the_chains_the_range_and_the_command(known, signed_in):
    page = signed_in("operator").get(PAGE).content.decode()
    assert "What can be restored" in page
    assert "before-the-upgrade" in page
    assert "manage.py restore database latest --dry-run" in page
    point = signed_in("auditor").get(PAGE, {"point": "before-the-upgrade"}).content.decode()
    assert "--to-point before-the-upgrade" in point


def test_before_anything_is_published_the_page_says_so(db, signed_in):
    assert "Nothing is known of the backups yet" in signed_in("operator").get(PAGE).content.decode()


def test_every_page_of_an_operator_carries_the_notices_and_a_clinician_s_none(db, signed_in):
    assert "There is no backup yet" in signed_in("operator").get("/admin/").content.decode()
    assert "There is no backup yet" not in signed_in("clinician").get("/admin/").content.decode()


@pytest.fixture
def queued(monkeypatch):
    """The jobs that were handed to the queue, instead of a worker's."""
    jobs = []
    monkeypatch.setattr(app.Task, "apply_async", lambda task, *given, **how: jobs.append((task.name, *given, how)))
    return jobs


def test_the_buttons_hand_the_work_to_the_queue_in_the_person_s_name(db, signed_in, queued, trail):
    client = signed_in("operator")
    for button in ("backup", "test", "nonsense"):
        assert client.post(PAGE, {"do": button}).status_code == 302
    assert [(name, args) for name, args, _ in queued] == [
        ("ops.schedule.tasks.perform", ("backup-full", "operator")),
        ("ops.schedule.tasks.perform", ("backup-test", "operator")),
    ]
    assert {how["queue"] for *_, how in queued} == {"long"}
    assert [event.detail for event in trail(action="command")] == ["console: backup database", "console: backup test"]


def test_the_buttons_want_a_fresh_second_factor(db, signed_in, queued):
    client = signed_in("operator")
    session = client.session
    for way in (methods := session["account_authentication_methods"]):
        way["at"] -= 3600
    session["account_authentication_methods"] = methods
    session.save()
    answer = client.post(PAGE, {"do": "backup"})
    assert (answer.status_code, "confirm" in answer["Location"], queued) == (302, True, [])


def test_who_may_only_look_has_no_buttons(db, signed_in, queued):
    client = signed_in("auditor")
    assert "Back up now" not in client.get(PAGE).content.decode()
    assert client.post(PAGE, {"do": "backup"}).status_code == 403
    assert signed_in("clinician").get(PAGE).status_code == 403
    assert queued == []


RANGE = {"begin": "2026-03-01T00:00:00+00:00", "until": "2026-03-10T12:00:00+00:00", "points": [{"name": "a"}]}


@pytest.mark.parametrize(
    ("asked", "command", "fault"),
    [
        ({}, "latest", ""),
        ({"moment": "2026-03-05T10:30"}, "--to-time 2026-03-05T10:30:00Z", ""),
        ({"moment": "2026-02-05T10:30"}, "", "That moment cannot be restored"),
        ({"moment": "2026-03-10T12:00:01"}, "", "That moment cannot be restored"),
        ({"moment": "yesterday; rm -rf"}, "", "This is no time"),
        ({"point": "a"}, "--to-point a", ""),
        ({"point": "a; rm -rf"}, "", ""),
    ],
)
def test_the_command_for_a_chosen_moment(asked, command, fault):
    choice = Choice.of(asked, RANGE)
    assert choice.fault.startswith(fault)
    assert bool(choice.commands) is bool(command)
    assert all(each.replace(" --dry-run", "").endswith(command) for each in choice.commands)
