"""Barcodes as readers type them."""

import string
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from immunizations.codes import gs1

TODAY = date(2026, 3, 1)
GS = gs1.GS
CSET_82 = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize(
    ("number", "digit"),
    [
        ("629104150021", "3"),  # GTIN-13, GS1's worked example of the check digit calculation
        ("37610425002123456", "9"),  # SSCC, the same
        ("0952110153000", "1"),  # GTIN-14, GS1 General Specifications' example company
        ("0345312000001", "1"),  # GTIN-14, GS1 DataMatrix Guideline
        ("400638133393", "1"),  # GTIN-13
        ("03600029145", "2"),  # UPC-A
    ],
)
def test_check_digits_are_those_of_the_standard(number, digit):
    assert gs1.check_digit(number) == digit


# GS1 DataMatrix Guideline, 2.2: one label in every form in which a reader may type it.
@pytest.mark.parametrize(
    "text",
    [
        "(01)03453120000011(17)191125(10)ABCD1234(21)10",
        f"]d201034531200000111719112510ABCD1234{GS}2110",
        f"{GS}01034531200000111719112510ABCD1234{GS}2110",
        f"01034531200000111719112510ABCD1234{GS}2110",
        f"]C1{GS}0103453120000011{GS}17191125{GS}10ABCD1234{GS}2110{GS}",
        "]d201034531200000111719112510ABCD1234<GS>2110\r\n",
        "01034531200000111719112510ABCD1234\u241d2110",
        "]d2(01)03453120000011(17)191125(10)ABCD1234(21)10",
    ],
)
def test_one_label_reads_the_same_in_every_form(text):
    label = gs1.read(text, date(2018, 1, 1))
    assert (label.gtin, label.lot, label.serial) == ("03453120000011", "ABCD1234", "10")
    assert (label.expiry, label.problems) == (date(2019, 11, 25), ())


def test_without_separators_the_last_element_may_be_of_any_length():
    assert gs1.parse("01034531200000111719112510ABCD1234") == {"01": "03453120000011", "17": "191125", "10": "ABCD1234"}


def test_a_value_may_look_like_an_identifier():
    assert gs1.parse(f"1017{GS}2101") == {"10": "17", "21": "01"}
    assert gs1.parse("10a(b)c") == {"10": "a(b)c"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "The barcode is empty."),
        ("]d2", "The barcode is empty."),
        ("0903453120000011", "The barcode has an unknown identifier at “0903”."),
        ("(09)123", "The barcode has an unknown identifier, (09)."),
        ("010345312000001", "The barcode ends too early: (01) holds only “0345312000001”."),
        (f"010345{GS}10A", "The barcode ends too early: (01) holds only “0345”."),
        ("(01)0345312000001X", "The barcode is malformed: (01) cannot be “0345312000001X”."),
        ("(17)1911", "The barcode is malformed: (17) cannot be “1911”."),
        ("10AB CD", "The barcode is malformed: (10) cannot be “AB CD”."),
        (f"10{GS}2110", "The barcode ends too early: (10) holds only “”."),
        ("(01", "The barcode is malformed: it has to begin with an identifier such as (01)."),
        ("10AAA\x1d10BBB", "The barcode gives (10) twice, as AAA and as BBB."),
        ("]d1010345312000001", "The barcode is no GS1 code: its reader says “]d1” where ]d2 is expected."),
        ("hello", "The barcode has an unknown identifier at “hell”."),
        (
            "010345312000001121123456789012345671719112510ABCD1234",
            (
                "The barcode is malformed: (21) is longer than 20 characters; "
                "the reader may leave out the separators (set it to send GS)."
            ),
        ),
    ],
)
def test_what_cannot_be_read_is_told_in_one_sentence(text, sentence):
    with pytest.raises(gs1.BarcodeError) as told:
        gs1.read(text, TODAY)
    assert str(told.value) == sentence


def test_wrong_check_digits_and_impossible_days_are_told_together():
    label = gs1.read("(01)03453120000012(17)260230(11)261301", TODAY)
    assert label.problems == (
        "The check digit of (01) 03453120000012 is wrong (it would be 1); scan it again.",
        "The expiry date (17) 260230 is no day of the calendar.",
        "The production date (11) 261301 is no day of the calendar.",
    )
    assert (label.expiry, label.produced) == (None, None)


@pytest.mark.parametrize(
    ("today", "written", "day"),
    [
        (date(2026, 1, 1), "260615", date(2026, 6, 15)),
        (date(2026, 1, 1), "760101", date(2076, 1, 1)),  # 50 years ahead: this century
        (date(2026, 1, 1), "770101", date(1977, 1, 1)),  # 51: the one before
        (date(2099, 1, 1), "010101", date(2101, 1, 1)),  # 98 behind: the next
        (date(2060, 1, 1), "100101", date(2110, 1, 1)),  # 50 behind: the next
        (date(2060, 1, 1), "110101", date(2011, 1, 1)),  # 49: this century
        (date(2026, 1, 1), "280200", date(2028, 2, 29)),  # day 00: the last, of a leap year
        (date(2026, 1, 1), "270200", date(2027, 2, 28)),
        (date(2026, 1, 1), "261200", date(2026, 12, 31)),
    ],
)
def test_the_century_and_the_last_day_of_a_month_are_worked_out(today, written, day):
    """GS1 General Specifications 7.12 and 3.4."""
    assert gs1.day(written, today) == day


