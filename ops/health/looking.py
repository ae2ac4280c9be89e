"""The looks of the timetable: every part in a few minutes, integrity each week; what they find is kept with its age."""

from dataclasses import replace

from django.db import DatabaseError

from healthrecords.cli import Result, counted

from .models import HealthState
from .registry import GROUPS, Told, checks, of, run

LOOK = "ask-health"  # the job, which does not judge itself


def look() -> Result:
    """Ask every part; what fails is asked once more before it counts, since a moment's silence is no trouble."""
    told = run(of(*GROUPS))
    again = {each.check: each for each in run(checks()[each.check] for each in told if each.state == "problem")}
    return _kept([again.get(each.check, each) for each in told])


def look_deeply() -> Result:
    """Ask about integrity, one check after the other."""
    return _kept(run(of("integrity"), in_turn=True))


def with_age(told: list[Told]) -> list[Told]:
    """The same with `since` for what is wrong, as far as a look has seen it; without a database nothing is known."""
    if not any(each.state == "problem" for each in told) or not _database_is_good(told):
        return told
    try:
        seen = HealthState.objects.filter(state="problem").in_bulk()
    except DatabaseError:
        return told
    return [
        replace(each, since=seen[each.check].since) if each.state == "problem" and each.check in seen else each
        for each in told
    ]


def _database_is_good(told: list[Told]) -> bool:
    return all(each.state == "good" for each in told if each.check == "database")


def _kept(told: list[Told]) -> Result:
    HealthState.remember(told)
    wrong = [each.check for each in told if each.state == "problem"]
    if wrong:
        return Result(f"{counted(len(wrong), 'problem')}: {', '.join(wrong)}.", outcome="problem")
    return Result(f"Nothing is wrong in {counted(len(told), 'check')}.")
