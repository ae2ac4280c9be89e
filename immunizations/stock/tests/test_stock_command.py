"""stock: what an operator on the host does with the stock, and the exit codes that scripts trust."""

import csv
import stat

import pytest

from immunizations.stock.models import Lot, StockMovement
from immunizations.stock.tests.conftest import dose, on_hand, today

BOX = ("AB12X", 10, "--cvx", "08", "--expires", "2099-01-31")


def test_a_delivery_a_loss_and_a_count_in_turn(run):
    assert run("stock", "receive", *BOX)["lots"][0]["on_hand"] == 10
    assert run("stock", "waste", "AB12X", 2, "--reason", "broken")["lots"][0]["on_hand"] == 8
    told = run("stock", "count", "ab-12x", 7)
    assert (told.code, told["ok"], told["lots"][0]["on_hand"]) == (0, True, 7)
    assert told["summary"] == "Counted -1: 7 doses of lot AB12X of CVX 08 on hand."
    assert [move.kind for move in StockMovement.objects.order_by("at")] == ["received", "wasted", "counted"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("receive", "NEW", 5, "--cvx", "08"),
        ("waste", "AB12X", 2, "--reason", "broken"),
        ("count", "AB12X", 3),
        ("recall", "AB12X", "--reason", "particles"),
    ],
)
def test_a_dry_run_tells_and_changes_nothing(run, arguments):
    run("stock", "receive", *BOX)
    told = run("stock", *arguments, "--dry-run")
    assert (told.code, told["dry_run"], len(told["lots"])) == (0, True, 1)
    assert (Lot.objects.count(), StockMovement.objects.count()) == (1, 1)
    assert Lot.objects.get().recalled_at is None


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("receive", "NEW", 5), "Name the vaccine"),
        (("receive", "NEW", 5, "--cvx", "08", "--expires", "31.1.2099"), "is no day"),
        (("waste", "AB12X", 11, "--reason", "broken"), "There are 10 doses"),
        (("waste", "AB12X", 1, "--reason", " "), "Give a reason"),
        (("count", "AB12X", 100_001), "Count 0 to"),
        (("count", "NOWHERE", 1), "There is no lot NOWHERE"),
        (("recall", "NOWHERE", "--reason", "particles"), "There is no lot NOWHERE"),
        (("recall", "AB12X"), "Give a reason"),
    ],
)
def test_what_cannot_be_ends_with_2_and_one_sentence(run, arguments, why):
    run("stock", "receive", *BOX)
    told = run("stock", *arguments)
    assert told.code == 2
    assert why in told.err
    assert StockMovement.objects.count() == 1


def test_the_list_ends_with_1_while_a_lot_needs_attention(run):
    run("stock", "receive", *BOX)
    assert run("stock", "list").code == 0
    run("stock", "receive", "SOON", 3, "--cvx", "03", "--expires", today().isoformat(), "--threshold", 5)
    told = run("stock", "list", "--problems")
    assert told.code == 1
    assert [(lot["lot"], lot["problems"]) for lot in told["lots"]] == [("SOON", ["near-expiry", "below-threshold"])]
    assert len(run("stock", "list")["lots"]) == 2


def test_the_list_of_one_place_shows_that_place(run, integrator):
    place = integrator.create({"resourceType": "Location", "name": "Annex"})["id"]
    run("stock", "receive", *BOX)
    run("stock", "receive", *BOX, "--location", place)
    [lot] = run("stock", "list", "--location", place)["lots"]
    assert lot["location"] == "Annex"
    told = run("stock", "waste", "AB12X", 1, "--reason", "broken")
    assert (told.code, "name one by its key" in told.err) == (2, True)
    assert run("stock", "waste", lot["key"], 1, "--reason", "broken")["lots"][0]["location"] == "Annex"


def test_a_recall_and_its_undo(run):
    run("stock", "receive", *BOX)
    told = run("stock", "recall", "AB12X", "--reason", "particles")
    assert (told.code, told["lots"][0]["problems"], told["lots"][0]["recall_reason"]) == (0, ["recalled"], "particles")
    assert run("stock", "list").code == 1
    run("stock", "recall", "AB12X", "--undo")
    assert run("stock", "list").code == 0


def test_who_got_a_lot_with_a_row_for_each(run, integrator, trail):
    run("stock", "receive", *BOX)
    patient = integrator.create()["id"]
    integrator.create(dose(patient))
    told = run("stock", "recipients", "AB12X")
    assert (told.code, [row["patient"] for row in told["recipients"]]) == (0, [patient])
    [row] = trail(patient=patient, actor_kind="host")
    assert (row.action, row.purpose) == ("search", "HOPERAT")
    assert on_hand(Lot.objects.get()) == 9


def test_who_got_a_lot_that_was_never_in_stock(run, integrator):
    integrator.create(dose(integrator.create()["id"], lot="GONE-1"))
    told = run("stock", "recipients", "gone1")
    assert [row["match"] for row in told["recipients"]] == ["possible"]
    assert [row["match"] for row in run("stock", "recipients", "gone1", "--cvx", "08")["recipients"]] == ["certain"]


def test_the_file_of_a_recall_is_for_its_owner_alone_and_recorded_as_export(run, integrator, trail, tmp_path):
    patient = integrator.create(name=[{"text": "=cmd|' /C calc'!A0"}])["id"]
    integrator.create(dose(patient))
    path = tmp_path / "recall.csv"
    assert run("stock", "recipients", "AB12X", "--csv", path).code == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    [row] = csv.DictReader(path.open(newline=""))
    assert (row["name"], row["patient"]) == ("'=cmd|' /C calc'!A0", patient)
    assert [row.action for row in trail(patient=patient, actor_kind="host")] == ["export"]
    again = run("stock", "recipients", "AB12X", "--csv", path)
    assert (again.code, "cannot be written (File exists)" in again.err) == (2, True)


def test_a_change_leaves_its_operations_record(run, trail):
    run("stock", "receive", *BOX)
    [row] = trail(action="command")
    assert row.detail.startswith("stock receive: good in")
