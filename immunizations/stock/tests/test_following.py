"""The stock follows every write of an immunization: by the API, in transactions, by import."""

import json
import threading
from datetime import timedelta

import pytest
from django.db import connection, connections

from immunizations.models import Immunization
from immunizations.stock.models import StockMovement
from immunizations.stock.tests.conftest import dose, ledger, on_hand, today
from immunizations.tests.samples import SID, TERMINOLOGY, coded

USED, BACK = ("used", -1), ("returned", 1)


def test_a_dose_takes_one_from_its_lot(integrator, receive):
    lot = receive()
    stored = integrator.create(dose())
    [move] = StockMovement.objects.filter(kind="used")
    assert (on_hand(lot), move.dose, move.author) == (9, stored["id"], "token:integrator token")


def test_the_same_dose_written_again_takes_nothing_more(integrator, receive):
    lot = receive()
    stored = integrator.create(dose())
    for text in ("Was calm.", "Was calm, indeed."):
        assert integrator.put(f"Immunization/{stored['id']}", {**stored, "note": [{"text": text}]}).status_code == 200
    assert ledger(lot)[1:] == [USED]


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "entered-in-error"},
        {"status": "not-done"},
        {"primarySource": False},
        {"lotNumber": None},
        {"vaccineCode": coded(f"{SID}/cvx", "03")},
    ],
)
def test_a_dose_that_was_not_given_from_the_lot_gives_it_back_once(integrator, receive, changes):
    lot = receive()
    stored = integrator.create(dose())
    path = f"Immunization/{stored['id']}"
    changed = {name: value for name, value in {**stored, **changes}.items() if value is not None}
    for _ in range(2):
        assert integrator.put(path, changed).status_code == 200
    assert integrator.delete(path).status_code == 204
    assert ledger(lot)[1:] == [USED, BACK]


def test_a_deleted_dose_gives_it_back_and_takes_it_again_when_it_returns(integrator, receive):
    lot = receive()
    stored = integrator.create(dose())
    path = f"Immunization/{stored['id']}"
    integrator.delete(path)
    integrator.delete(path)
    assert ledger(lot)[1:] == [USED, BACK]
    assert integrator.put(path, stored).status_code == 201
    assert ledger(lot)[1:] == [USED, BACK, USED]


def test_a_corrected_lot_number_moves_the_dose_to_the_other_lot(integrator, receive):
    wrong, right = receive("AB12X"), receive("AB13X")
    stored = integrator.create(dose(lot="AB12X"))
    integrator.put(f"Immunization/{stored['id']}", {**stored, "lotNumber": "AB13X"})
    assert (on_hand(wrong), on_hand(right)) == (10, 9)


@pytest.mark.parametrize(
    "changes",
    [
        {"primarySource": False},
        {"primarySource": None},
        {"status": "not-done"},
        {"lotNumber": "ZZ"},
        {"vaccineCode": coded(f"{SID}/cvx", "43")},
        {"occurrenceDateTime": "2020-05-17"},
        {"manufacturer": {"identifier": {"system": f"{SID}/mvx", "value": "MSD"}}},
    ],
)
def test_what_was_not_given_from_the_shelf_takes_nothing(integrator, receive, changes):
    lot = receive(mvx="SKB")
    integrator.create(dose(**changes))
    assert on_hand(lot) == 10


def test_a_dose_that_was_entered_before_its_lot_takes_nothing_ever(integrator, receive):
    stored = integrator.create(dose())
    lot = receive()
    integrator.put(f"Immunization/{stored['id']}", stored)
    assert on_hand(lot) == 10


def test_a_product_s_ndc_names_the_vaccine(integrator, receive):
    lot = receive()
    integrator.create(dose(vaccineCode=coded(f"{SID}/ndc", "58160-0820-11")))
    assert on_hand(lot) == 9


def test_place_and_funding_tell_which_of_several_lots(integrator, receive):
    place = integrator.create({"resourceType": "Location", "name": "Annex"})["id"]
    here, annex, public = receive(), receive(location=place), receive(location=place, funding="public")
    at = {"location": {"reference": f"Location/{place}"}}
    paid = coded(f"{TERMINOLOGY}/immunization-funding-source", "public")
    integrator.create(dose())  # no place: it is not certain
    integrator.create(dose(**at))  # nor is the funding
    assert [on_hand(each) for each in (here, annex, public)] == [10, 10, 10]
    integrator.create(dose(**at, fundingSource=paid))
    assert [on_hand(each) for each in (here, annex, public)] == [10, 10, 9]


def test_the_last_dose_and_one_more_are_recorded_and_the_lot_is_one_to_count(integrator, receive, run):
    lot = receive(quantity=1)
    for _ in range(2):
        integrator.create(dose())
    assert on_hand(lot) == -1
    told = run("stock", "list", "--problems")
    assert (told.code, told["lots"][0]["problems"]) == (1, ["negative"])


def test_two_nurses_who_take_the_last_dose_at_once_both_have_their_record(integrator, receive):
    lot = receive(quantity=1)
    ready, statuses = threading.Barrier(2), []

    def give(patient):
        ready.wait()
        statuses.append(integrator.post("Immunization", dose(patient)).status_code)
        connections.close_all()

    nurses = [threading.Thread(target=give, args=(patient,)) for patient in ("p1", "p2")]
    for nurse in nurses:
        nurse.start()
    for nurse in nurses:
        nurse.join()
    assert (statuses, on_hand(lot)) == ([201, 201], -1)


