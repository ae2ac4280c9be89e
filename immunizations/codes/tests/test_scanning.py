"""From a scan to the vaccine, against the shipped tables."""

from datetime import date
from decimal import Decimal

import pytest

from immunizations.codes.gs1 import GS, check_digit
from immunizations.codes.scanning import scan

TODAY = date(2026, 3, 1)
pytestmark = pytest.mark.usefixtures("tables")


def gtin_of(ndc10: str, level: str = "0") -> str:
    body = f"{level}03{ndc10}"
    return body + check_digit(body)


def test_a_scanned_syringe_fills_vaccine_manufacturer_ndc_dose_lot_and_expiry():
    found = scan(f"]d201{gtin_of('4928142588')}21SER-1{GS}1726063010U8123AA", TODAY)
    assert (found.cvx, found.mvx, found.ndc) == ("140", "PMC", "49281-0425-88")
    assert (found.dose, found.lot, found.serial) == (Decimal("0.5"), "U8123AA", "SER-1")
    assert (found.expiry, found.gtin) == (date(2026, 6, 30), "00349281425882")
    assert found.product.name == "FLUZONE TRIVALENT NORTHERN HEMISPHERE"
    assert found.ok


def test_a_carton_leads_to_the_same_vaccine_and_the_dose_of_its_syringes():
    found = scan(f"(01){gtin_of('4928142550')}(17)260630(10)U1", TODAY)
    assert (found.product.unit, found.cvx, found.mvx, found.dose) == ("sale", "140", "PMC", Decimal("0.5"))
    assert found.ok


def test_the_packaging_level_in_the_gtin_does_not_matter():
    assert scan(f"(01){gtin_of('4928142588', '5')}", TODAY).ndc == "49281-0425-88"


@pytest.mark.parametrize("text", ["49281-425-88", "4928142588", "49281042588", "49281-0425-88", "349281425882"])
def test_a_linear_code_and_a_typed_ndc_lead_to_the_product(text):
    found = scan(text, TODAY)
    assert (found.ndc, found.cvx, found.problems) == ("49281-0425-88", "140", ())


def test_the_ndc_that_a_code_states_for_itself_is_taken():
    assert scan("(01)09521101530001(715)49281042588", TODAY).ndc == "49281-0425-88"


def test_an_expired_lot_is_said_at_once_and_everything_else_is_still_filled():
    found = scan(f"(01){gtin_of('4928142588')}(17)260228(10)U8123AA", TODAY)
    assert found.problems == ("Lot U8123AA expired on 2026-02-28; do not give it.",)
    assert (found.cvx, found.lot) == ("140", "U8123AA")


def test_a_lot_may_be_given_through_its_last_day():
    assert scan(f"(01){gtin_of('4928142588')}(17)260301(10)U1", TODAY).ok
    assert scan(f"(01){gtin_of('4928142588')}(17)260300(10)U1", TODAY).expiry == date(2026, 3, 31)


def test_a_wrong_check_digit_is_said_and_no_product_is_guessed():
    found = scan("(01)00349281425880(17)260630(10)U1", TODAY)
    assert found.problems == ("The check digit of (01) 00349281425880 is wrong (it would be 2); scan it again.",)
    assert (found.product, found.cvx, found.ndc, found.lot) == (None, "", "", "U1")


def test_a_code_that_cannot_be_read_is_one_problem():
    assert scan("hello", TODAY).problems == ("The barcode has an unknown identifier at “hell”.",)


def test_a_product_that_is_two_vaccines_leaves_the_choice():
    found = scan("(01)10358160821438(10)A1", TODAY)
    assert (found.cvx, found.cvx_choices, found.mvx) == ("", ("43", "44"), "SKB")
    assert found.problems == ("ENGERIX-B may be CVX 43 or 44; choose the vaccine.",)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            f"(01){gtin_of('9999999999')}",
            "NDC 9999999999 is in no code table here; choose the vaccine by its trade name, or load newer tables.",
        ),
        (
            "(01)09521101530001",
            "GTIN 09521101530001 is not of a US drug, so that it names no NDC; choose the vaccine by its trade name.",
        ),
        ("(10)U1", "The barcode names no product; choose the vaccine by its trade name."),
        ("(715)12AB", "12AB is no NDC; scan it again."),
    ],
)
def test_a_product_that_is_not_known_is_said(text, sentence):
    assert scan(text, TODAY).problems == (sentence,)
