"""What retention keeps: a table, properties, and the real thing on a repository."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.backup import catalogue, log
from ops.backup.catalogue import Entry, written
from ops.backup.place import place
from ops.backup.repository import repository
from ops.proof import proofs, retention
from ops.proof.chains import Chain
from ops.proof.proofs import Proof
from ops.proof.retention import Keep, reasons

USUAL = Keep(7, 4, 12, 7)
START = datetime(2024, 1, 1, 2, tzinfo=UTC)


def chain(time, type_="full"):
    name = f"{type_}-{time:%Y%m%dT%H%M%S}"
    stamp = written(time)
    return Chain((Entry(name, type_, None, "1", 1, "0/1", "0/2", stamp, stamp, stamp, 1, (), "18.1", "1", ()),))


def daily(days, archives=False):
    found = [chain(START + timedelta(days=day)) for day in range(days)]
    sundays = [chain(each.time - timedelta(hours=1), "archive") for each in found if each.time.weekday() == 6]
    return sorted(found + (sundays if archives else []), key=lambda each: each.time)


def kept(found, keep=USUAL, restored=()):
    return [chain for chain in found if reasons(found, keep, restored)[chain.id]]


@pytest.mark.parametrize(
    ("days", "keep", "expected"),
    [
        (0, USUAL, []),
        (1, USUAL, [0]),
        (5, USUAL, [0, 1, 2, 3, 4]),
        (10, Keep(3, 0, 0, 0), [7, 8, 9]),
        (10, Keep(1, 2, 0, 0), [6, 9]),  # day 6 is the Sunday of the first week
        (70, Keep(1, 0, 3, 0), [30, 59, 69]),  # the ends of January and February 2024, and today
        (400, Keep(1, 0, 0, 7), [365, 399]),
    ],
)
def test_what_is_kept_of_daily_backups(days, keep, expected):
    assert [(each.time - START).days for each in kept(daily(days), keep)] == expected


def test_four_years_of_daily_backups_leave_what_the_settings_say():
    why = reasons(daily(1500), USUAL, ())
    counts = {name: sum(name in said for said in why.values()) for name in ("daily", "weekly", "monthly", "yearly")}
    assert counts == {"daily": 7, "weekly": 4, "monthly": 12, "yearly": 5}


def test_weeks_months_and_years_prefer_an_archive():
    found = daily(120, archives=True)
    why = reasons(found, USUAL, ())
    for name in ("weekly", "monthly", "yearly"):
        chosen = [each for each in found if name in why[each.id]]
        assert chosen
        assert all(each.archive for each in chosen[:-1]), name


days = st.lists(st.integers(0, 3000), unique=True, max_size=60)


@given(days, st.builds(Keep, st.integers(1, 9), st.integers(0, 6), st.integers(0, 14), st.integers(0, 9)), st.data())
def test_the_newest_and_the_last_proven_are_never_removed_and_a_second_run_removes_nothing(days, keep, data):
    found = [chain(START + timedelta(days=day)) for day in sorted(days)]
    restored = data.draw(st.sets(st.sampled_from([each.id for each in found]))) if found else set()
    left = kept(found, keep, restored)
    assert left[-1:] == found[-1:]
    assert [each for each in left if each.id in restored][-1:] == [each for each in found if each.id in restored][-1:]
    assert kept(left, keep, restored) == left
    more = replace(keep, daily=keep.daily + 1, weekly=keep.weekly + 1, monthly=keep.monthly + 1)
    assert {each.id for each in left} <= {each.id for each in kept(found, more, restored)}


def test_a_clock_that_jumped_ahead_for_a_day_costs_no_chain_of_the_last_days_but_one():
    found = daily(30)
    ahead = chain(START + timedelta(days=4000))
    left = kept([*found[:20], ahead, *found[20:]])
    assert set(found[-6:]) <= set(left)


def names(prefix):
    return [each.name for each in repository().names(prefix)]


def test_whole_chains_go_with_the_log_and_points_before_what_is_kept(site, operate, settings):
    settings.BACKUP_KEEP_WEEKLY = settings.BACKUP_KEEP_MONTHLY = settings.BACKUP_KEEP_YEARLY = 0
    settings.BACKUP_KEEP_DAILY = 1
    with site.receiving() as caught_up:
        caught_up()
        first = [site.back_up(), site.back_up("incremental")]
        assert operate("backup", "point", "old").code == 0
        caught_up()
        second = [site.back_up(), site.back_up("incremental")]
        site.mark(1)
        assert operate("backup", "point", "new").code == 0
        caught_up()
    before = names("")
    foretold = json.loads(operate("backup", "retention", "--dry-run", "--json").out)
    assert names("") == before
    said = operate("backup", "retention", "--json")
    assert said.code == 0, said.err
    assert json.loads(said.out)["chains"] == foretold["chains"]
    assert [entry.id for entry in catalogue.catalogue(repository()).entries] == [entry.id for entry in second]
    assert not any(entry.id in name for name in names("") for entry in first)
    assert [point.name for point in catalogue.points(repository())] == ["new"]
    begin = log.number_at(second[0].start_lsn)
    numbers = [log.number(name.split("/")[2][:24]) for name in names("wal/")]
    assert min(numbers) >= begin
    assert site.read(site.restore(point="new").folder) == [1]
    assert not retention.plan(repository()).segments


def test_the_last_proven_chain_stays_with_its_log(site, settings):
    settings.BACKUP_KEEP_DAILY, settings.BACKUP_KEEP_WEEKLY = 1, 0
    settings.BACKUP_KEEP_MONTHLY = settings.BACKUP_KEEP_YEARLY = 0
    first = site.back_up()
    proofs.keep(repository(), Proof(first.id, written(datetime.now(UTC)), 1.0, 1.0, 1))
    second, third = site.back_up(), site.back_up()
    decided = retention.thin_out()
    assert decided.kept == {first.id: [retention.PROVEN], third.id: [retention.NEWEST, retention.DAILY]}
    assert [each.id for each in decided.going] == [second.id]


def test_a_removal_that_was_cut_off_is_finished_by_the_next(site):
    entry = site.back_up()
    site.back_up()
    repository().remove(f"catalogue/{entry.id}.json")
    retention.thin_out()
    assert not any(entry.id in name for name in names(""))


def test_what_is_damaged_or_has_lost_its_parent_is_left_alone(site, settings):
    settings.BACKUP_KEEP_DAILY = 1
    lost, child = site.back_up(), site.back_up("incremental")
    site.back_up()
    file = site.cluster.repository / f"catalogue/{lost.id}.json"
    file.chmod(0o600)
    file.write_bytes(b"{}")
    decided = retention.thin_out()
    assert set(decided.unclear) == {child.id, f"catalogue/{lost.id}.json"}
    assert names(f"backups/{lost.id}/")


def test_retention_waits_for_no_backup(site, operate):
    with place().locked("backup"):
        assert operate("backup", "retention").refuses("A backup runs already")


def test_a_repository_that_is_down_is_said(site, operate):
    site.cluster.repository.rmdir()
    assert operate("backup", "retention").refuses("is not there; mount its disk")
    assert operate("backup", "verify").refuses("is not there; mount its disk")
    site.cluster.repository.mkdir()
