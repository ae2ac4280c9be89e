"""The rules, each for itself: facts in, a sentence out or none."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from compliance.review import rules
from compliance.review.rules import Day, Limits, Look, Patient, Person

NOON = datetime(2026, 5, 13, 12, tzinfo=UTC)
SAM = Person("1", "Sam Snoop", "sam", "snoop", "sam@example.org", frozenset({"1 main st||12345|"}), namesakes=3)
ANN = Patient(
    "p1",
    frozenset({("ann", "berg")}),
    frozenset({"ann@example.org"}),
    frozenset({"2 oak st||99999|"}),
    cared_for=True,
)


def look(person=SAM, patient=ANN, at=NOON, **changes):
    return Look(person, patient, (at,), **changes)


def signs(one, limits=Limits()):  # noqa: B008
    return {name for name, rule in rules.RULES.items() if rule.judge(one, limits)}


def test_a_look_at_a_patient_in_care_says_nothing():
    assert signs(look()) == set()


@pytest.mark.parametrize(
    ("patient", "expected"),
    [
        (replace(ANN, emails=frozenset({"sam@example.org"})), {"own-record"}),
        (replace(ANN, names=frozenset({("sam", "snoop")})), {"own-record"}),
        (replace(ANN, names=frozenset({("eve", "snoop")})), {"own-family"}),
        (replace(ANN, addresses=SAM.addresses), {"own-address"}),
        (replace(ANN, names=frozenset({("eve", "snoop")}), addresses=SAM.addresses), {"own-family", "own-address"}),
        (replace(ANN, emails=frozenset({SAM.email}), addresses=SAM.addresses), {"own-record"}),
        (replace(ANN, watched=True), {"watched"}),
        (replace(ANN, cared_for=False), {"no-visit"}),
    ],
)
def test_each_sign_is_found_and_no_other(patient, expected):
    assert signs(look(patient=patient)) == expected


def test_a_family_name_that_many_bear_says_nothing():
    relative = replace(ANN, names=frozenset({("eve", "snoop")}))
    assert signs(look(patient=relative), Limits(namesakes=3)) == {"own-family"}
    assert signs(look(patient=relative), Limits(namesakes=2)) == set()


def test_a_person_without_a_name_or_address_shares_none():
    nobody = Person("2", "", "", "")
    assert signs(look(nobody, replace(ANN, names=frozenset({("", "")}), addresses=frozenset()))) <= {"own-record"}


def test_whoever_wrote_in_the_chart_had_something_to_do_there():
    assert signs(look(patient=replace(ANN, cared_for=False), wrote=True)) == set()


@pytest.mark.parametrize(("hour", "late"), [(5, True), (6, False), (19, False), (20, True), (23, True), (0, True)])
def test_the_working_day_ends_before_its_last_hour(hour, late):
    assert ("out-of-hours" in signs(look(at=NOON.replace(hour=hour, minute=59)))) is late


def test_a_limit_of_zero_turns_its_rule_off():
    relative = replace(ANN, names=frozenset({("eve", "snoop")}), cared_for=False)
    off = Limits(opens_hour=0, closes_hour=0, care_days=0, many_patients=0, namesakes=0)
    assert signs(look(patient=relative, at=NOON.replace(hour=3)), off) == set()
    assert rules.many_patients(day(100, 1), off) is None


def day(patients, minutes_apart):
    times = [NOON + timedelta(minutes=minutes_apart * number) for number in range(patients)]
    return Day(SAM, tuple(look(patient=replace(ANN, id=f"p{at}"), at=time) for at, time in enumerate(times)))


def test_many_patients_in_little_time():
    limits = Limits(many_patients=10, many_minutes=30)
    assert rules.many_patients(day(10, 3), limits) == (10, NOON, NOON + timedelta(minutes=27))
    assert rules.many_patients(day(9, 3), limits) is None
    assert rules.many_patients(day(10, 4), limits) is None
    assert rules.many_patients(day(20, 1), limits) == (20, NOON, NOON + timedelta(minutes=19))


def test_the_same_patient_many_times_is_one():
    again = Day(SAM, (Look(SAM, ANN, tuple(NOON + timedelta(seconds=each) for each in range(50))),))
    assert rules.many_patients(again, Limits(many_patients=2, many_minutes=30)) is None
