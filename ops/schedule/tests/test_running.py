"""One run of a job at a time, each noted, and nothing done twice because a message came twice."""

from contextlib import suppress

import pytest

from healthrecords.schedule import every
from ops.runs import Run
from ops.schedule import running, tasks
from ops.schedule.models import Standing
from ops.schedule.running import AGAIN, Busy, clear_up, perform
from ops.schedule.tests import work
from ops.schedule.tests.conftest import dead, job


def standing(name):
    return Standing.objects.get(job=name)


def told(name):
    """The records of a job, newest first: how it ended and what it said."""
    return list(Run.objects.filter(job=name).values_list("outcome", "summary"))


def test_a_run_leaves_when_it_ended_how_and_who_wanted_it(jobs):
    jobs("good")
    perform("good", "casey")
    stands = standing("good")
    assert (stands.outcome, stands.summary, stands.by, stands.running) == ("good", "done well", "casey", False)
    assert stands.begun <= stands.ended == stands.succeeded
    assert stands.seconds >= 0
    assert told("good") == [("good", "done well")]


def test_a_job_that_finds_something_ends_as_a_problem_with_what_it_found(jobs):
    jobs("finds")
    perform("finds")
    assert (standing("finds").outcome, standing("finds").succeeded) == ("problem", None)
    assert Run.objects.get(job="finds").data == {"faults": 2}


def test_a_job_that_fails_says_why_and_fails_the_task(jobs):
    jobs("fails")
    with pytest.raises(ValueError, match="no such thing"):
        perform("fails")
    assert told("fails") == [("error", "ValueError: no such thing")]


def test_what_a_job_records_itself_is_its_record(jobs, trail):
    jobs("records")
    perform("records", "casey")
    run = Run.objects.get(job="records")
    assert (run.command, run.actor, run.summary) == ("backup test", "casey", "Restored.")
    assert standing("records").summary == "Restored."
    assert len(trail(action="command")) == 1


def test_a_job_of_each_minute_leaves_a_record_only_when_something_changed(jobs, trail, monkeypatch):
    jobs("good", when=every(1))
    for _ in range(3):
        perform("good")
    assert len(told("good")) == 1
    monkeypatch.setitem(running.BY_NAME, "good", job("good", "fails", every(1)))
    for _ in range(3):
        with pytest.raises(ValueError, match="no such thing"):
            perform("good")
    monkeypatch.setitem(running.BY_NAME, "good", job("good", "good", every(1)))
    for _ in range(3):
        perform("good")
    assert [outcome for outcome, _ in told("good")] == ["good", "error", "good"]
    assert len(trail(action="command")) == 3


def test_a_message_that_comes_again_after_its_run_has_ended_does_nothing(jobs):
    jobs("good")
    perform("good", message="one")
    for message in ("one", "two", "one"):
        with suppress(Busy):
            perform("good", message=message)
    assert work.DONE == ["done", "done"]


def test_a_job_that_is_in_the_timetable_no_more_is_left_alone(db, caplog):
    tasks.perform.apply(("gone-since",), throw=True)
    assert "There is no job gone-since any more." in caplog.text


def test_two_runs_of_one_job_never_overlap(sleeper, jobs):
    jobs("sleeper")
    with pytest.raises(Busy):
        perform("sleeper", message="second")
    assert standing("sleeper").running
    assert standing("sleeper").messages == ["first"]
    assert clear_up(running.BY_NAME["sleeper"]) is False
    assert standing("sleeper").running


def test_a_run_whose_process_was_killed_is_marked_and_begun_again_by_its_message(sleeper, monkeypatch):
    dead(sleeper)
    monkeypatch.setitem(running.BY_NAME, "sleeper", job("sleeper", "good", again=True))
    assert perform("sleeper", message="first").outcome == "good"
    assert told("sleeper") == [("good", "done well"), ("error", running.GONE)]


def test_a_run_whose_process_was_killed_is_only_marked_where_its_row_says_so(sleeper, monkeypatch):
    dead(sleeper)
    monkeypatch.setitem(running.BY_NAME, "sleeper", job("sleeper", "good"))
    work.DONE.clear()
    with pytest.raises(Busy, match="handed out twice"):
        perform("sleeper", message="first")
    assert (standing("sleeper").outcome, standing("sleeper").running, work.DONE) == ("interrupted", False, [])
    perform("sleeper", message="the next turn")
    assert standing("sleeper").outcome == "good"


def test_whoever_looks_finds_the_run_of_a_killed_process_once(sleeper):
    dead(sleeper)
    again = job("sleeper", "good", again=True)
    assert clear_up(again) is True
    assert clear_up(again) is False
    assert standing("sleeper").outcome == "interrupted"


def test_a_run_that_kills_its_process_is_not_begun_again_for_ever(jobs):
    again = jobs("good", again=True)
    begun = []
    for _ in range(AGAIN + 2):
        Standing.of(again).begin("one", "timetable")
        begun.append(clear_up(again))
    assert begun == [True] * AGAIN + [False] * 2
