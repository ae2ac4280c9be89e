"""Whether two records are one dose, and which counts: the tables."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from immunizations.duplicates.decision import Dose, Finding, Reason, choose, pair_of, pairs_among

DAY = date(2024, 5, 17)
NOON = datetime(2024, 5, 17, 12, tzinfo=UTC)
HEP_B, HEP_A, PEDIARIX = frozenset({"HepB"}), frozenset({"HepA"}), frozenset({"DTAP", "HepB", "POLIO"})
DOSE = Dose("a", DAY, DAY, HEP_B, True, False, True, NOON)
MAY = {"first": date(2024, 5, 1), "last": date(2024, 5, 31)}


def on(day):
    return {"first": date(2024, 5, day), "last": date(2024, 5, day)}


CERTAIN = (Finding.CERTAIN, Reason.SAME_DAY)
OVERLAP = (Finding.REVIEW, Reason.OVERLAP)
NEAR = (Finding.REVIEW, Reason.NEAR_DAYS)
VAGUE = (Finding.REVIEW, Reason.VAGUE_DATE)


@pytest.mark.parametrize(
    ("what", "one", "other", "expected"),
    [
        ("same day, same group", {}, {}, CERTAIN),
        ("same day, unspecified", {}, {"unspecified": True}, CERTAIN),
        ("same day, historical", {}, {"administered": False}, CERTAIN),
        ("same day, another group", {}, {"groups": HEP_A}, None),
        ("same day, part of a combination", {}, {"groups": PEDIARIX}, OVERLAP),
        ("same day, same combination", {"groups": PEDIARIX}, {"groups": PEDIARIX}, CERTAIN),
        ("same day, combinations that share a part", {"groups": PEDIARIX}, {"groups": HEP_A | HEP_B}, OVERLAP),
        ("a day later", {}, on(18), NEAR),
        ("four days later", {}, on(21), NEAR),
        ("four days earlier", {}, on(13), NEAR),
        ("five days later", {}, on(22), None),
        ("near, another group", {}, {**on(18), "groups": HEP_A}, None),
        ("near, part of a combination", {}, {**on(18), "groups": PEDIARIX}, NEAR),
        ("rabies, same day", {"groups": frozenset({"RABIES"})}, {"groups": frozenset({"RABIES"})}, CERTAIN),
        ("rabies, day 0 and 3", {"groups": frozenset({"RABIES"})}, {**on(20), "groups": frozenset({"RABIES"})}, None),
        ("the month only", {}, MAY, VAGUE),
        ("the month only, both", MAY, MAY, VAGUE),
        ("the month only, another group", {}, {**MAY, "groups": HEP_A}, None),
        ("another month", on(31), {"first": date(2024, 6, 1), "last": date(2024, 6, 30)}, None),
        ("no group known", {"groups": frozenset()}, {"groups": frozenset()}, None),
    ],
)
def test_two_records_are_one_dose_or_two_or_to_be_looked_at(what, one, other, expected):
    pair = pair_of(replace(DOSE, **one), replace(DOSE, key="b", **other))
    assert (pair and (pair.finding, pair.reason)) == expected
    turned = pair_of(replace(DOSE, key="b", **other), replace(DOSE, **one))
    assert turned == pair


@pytest.mark.parametrize(
    ("what", "better", "worse"),
    [
        ("administered", {"unspecified": True, "has_lot": False}, {"administered": False}),
        ("specific", {"has_lot": False}, {"unspecified": True}),
        ("a combination", {"groups": PEDIARIX, "has_lot": False}, {}),
        ("with a lot", {}, {"has_lot": False, "entered": NOON.replace(hour=1)}),
        ("entered first", {"entered": NOON.replace(hour=1)}, {}),
    ],
)
def test_the_better_record_counts(what, better, worse):
    good, bad = replace(DOSE, key="z", **better), replace(DOSE, **worse)
    assert choose(good, bad) is choose(bad, good) is good


def test_among_many_doses_every_near_pair_is_found_and_no_other():
    days = [1, 2, 6, 11, 11]
    doses = [replace(DOSE, key=f"{at}", **on(day)) for at, day in enumerate(days)]
    found = {(pair.first, pair.second) for pair in pairs_among(reversed(doses))}
    assert found == {("0", "1"), ("1", "2"), ("3", "4")}


def test_a_month_is_compared_with_each_day_in_it():
    doses = [replace(DOSE, key="m", **MAY), *(replace(DOSE, key=f"{day}", **on(day)) for day in (1, 15, 31))]
    assert {(pair.first, pair.second) for pair in pairs_among(doses)} == {("1", "m"), ("15", "m"), ("31", "m")}