def test_one_dose_changed_twice_at_once_moves_once(integrator, receive):
    lot = receive()
    stored = integrator.create(dose())
    ready = threading.Barrier(4)

    def retract():
        ready.wait()
        integrator.put(f"Immunization/{stored['id']}", {**stored, "status": "entered-in-error"})
        connections.close_all()

    hands = [threading.Thread(target=retract) for _ in range(4)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    assert ledger(lot)[1:] == [USED, BACK]


def entry(body, method="POST", url="Immunization"):
    return {"resource": body, "request": {"method": method, "url": url}}


def test_a_transaction_moves_the_stock_with_its_doses(integrator, receive):
    lot = receive()
    sent = {"resourceType": "Bundle", "type": "transaction", "entry": [entry(dose(f"p{n}")) for n in range(3)]}
    assert integrator.post("", sent).status_code == 200
    assert on_hand(lot) == 7


def test_a_transaction_that_fails_at_its_last_entry_leaves_no_movement(integrator, receive):
    lot = receive()
    entries = [entry(dose(f"p{n}")) for n in range(3)]
    entries.append({"request": {"method": "GET", "url": "Immunization/nowhere"}})
    answer = integrator.post("", {"resourceType": "Bundle", "type": "transaction", "entry": entries})
    assert answer.status_code == 404
    assert (ledger(lot), Immunization.objects.count()) == ([("received", 10)], 0)


def test_a_dose_whose_row_in_the_trail_cannot_be_written_takes_nothing(integrator, receive, request):
    lot = receive()
    request.getfixturevalue("broken_trail")
    assert integrator.post("Immunization", dose()).status_code >= 500
    assert ledger(lot) == [("received", 10)]


def test_an_import_takes_nothing_even_when_its_record_is_changed_here(integrator, receive, run, tmp_path):
    lot = receive()
    file = tmp_path / "doses.ndjson"
    file.write_text(json.dumps(dose(id="historic")))
    assert run("records", "import", file).code == 0
    stored = integrator.get("Immunization/historic").json()
    assert integrator.put("Immunization/historic", {**stored, "note": [{"text": "seen"}]}).status_code == 200
    assert on_hand(lot) == 10


def test_the_ledger_is_never_changed(receive):
    from django.db import Error

    receive()
    for statement in (
        "UPDATE immunizations_stockmovement SET quantity = 99",
        "DELETE FROM immunizations_stockmovement",
    ):
        with pytest.raises(Error), connection.cursor() as cursor:
            cursor.execute(statement)


def told_of(answer):
    return [issue["diagnostics"] for issue in answer.json()["issue"] if issue["severity"] == "information"]


def test_a_dose_of_a_recalled_lot_is_recorded_with_a_word_about_it(integrator, receive, by):
    from immunizations.stock import actions

    lot = receive()
    actions.recall(lot, "cold chain broken", by)
    said = f"Lot AB12X was recalled on {today()}: cold chain broken"
    answer = integrator.post("Immunization", dose(), Prefer="return=OperationOutcome")
    assert (answer.status_code, told_of(answer)) == (201, [said])
    assert said in told_of(integrator.post("Immunization/$validate", dose()))
    assert on_hand(lot) == 9


def test_a_dose_of_an_expired_lot_is_recorded_with_a_word_about_it(integrator, receive):
    receive(expires=today() - timedelta(days=1))
    answer = integrator.post("Immunization", dose(), Prefer="return=OperationOutcome")
    assert answer.status_code == 201
    assert told_of(answer) == [
        f"Lot AB12X had expired when it was given (its last day was {today() - timedelta(days=1)})."
    ]


def test_a_dose_on_the_last_day_of_a_lot_needs_no_word(integrator, receive):
    receive(expires=today())
    answer = integrator.post("Immunization", dose(), Prefer="return=OperationOutcome")
    assert told_of(answer) == ["All is well."]


def test_what_a_dose_itself_says_of_its_expiry_is_enough(integrator):
    told = integrator.post("Immunization/$validate", dose(expirationDate="2020-05"))
    assert "Lot AB-12 x had expired when it was given (its last day was 2020-05)." in told_of(told)


def test_a_dose_that_a_nurse_marks_as_an_error_on_its_page_is_given_back(integrator, receive, signed_in):
    lot = receive()
    stored = integrator.create(dose())
    page = f"/admin/immunizations/immunization/{Immunization.objects.get(logical_id=stored['id']).pk}/error/"
    assert signed_in("immunization-nurse").post(page, {"expected": "1", "why": "wrong child"}).status_code == 302
    assert ledger(lot)[1:] == [USED, BACK]
    assert StockMovement.objects.get(kind="returned").author == "user:immunization-nurse"


@pytest.mark.parametrize(
    ("role", "letters"),
    [("immunization-nurse", "crus"), ("clinician", "crus"), ("front-desk", "rs"), ("integrator", ""), ("operator", "")],
)
def test_who_may_see_and_change_the_stock(db, role, letters):
    from healthrecords.access import policy
    from healthrecords.access.request import LETTERS, AccessRequest, Actor
    from healthrecords.accounts.models import Role

    actor = Actor("user", "1", role, (role,), (Role.objects.get(name=role).permissions,))
    ways = ("create", "read", "update", "search")
    open_ones = [LETTERS[way] for way in ways if policy.permit(AccessRequest(actor, way, "Stock")).permitted]
    assert "".join(open_ones) == letters
