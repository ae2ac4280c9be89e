"""What screens and the API ask the shipped tables."""

from datetime import date
from decimal import Decimal

import pytest

from immunizations.codes import lookup
from immunizations.codes.ndc import candidates

TODAY = date(2026, 3, 1)
pytestmark = pytest.mark.usefixtures("tables")


def names(groups):
    return [group.name for group in groups]


def test_a_vaccine_is_known_by_its_code_with_its_status():
    found = lookup.vaccine("140")
    assert (found.short, found.status) == ("Influenza, split virus, trivalent, PF", "Active")
    assert lookup.vaccine("01").status == "Inactive"
    assert lookup.is_known("03")
    assert not lookup.is_known("3")
    assert lookup.vaccine("4711") is None


def test_a_manufacturer_is_known_by_its_code():
    assert lookup.manufacturer("PMC").name == "Sanofi Pasteur"
    assert lookup.manufacturer("XXX") is None


def test_a_combination_counts_for_all_its_groups():
    assert names(lookup.groups_of("110")) == ["DTAP", "HepB", "POLIO"]
    assert lookup.vaccine("110").is_combination
    assert [(group.name, group.cvx) for group in lookup.groups_of("03")] == [("MMR", "03")]
    assert not lookup.vaccine("03").is_combination
    assert names(lookup.groups_of("94")) == ["MMR", "VARICELLA"]
    assert lookup.groups_of("4711") == ()


@pytest.mark.parametrize("cvx", ["88", "107", "45", "213", "164", "999", "139"])
def test_a_code_that_names_the_group_only_is_unspecified(cvx):
    assert lookup.vaccine(cvx).is_unspecified


@pytest.mark.parametrize("cvx", ["140", "20", "08", "196", "03"])
def test_a_code_that_names_a_vaccine_is_specific(cvx):
    assert not lookup.vaccine(cvx).is_unspecified


@pytest.mark.parametrize("ndc", ["49281-425-88", "4928142588", "49281042588", "49281-0425-88"])
def test_a_unit_of_use_is_found_by_every_form_of_its_ndc(ndc):
    found = lookup.product_by_ndc(ndc)
    assert (found.unit, found.ndc, found.cvx, found.mvx) == ("use", "49281-0425-88", "140", "PMC")
    assert (found.dose, found.dose_is_stated, found.route) == (Decimal("0.5"), True, "INTRAMUSCULAR")


def test_a_unit_of_sale_has_the_vaccine_and_the_maker_of_what_is_inside():
    found = lookup.product_by_ndc("49281-425-50")
    assert (found.unit, found.cvx, found.mvx) == ("sale", "140", "PMC")


def test_labels_of_four_and_of_five_digits_are_found():
    assert lookup.product_by_ndc("0006-4681-01").name == "M-M-R II"  # 4-4-2
    assert lookup.product_by_ndc("00006468101").name == "M-M-R II"
    assert lookup.product_by_ndc("0006468101").name == "M-M-R II"


def test_what_is_no_ndc_finds_nothing():
    assert [lookup.product_by_ndc(text) for text in ("", "x", "123", "1-2-3", "99999-9999-99")] == [None] * 5


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("0006-4681-01", ["00006-4681-01"]),
        ("49281-425-88", ["49281-0425-88"]),
        ("12345-6789-1", ["12345-6789-01"]),
        ("1234567890", ["01234-5678-90", "12345-0678-90", "12345-6789-00"]),
        ("6940100002", ["06940-1000-02", "69401-0000-02"]),
        ("٤٩٢٨١٠٤٢٥٨٨", []),
    ],
)
def test_an_ndc_is_brought_to_eleven_digits(text, found):
    assert candidates(text) == found


def test_the_volume_of_a_multi_dose_vial_is_no_dose():
    found = lookup.product_by_ndc("49281-643-78")
    assert (found.form, found.dose) == ("VIAL, 5 mL, MULTI-DOSE", None)
    found = lookup.product_by_ndc("71665-330-01")
    assert (found.form, found.dose) == ("VIAL, 0.3 mL, MULTI-DOSE", None)


def test_a_dose_that_cdc_does_not_state_is_the_usual_one_of_the_vaccine():
    found = lookup.product_by_ndc("58160-842-43")
    assert (found.name, found.dose, found.dose_is_stated) == ("BOOSTRIX", Decimal("0.5"), False)
    assert lookup.product_by_ndc("58160-821-43").dose is None  # adult or dialysis: 1 or 2 mL


def test_a_unit_that_cdc_lists_twice_has_the_maker_of_its_own_labeler():
    assert lookup.product_by_ndc("70461-020-04").mvx == "SEQ"
    assert lookup.product_by_ndc("66521-114-02").mvx == "NOV"


def test_a_trade_name_offers_products_with_vaccine_maker_ndc_and_dose_what_is_sold_now_first():
    found = lookup.products_by_name("boostr", today=TODAY)
    assert [(each.cvx, each.mvx, each.dose) for each in found[:2]] == [("115", "SKB", Decimal("0.5"))] * 2
    assert [each.is_sold_on(TODAY) for each in found] == [True, True, False, False]
    assert found[0].ndc == "58160-0842-01"


@pytest.mark.parametrize("typed", ["m-m-r", "MMR", "mmr ii"])
def test_a_name_is_found_however_it_is_typed(typed):
    assert lookup.products_by_name(typed, today=TODAY)[0].name == "M-M-R II"
    assert lookup.products_by_name("yfvax", today=TODAY)[0].name == "YF-VAX"


def test_a_trade_name_without_an_ndc_is_offered_after_those_with_one():
    found = lookup.products_by_name("fluzone high", today=TODAY)
    assert found[0].ndc == "49281-0125-88"
    assert ("name", "135") in {(each.unit, each.cvx) for each in found}


def test_nothing_typed_offers_nothing_and_a_list_is_short():
    assert lookup.products_by_name("  ", today=TODAY) == []
    assert len(lookup.products_by_name("f", today=TODAY)) == 20


def test_a_vaccine_has_its_current_statements_first_with_their_addresses():
    found = lookup.statements_of("03")
    assert found[0].is_current
    assert found[0].name == "MMR Vaccine (Measles, Mumps, and Rubella) VIS"
    assert found[0].pdf.endswith("/mmr.pdf")
    assert [each.is_current for each in found] == sorted((each.is_current for each in found), reverse=True)
    assert lookup.statements_of("4711") == ()


def test_the_tables_are_read_once(django_assert_num_queries):
    lookup.current()
    with django_assert_num_queries(0):
        lookup.vaccine("140")
        lookup.products_by_name("fluz", today=TODAY)