@pytest.mark.parametrize("written", ["260001", "261301", "260431", "270229", "260132"])
def test_a_day_that_does_not_exist_is_refused(written):
    with pytest.raises(ValueError, match=r"month|day"):
        gs1.day(written, TODAY)


def test_the_ndc_is_inside_the_gtin_of_a_us_drug_at_every_packaging_level():
    assert gs1.ndc_of("00349281425882") == "4928142588"
    assert gs1.ndc_of("50349281425887") == "4928142588"
    assert gs1.ndc_of("09521101530001") == ""


@pytest.mark.parametrize("text", ["349281425882", "0349281425882", "00349281425882", "]E00349281425882"])
def test_digits_alone_are_a_upc_an_ean_or_a_gtin(text):
    label = gs1.read(text, TODAY)
    assert (label.gtin, label.ndc) == ("00349281425882", "")
    assert label.problems == ()


def test_a_upc_with_a_wrong_check_digit_is_told():
    assert gs1.read("349281425880", TODAY).problems == (
        "The check digit of barcode 349281425880 is wrong (it would be 2); scan it again.",
    )


@pytest.mark.parametrize("text", ["4928142588", "49281042588", "49281-425-88", "49281-0425-88"])
def test_an_ndc_alone_is_an_ndc(text):
    assert gs1.read(text, TODAY).ndc == text


def test_every_identifier_has_one_format_and_none_begins_another():
    formats = gs1._formats()
    assert len(formats) > 400
    assert not [(a, b) for a in formats for b in formats if a != b and b.startswith(a)]
    assert formats["01"].length == 14
    assert formats["10"].length is None
    assert formats["7007"].longest == 12


# --- Round trip ---------------------------------------------------------------------------------------------------

_FIXED = {"01", "02", "11", "13", "15", "17", "20"}  # predefined lengths: no separator after them


def _gtins():
    return st.text(string.digits, min_size=13, max_size=13).map(lambda body: body + gs1.check_digit(body))


def _days():
    return st.dates(date(1977, 1, 1), date(2076, 12, 31)).map(lambda day: f"{day:%y%m%d}")


def _texts(longest):
    """Text of an element; "<GS>" is how some readers show a separator, so that no lot can be called that."""
    return st.text(CSET_82, min_size=1, max_size=longest).filter(lambda text: "<GS>" not in text)


LABELS = st.fixed_dictionaries(
    {"01": _gtins()},
    optional={
        "17": _days(),
        "11": _days(),
        "10": _texts(20),
        "21": _texts(20),
        "240": _texts(30),
        "30": st.integers(0, 99999999).map(str),
        "3103": st.integers(0, 999999).map("{:06}".format),
        "710": _texts(20),
        "8003": _gtins().map(lambda gtin: "0" + gtin[1:13] + gs1.check_digit("0" + gtin[1:13])),
    },
)


def encode(elements, prefix="]d2"):
    """Write an element string as a symbol holds it, with FNC1 only where it is needed."""
    text = prefix
    for ai, value in elements:
        text += f"{ai}{value}" + ("" if ai in _FIXED else GS)
    return text.removesuffix(GS)


@given(LABELS.flatmap(lambda label: st.permutations(list(label.items()))), st.sampled_from(["", "]d2", "]C1", GS]))
def test_what_was_encoded_is_read_again(elements, prefix):
    label = gs1.read(encode(elements, prefix), TODAY)
    assert label.elements == dict(elements)
    assert label.problems == ()
    if "17" in label.elements:
        assert f"{label.expiry:%y%m%d}" == label.elements["17"]


@given(LABELS.flatmap(lambda label: st.permutations(list(label.items()))))
def test_what_was_printed_is_read_again(elements):
    plain = [(ai, value.replace("(", "-").replace(")", "-")) for ai, value in elements]
    assert gs1.parse("".join(f"({ai}){value}" for ai, value in plain)) == dict(plain)


@given(_gtins(), st.integers(0, 12), st.integers(1, 9))
def test_any_single_wrong_digit_is_found(gtin, place, step):
    wrong = gtin[:place] + str((int(gtin[place]) + step) % 10) + gtin[place + 1 :]
    assert gs1.read(f"(01){wrong}", TODAY).problems


@given(st.text(max_size=60))
def test_whatever_is_typed_is_read_or_told(text):
    try:
        told = gs1.read(text, TODAY).problems
    except gs1.BarcodeError as fault:
        told = (str(fault),)
    assert all(sentence.endswith(".") for sentence in told)
