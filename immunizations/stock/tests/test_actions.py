"""Deliveries, losses, counts, transfers and recalls, as commands and screens ask for them."""

import threading
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connections, transaction

from immunizations.stock import actions, listing
from immunizations.stock.actions import Delivery
from immunizations.stock.listing import Facts, Problem, problems_of
from immunizations.stock.models import Lot, StockMovement
from immunizations.stock.tests.conftest import dose, ledger, on_hand, today

TODAY = today()
SOON, LATER = TODAY + timedelta(days=30), TODAY + timedelta(days=31)
YESTERDAY = TODAY - timedelta(days=1)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (Facts(5), ()),
        (Facts(5, threshold=5), ()),
        (Facts(4, threshold=5), (Problem.LOW,)),
        (Facts(0, threshold=5), (Problem.LOW,)),
        (Facts(0, threshold=5, replaced=True), ()),
        (Facts(4, threshold=5, replaced=True), (Problem.LOW,)),
        (Facts(0), ()),
        (Facts(-1, threshold=5), (Problem.NEGATIVE,)),
        (Facts(5, expires=TODAY), (Problem.NEAR_EXPIRY,)),
        (Facts(5, expires=SOON), (Problem.NEAR_EXPIRY,)),
        (Facts(5, expires=LATER), ()),
        (Facts(5, expires=YESTERDAY), (Problem.EXPIRED,)),
        (Facts(0, expires=YESTERDAY), ()),
        (Facts(0, threshold=5, expires=YESTERDAY), ()),
        (Facts(-1, expires=YESTERDAY), (Problem.NEGATIVE,)),
        (Facts(5, recalled=True), (Problem.RECALLED,)),
        (Facts(0, threshold=5, recalled=True), ()),
        (Facts(1, 5, YESTERDAY, recalled=True), (Problem.RECALLED, Problem.EXPIRED)),
    ],
)
def test_a_lot_is_listed_for_what_is_wrong_with_it(facts, expected):
    assert problems_of(facts, TODAY) == expected


def test_deliveries_of_one_lot_add_up_however_its_number_is_written(receive, by):
    lot = receive("AB-12 x", 10)
    change = actions.receive(Delivery("ab12X", 5, cvx="08", expires=lot.expires), by)
    assert (change.lot.pk, change.on_hand) == (lot.pk, 15)


def test_a_product_fills_in_vaccine_manufacturer_and_name(by):
    lot = actions.receive(Delivery("AB12X", 10, ndc="58160-0820-52"), by).lot
    assert (lot.cvx, lot.mvx) == ("08", "SKB")
    assert "ENGERIX" in lot.product.upper()


def test_a_later_delivery_adds_what_was_not_known(receive, by):
    lot = receive(expires=None)
    later = actions.receive(Delivery("AB12X", 1, cvx="08", mvx="SKB", expires=SOON, threshold=3), by).lot
    assert (later.pk, later.mvx, later.expires, later.threshold) == (lot.pk, "SKB", SOON, 3)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"quantity": 0}, "1 to 100000"),
        ({"quantity": 100_001}, "1 to 100000"),
        ({"lot_number": " -/ "}, "letters or digits"),
        ({"lot_number": "A" * 41}, "at most 40"),
        ({"cvx": ""}, "Name the vaccine"),
        ({"cvx": "12345"}, "is no CVX code"),
        ({"mvx": "NOBODY"}, "is no MVX code"),
        ({"ndc": "00000-0000-00"}, "is in no code table"),
        ({"cvx": "03", "ndc": "58160-0820-52"}, "which is not CVX 03"),
        ({"funding": "gift"}, "private or public"),
        ({"location": "nowhere"}, "There is no location"),
        ({"expires": SOON}, "look at the box"),
        ({"mvx": "MSD"}, "look at the box"),
    ],
)
def test_a_delivery_that_cannot_be_is_refused_and_leaves_nothing(receive, by, changes, told):
    receive(mvx="SKB")
    with pytest.raises(ValidationError, match=told):
        actions.receive(Delivery(**{"lot_number": "AB12X", "quantity": 5, "cvx": "08", **changes}), by)
    assert (Lot.objects.count(), StockMovement.objects.count()) == (1, 1)


def test_a_loss_needs_a_reason_and_as_many_doses(receive, by):
    lot = receive(quantity=3)
    actions.waste(lot, 2, "broken", by)
    for quantity, reason in ((1, "  "), (2, "broken")):
        with pytest.raises(ValidationError):
            actions.waste(lot, quantity, reason, by)
    assert ledger(lot) == [("received", 3), ("wasted", -2)]


@pytest.mark.parametrize(("found", "difference"), [(7, -3), (10, 0), (12, 2), (0, -10)])
def test_a_count_sets_what_is_on_hand(receive, by, found, difference):
    lot = receive()
    change = actions.count(lot, found, by, "monthly")
    assert (change.on_hand, change.movement.quantity, change.movement.counted) == (found, difference, found)


def test_what_is_left_of_an_expired_lot_is_taken_out(receive, by):
    lot = receive(expires=YESTERDAY)
    assert actions.expire(lot, by).on_hand == 0
    with pytest.raises(ValidationError, match="has not expired"):
        actions.expire(receive("B1"), by)


