"""The stock page: deliveries, losses, counts, and a recall with the list of who got the lot."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from healthrecords.cli import host_request
from immunizations.models import Immunization
from immunizations.stock import actions, listing
from immunizations.stock.models import Lot
from immunizations.tests.samples import SID, coded, given
from immunizations.tests.test_admin_entry import GOOD, at, visit
from patients.models import Patient

STOCK = "/admin/immunizations/lot/"
DELIVERY = {"lot-vaccine": "Fluzone", "lot-cvx": "140", "lot-mvx": "PMC", "lot-ndc": "49281-0425-88",
            "lot-lot": "U8123AA", "lot-expires": "2029-06-30", "lot-quantity": "10",
            "lot-funding": "private", "lot-threshold": "3"}  # fmt: skip


@pytest.fixture
def nurse(signed_in: Callable[..., Client]) -> Client:
    return signed_in("immunization-nurse")


@pytest.fixture
def maria(integrator: Any) -> Patient:
    return Patient.objects.get(logical_id=integrator.create()["id"])


@pytest.fixture
def lot(db: None) -> Lot:
    """Ten doses of Fluzone."""
    expires = timezone.localdate() + timedelta(days=400)
    delivery = actions.Delivery("U8123AA", 10, "140", "49281-0425-88", "PMC", expires, threshold=3)
    return actions.receive(delivery, host_request("stock test")).lot


def page(lot: Lot, screen: str = "") -> str:
    return f"{STOCK}{lot.pk}/{screen}"


def on_hand(lot: Lot) -> int:
    return listing.line_of(lot).on_hand


def test_a_delivery_is_entered_and_listed(nurse):
    answer = nurse.post(f"{STOCK}receive/", DELIVERY)
    [line] = listing.lines()
    assert answer["Location"] == page(line.lot)
    assert (line.on_hand, line.lot.lot_number, line.lot.threshold) == (10, "U8123AA", 3)
    shown = nurse.get(STOCK).content.decode()
    assert "U8123AA" in shown
    assert "<strong>10</strong>" in shown


@pytest.mark.parametrize(("name", "text", "told"), [
    ("lot-lot", "", "Write the lot number on the box."), ("lot-expires", "2029", "Write the last day"),
    ("lot-quantity", "0", "greater than or equal to 1"), ("lot-cvx", "", "so that its CVX code is known"),
    ("lot-cvx", "08", "which is not CVX 08"), ("lot-ndc", "00000-0000-00", "is in no code table here"),
])  # fmt: skip
def test_a_wrong_delivery_is_refused_and_keeps_what_was_typed(nurse, name, text, told):
    answer = nurse.post(f"{STOCK}receive/", {**DELIVERY, name: text})
    assert answer.status_code == 200
    assert told in answer.content.decode()
    assert 'value="Fluzone"' in answer.content.decode()
    assert not Lot.objects.exists()


@pytest.mark.parametrize(("deed", "sent", "left"), [
    ("waste", {"waste-quantity": "2", "waste-reason": "dropped"}, 8), ("count", {"count-quantity": "9"}, 9),
])  # fmt: skip
def test_losses_and_counts_change_what_is_on_hand(nurse, lot, deed, sent, left):
    assert nurse.post(page(lot), {"do": deed, **sent}).status_code == 302
    assert on_hand(lot) == left


@pytest.mark.parametrize(("sent", "told"), [
    ({"do": "waste", "waste-quantity": "11", "waste-reason": "dropped"}, "There are 10 doses"),
    ({"do": "waste", "waste-quantity": "1", "waste-reason": ""}, "Give a reason"),
    ({"do": "count", "count-quantity": "many"}, "Enter a whole number"),
    ({"do": "expire"}, "has not expired"),
])  # fmt: skip
def test_what_cannot_be_is_said_beside_the_form(nurse, lot, sent, told):
    answer = nurse.post(page(lot), sent)
    assert answer.status_code == 200
    if sent["do"] != "expire":  # that form shows for expired lots alone
        assert told in answer.content.decode()
    assert on_hand(lot) == 10


def test_the_threshold_decides_what_needs_attention(nurse, lot):
    assert b"needs attention." not in nurse.get(STOCK).content
    nurse.post(page(lot), {"do": "threshold", "threshold-quantity": "11"})
    assert b"1 lot needs attention" in nurse.get(STOCK).content
    assert b"Few left" in nurse.get(f"{STOCK}?problems=on").content


def test_a_dose_recorded_takes_one_from_its_lot_and_gives_it_back_on_error(nurse, lot, maria):
    nurse.post(at(maria), visit(GOOD))
    assert on_hand(lot) == 9
    nurse.post(f"/admin/immunizations/immunization/{Immunization.objects.get().pk}/error/", {"expected": "1"})
    assert on_hand(lot) == 10
    ledger = nurse.get(page(lot)).content.decode()
    assert "Given back" in ledger
    assert "immunization-nurse" in ledger


def test_a_lot_in_stock_is_offered_first(nurse, lot):
    first = nurse.get("/admin/immunizations/immunization/offers/", {"q": "fluzone"}).json()["offers"][0]
    assert (first["line"]["lot"], first["line"]["expires"]) == ("U8123AA", lot.expires.isoformat())
    assert "10 left" in first["detail"]


def test_a_recall_marks_the_lot_and_lists_who_got_it_with_rows(nurse, lot, maria, trail):
    nurse.post(at(maria), visit(GOOD))
    assert nurse.post(page(lot, "recall/"), {"do": "recall", "reason": "Glass in vials"}).status_code == 302
    shown = nurse.get(page(lot, "recall/")).content.decode()
    for words in ("1 patient got this lot", "Maria Louise Jansen", "Glass in vials", "This lot"):
        assert words in shown
    [row] = trail(action="search", actor="immunization-nurse", patient=maria.logical_id)
    dose = Immunization.objects.get()
    assert set(row.resources) == {f"Immunization/{dose.logical_id}", f"Patient/{maria.logical_id}"}
    assert b"Recalled: set aside" in nurse.get(STOCK).content


def test_a_recalled_lot_is_refused_unless_it_was_given_all_the_same(nurse, lot, maria):
    nurse.post(page(lot, "recall/"), {"do": "recall", "reason": "Glass in vials"})
    scanned = nurse.get("/admin/immunizations/immunization/scan/", {"text": GOOD["barcode"]}).json()
    assert "was recalled" in " ".join(scanned["problems"])
    assert b"was recalled" in nurse.post(at(maria), visit(GOOD)).content
    assert not Immunization.objects.exists()
    nurse.post(at(maria), visit({**GOOD, "subpotent": "on"}))
    assert Immunization.objects.get().subpotent is True


def test_a_recall_without_a_reason_is_refused_and_one_can_be_taken_back(nurse, lot):
    assert b"Give a reason" in nurse.post(page(lot, "recall/"), {"do": "recall", "reason": ""}).content
    nurse.post(page(lot, "recall/"), {"do": "recall", "reason": "Glass"})
    lot.refresh_from_db()
    assert lot.recalled_at
    nurse.post(page(lot, "recall/"), {"do": "undo"})
    lot.refresh_from_db()
    assert lot.recalled_at is None


def test_the_list_leaves_as_a_file_without_formulas_and_with_an_export_row(nurse, lot, integrator, trail):
    patient = integrator.create(name=[{"text": '=HYPERLINK("http://x")'}])
    integrator.create(given(patient["id"], lotNumber="U8123AA", vaccineCode=coded(f"{SID}/cvx", "140")))
    answer = nurse.get(page(lot, "recipients.csv"))
    assert answer["Content-Type"].startswith("text/csv")
    assert "'=HYPERLINK" in answer.content.decode()
    [row] = trail(action="export", actor="immunization-nurse")
    assert row.patient == patient["id"]


def test_no_list_leaves_when_its_rows_cannot_be_written(nurse, lot, integrator, request):
    integrator.create(given(integrator.create()["id"], lotNumber="U8123AA", vaccineCode=coded(f"{SID}/cvx", "140")))
    request.getfixturevalue("broken_trail")
    nurse.raise_request_exception = False
    for screen in ("recall/", "recipients.csv"):
        answer = nurse.get(page(lot, screen))
        assert (answer.status_code, b"Jansen" in answer.content) == (500, False)


def test_front_desk_sees_the_stock_and_changes_nothing(signed_in, lot):
    client = signed_in("front-desk")
    assert b"U8123AA" in client.get(STOCK).content
    assert b"Receive vaccine" not in client.get(STOCK).content
    assert b"Enter loss" not in client.get(page(lot)).content
    refused = [
        client.get(f"{STOCK}receive/"), client.post(page(lot), {"do": "count", "count-quantity": "1"}),
        client.post(page(lot, "recall/"), {"do": "recall", "reason": "x"}), client.get(page(lot, "recipients.csv")),
    ]  # fmt: skip
    assert [answer.status_code for answer in refused] == [403] * 4
    assert on_hand(lot) == 10


def test_a_lot_that_is_not_there_is_not_found(nurse):
    assert nurse.get(f"{STOCK}none/").status_code == 404
