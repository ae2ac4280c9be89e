"""From which lot a dose comes, and which records speak of a lot: the tables."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from immunizations.stock.matching import Dose, Shelf, likeness, lot_code, shelf_for

NOON = datetime(2026, 5, 17, 12, tzinfo=UTC)
LATER = timedelta(hours=1)
A, B, C = (UUID(int=number) for number in (1, 2, 3))
DOSE = Dose(True, "ab12", "08", "SKB", "clinic", "", NOON)
SHELF = Shelf(A, "ab12", "08", "SKB", "clinic", "private", NOON - LATER)


def at(key, **changes):
    return replace(SHELF, key=key, **changes)


@pytest.mark.parametrize(
    ("what", "changes", "shelves", "held", "expected"),
    [
        ("all agrees", {}, [SHELF], None, A),
        ("not given here", {"given_here": False}, [SHELF], None, None),
        ("not given here, taken before", {"given_here": False}, [SHELF], A, None),
        ("no lot number", {"code": ""}, [at(A, code="")], None, None),
        ("another number", {"code": "ab13"}, [SHELF], None, None),
        ("another vaccine", {"cvx": "43"}, [SHELF], None, None),
        ("no vaccine in the record", {"cvx": ""}, [SHELF], None, None),
        ("another manufacturer", {"mvx": "MSD"}, [SHELF], None, None),
        ("no manufacturer in the record", {"mvx": ""}, [SHELF], None, A),
        ("no manufacturer of the lot", {}, [at(A, mvx="")], None, A),
        ("another place", {"location": "annex"}, [SHELF], None, None),
        ("no place, one lot", {"location": None}, [SHELF], None, A),
        ("no place, two lots", {"location": None}, [SHELF, at(B, location="annex")], None, None),
        ("a lot without a place", {}, [at(A, location=None)], None, A),
        ("a lot at the place and one without", {}, [at(A, location=None), at(B)], None, B),
        ("two fundings, none told", {}, [SHELF, at(B, funding="public")], None, None),
        ("two fundings, public told", {"funding": "public"}, [SHELF, at(B, funding="public")], None, B),
        ("one funding, another told", {"funding": "public"}, [SHELF], None, A),
        ("entered after the dose", {}, [at(A, since=NOON + LATER)], None, None),
        ("entered after the dose, and another before", {}, [at(A, since=NOON + LATER), at(B)], None, B),
        ("held, though entered later", {}, [at(A, since=NOON + LATER)], A, A),
        ("held, where it is uncertain by now", {"location": None}, [SHELF, at(B, location="annex")], B, B),
        ("held, the place corrected", {"location": "annex"}, [SHELF, at(B, location="annex")], A, B),
        ("held, the funding corrected", {"funding": "public"}, [SHELF, at(B, funding="public")], A, B),
        ("held, the number corrected to none here", {"code": "zz"}, [SHELF], A, None),
        ("no lots", {}, [], None, None),
    ],
)
def test_a_dose_takes_one_from_the_lot_that_is_certain(what, changes, shelves, held, expected):
    assert shelf_for(replace(DOSE, **changes), shelves, held) == expected


@pytest.mark.parametrize(
    ("lot", "dose", "same_group", "expected"),
    [
        (("08", "SKB"), ("08", "SKB"), True, "certain"),
        (("08", "SKB"), ("08", ""), True, "certain"),
        (("08", ""), ("08", "SKB"), True, "certain"),
        (("08", "SKB"), ("08", "MSD"), True, "possible"),
        (("08", "SKB"), ("45", "SKB"), True, "possible"),
        (("08", "SKB"), ("45", "MSD"), True, "possible"),
        (("08", "SKB"), ("03", "SKB"), False, "possible"),
        (("08", "SKB"), ("03", ""), False, "other"),
        (("08", "SKB"), ("03", "MSD"), False, "other"),
        (("08", "SKB"), ("", ""), False, "possible"),
        (("08", "SKB"), ("", "MSD"), False, "possible"),
        (("", ""), ("08", "SKB"), False, "possible"),
    ],
)
def test_a_record_with_the_number_is_of_the_lot_or_may_be(lot, dose, same_group, expected):
    assert likeness(lot, dose, same_group) == expected


@pytest.mark.parametrize("written", ["AB-12 x", "ab12X", " A B/1.2-x", "áb12x"])
def test_a_lot_number_is_compared_by_letters_and_digits(written):
    assert lot_code(written) == "ab12x"