def test_doses_moved_to_another_place_keep_their_lot(receive, by, integrator):
    place = integrator.create({"resourceType": "Location", "name": "Annex"})["id"]
    lot = receive()
    assert actions.transfer(lot, 4, place, by).on_hand == 6
    there = Lot.objects.get(location=place)
    assert (there.lot_number, there.expires, on_hand(there)) == (lot.lot_number, lot.expires, 4)
    assert actions.transfer(there, 4, "", by).on_hand == 0
    assert on_hand(lot) == 10
    with pytest.raises(ValidationError, match="at that place already"):
        actions.transfer(lot, 1, "", by)


@contextmanager
def meanwhile(work):
    """Somebody else does `work` while the block's transaction is open, and must wait for its end."""
    outcomes = []

    def other():
        try:
            outcomes.append(work())
        except ValidationError as fault:
            outcomes.append(fault.messages[0])
        connections.close_all()

    person = threading.Thread(target=other)
    with transaction.atomic():
        yield outcomes
        person.start()
        person.join(1)
        assert outcomes == []
    person.join()


def test_the_last_doses_are_lost_once_when_two_people_enter_it(receive, by):
    lot = receive(quantity=5)
    with meanwhile(lambda: actions.waste(lot, 5, "power cut", by)) as told:
        actions.waste(lot, 5, "power cut", by)
    assert told == ["There are 0 doses of the lot AB12X of CVX 08, not 5; count it first."]
    assert on_hand(lot) == 0


def test_a_count_waits_for_a_dose_that_is_just_being_recorded(receive, by, integrator):
    lot = receive(quantity=5)
    with meanwhile(lambda: actions.count(lot, 4, by).movement.quantity) as told:
        integrator.create(dose())
    assert told == [0]
    assert ledger(lot) == [("received", 5), ("used", -1), ("counted", 0)]


def test_a_recall_marks_the_lot_at_all_places_and_can_be_taken_back(receive, by, integrator, trail):
    place = integrator.create({"resourceType": "Location", "name": "Annex"})["id"]
    lot, annex, other = receive(mvx="SKB"), receive(location=place), receive("ZZ9")
    marked = actions.recall(lot, "particles", by)
    assert {each.pk for each in marked} == {lot.pk, annex.pk}
    assert actions.recall(annex, "particles", by) == []
    assert [line.lot.pk for line in listing.with_problem(Problem.RECALLED)] == [lot.pk, annex.pk]
    assert other.pk not in {line.lot.pk for line in listing.with_problem()}
    assert len(actions.undo_recall(annex, by)) == 2
    assert listing.with_problem() == []
    details = [row.detail for row in trail(resource_type="Stock", action="update")]
    assert details == ["lot AB12X: recalled: particles"] * 2 + ["lot AB12X: recall taken back"] * 2


def test_doses_of_a_recalled_lot_that_move_stay_recalled(receive, by, integrator):
    place = integrator.create({"resourceType": "Location", "name": "Annex"})["id"]
    lot = receive()
    actions.recall(lot, "particles", by)
    actions.transfer(lot, 2, place, by)
    assert Lot.objects.get(location=place).recall_reason == "particles"


def test_a_delivery_of_a_lot_that_is_recalled_elsewhere_is_recalled(receive, by, integrator):
    place = integrator.create({"resourceType": "Location", "name": "Annex"})["id"]
    actions.recall(receive(), "particles", by)
    assert receive(location=place).recall_reason == "particles"
    assert receive("B1", location=place).recall_reason == ""


def test_each_change_leaves_a_row_in_the_trail_or_does_not_happen(receive, by, trail, request):
    lot = receive()
    [row] = trail(resource_type="Stock")
    assert (row.action, row.resources, row.detail) == ("create", [f"Lot/{lot.pk}"], "lot AB12X: received +10")
    request.getfixturevalue("broken_trail")
    with pytest.raises(Exception, match="no space left"):
        actions.waste(lot, 1, "broken", by)
    assert on_hand(lot) == 10


def test_a_nurse_chooses_among_lots_that_may_be_given_the_first_to_expire_first(receive, by, integrator):
    place = integrator.create({"resourceType": "Location", "name": "Annex"})["id"]
    late, soon, elsewhere = receive("A1"), receive("A2", expires=SOON), receive("A3", location=place)
    receive("A4", expires=YESTERDAY)
    actions.recall(receive("A5"), "particles", by)
    actions.count(receive("A6"), 0, by)
    receive("A7", cvx="03")
    offered = [line.lot.pk for line in listing.choices("08", None)]
    assert offered == [soon.pk, late.pk, elsewhere.pk]
    assert [line.lot.pk for line in listing.choices("08", place)] == [soon.pk, late.pk, elsewhere.pk]
    assert elsewhere.pk not in {line.lot.pk for line in listing.choices("08", "other")}


def test_a_used_up_lot_is_listed_as_low_until_another_takes_its_place(receive, by):
    old = receive("A1", threshold=5)
    actions.count(old, 0, by)
    assert [line.lot.pk for line in listing.with_problem(Problem.LOW)] == [old.pk]
    receive("A2", cvx="03")
    receive("A2", funding="public")
    receive("A2", expires=YESTERDAY)
    assert [line.lot.pk for line in listing.with_problem(Problem.LOW)] == [old.pk]
    receive("A3")
    assert listing.with_problem(Problem.LOW) == []
    assert old.pk in {line.lot.pk for line in listing.lines(used_up=True)}
