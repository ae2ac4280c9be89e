"""Pairs follow every write of a patient's immunizations; a person decides what is not certain, and may take it back."""

import json
import threading
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import connections

from healthrecords.access.request import AccessRequest, Actor
from immunizations.duplicates import review
from immunizations.duplicates.models import DuplicatePair, Verdict
from immunizations.models import Immunization
from immunizations.stock.tests.conftest import run  # noqa: F401 - a fixture
from immunizations.tests.samples import SID, coded, given

NURSE = Actor("user", "7", "Nora", ("immunization-nurse",), ({"Patient": "crus", "Immunization": "crus"},), ("TREAT",))
ASKED = AccessRequest(NURSE, "search", "Immunization", purpose="TREAT")
HEP_B, HEP_B_UNSPECIFIED, PEDIARIX, MMR = "08", "45", "110", "03"


def dose(day="2024-05-17", cvx=HEP_B, patient="p1", **changes):
    return given(patient, occurrenceDateTime=day, vaccineCode=coded(f"{SID}/cvx", cvx), **changes)


@pytest.fixture
def two(integrator):
    """Store two doses of a patient, and return their ids."""

    def store(one, other):
        return [integrator.create(each)["id"] for each in (one, other)]

    return store


def pairs():
    return [(pair.verdict, pair.reason) for pair in DuplicatePair.objects.order_by("found_at")]


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ({}, [("certain", "same-day")]),
        ({"cvx": HEP_B_UNSPECIFIED}, [("certain", "same-day")]),
        ({"day": "2024-05-17T23:30:00-04:00"}, [("certain", "same-day")]),
        ({"cvx": PEDIARIX}, [("review", "overlap")]),
        ({"day": "2024-05-21"}, [("review", "near-days")]),
        ({"day": "2024-05"}, [("review", "vague-date")]),
        ({"day": "2024"}, []),
        ({"day": "2024-05-22"}, []),
        ({"cvx": MMR}, []),
        ({"cvx": "998"}, []),
        ({"patient": "p2"}, []),
        ({"status": "entered-in-error"}, []),
        ({"status": "not-done"}, []),
        ({"isSubpotent": True}, []),
    ],
)
def test_a_pair_is_found_when_its_second_dose_is_written(two, other, expected):
    two(dose(), dose(**other))
    assert pairs() == expected


def test_a_vaccine_that_cdc_puts_in_no_group_is_compared_by_its_code(two):
    two(dose(cvx="18"), dose(cvx="18"))
    assert pairs() == [("certain", "same-day")]


def test_administered_counts_before_historical_and_specific_before_unspecified(two):
    _, here = two(dose(primarySource=False), dose(cvx=HEP_B_UNSPECIFIED))
    assert DuplicatePair.objects.get().counts_id == here
    _, specific = two(dose(patient="p2", cvx=HEP_B_UNSPECIFIED), dose(patient="p2"))
    assert DuplicatePair.objects.get(patient="p2").counts_id == specific


def test_both_records_stay_as_they_are(integrator, two):
    ids = two(dose(primarySource=False), dose())
    assert review.set_aside(["p1"], ASKED) == {ids[0]: ids[1]}
    assert [integrator.get(f"Immunization/{each}").json()["meta"]["versionId"] for each in ids] == ["1", "1"]
    assert Immunization.objects.live().count() == 2


@pytest.mark.parametrize("changes", [{"status": "entered-in-error"}, {"occurrenceDateTime": "2023-01-01"}])
def test_a_pair_ends_with_what_it_rested_on(integrator, two, changes):
    ids = two(dose(), dose())
    stored = integrator.get(f"Immunization/{ids[1]}").json()
    integrator.put(f"Immunization/{ids[1]}", {**stored, **changes})
    assert pairs() == []


def test_a_deleted_dose_is_half_of_no_pair(integrator, two):
    ids = two(dose(), dose())
    integrator.delete(f"Immunization/{ids[0]}")
    assert pairs() == []


def test_a_dose_that_moves_to_another_patient_leaves_its_pair_and_finds_another(integrator, two):
    ids = two(dose(), dose())
    [other] = [integrator.create(dose(patient="p2"))["id"]]
    stored = integrator.get(f"Immunization/{ids[1]}").json()
    integrator.put(f"Immunization/{ids[1]}", {**stored, "patient": {"reference": "Patient/p2"}})
    pair = DuplicatePair.objects.get()
    assert (pair.patient_id, {pair.first_id, pair.second_id}) == ("p2", {other, ids[1]})


def test_an_import_finds_the_pairs_of_its_batch_and_of_what_was_there(integrator, run, tmp_path):  # noqa: F811
    integrator.create(dose())
    file = tmp_path / "doses.ndjson"
    lines = [dose(id="h1", primarySource=False), *(dose(id=f"h{n}", patient=f"p{n}") for n in (2, 3))]
    lines.append(dose(id="h4", patient="p3", day="2024-05-18"))
    file.write_text("\n".join(map(json.dumps, lines)))
    assert run("records", "import", file).code == 0
    assert sorted(pairs()) == [("certain", "same-day"), ("review", "near-days")]


def test_a_transaction_that_fails_leaves_no_pair(integrator):
    entries = [{"resource": dose(), "request": {"method": "POST", "url": "Immunization"}} for _ in range(2)]
    entries.append({"request": {"method": "GET", "url": "Immunization/nowhere"}})
    assert integrator.post("", {"resourceType": "Bundle", "type": "transaction", "entry": entries}).status_code == 404
    assert pairs() == []


def test_two_systems_that_send_the_same_dose_at_once_leave_a_pair(integrator):
    patient = integrator.create()["id"]
    ready, statuses = threading.Barrier(4), []

    def send():
        ready.wait()
        statuses.append(integrator.post("Immunization", dose(patient=patient)).status_code)
        connections.close_all()

    systems = [threading.Thread(target=send) for _ in range(4)]
    for system in systems:
        system.start()
    for system in systems:
        system.join()
    assert (statuses, len(pairs())) == ([201] * 4, 6)


def test_the_review_list_shows_what_waits_with_a_row_for_each_patient(integrator, two, trail):
    patient = integrator.create()["id"]
    ids = two(dose(patient=patient), dose(patient=patient, cvx=PEDIARIX))
    two(dose(patient="p2"), dose(patient="p2"))  # certain: nobody needs to look
    [case] = review.waiting(ASKED)
    assert (str(case.patient), case.why) == (
        "Maria Louise Jansen",
        "A combination vaccine and one of its parts on the same day",
    )
    assert {each.logical_id for each in case.doses} == set(ids)
    assert case.counting.logical_id == ids[1]
    [row] = trail(actor="Nora")
    expected = {f"Patient/{patient}", *(f"Immunization/{each}" for each in ids)}
    assert (row.action, row.patient, set(row.resources)) == ("search", patient, expected)


def test_a_person_decides_and_takes_it_back(two, trail):
    ids = two(dose(), dose(cvx=PEDIARIX))
    [case] = review.waiting(ASKED)
    pair = review.decide(case.pair.pk, Verdict.CERTAIN, ASKED, counts=ids[0])
    assert (pair.verdict, pair.counts_id, pair.decided_by) == ("certain", ids[0], "Nora")
    assert review.set_aside(["p1"], ASKED) == {ids[1]: ids[0]}
    assert review.waiting(ASKED) == []
    assert [each.pair.pk for each in review.linked(ASKED)] == [pair.pk]
    pair = review.undo(pair.pk, ASKED)
    assert (pair.verdict, pair.decided_by, pair.decided_at) == ("review", "", None)
    assert review.set_aside(["p1"], ASKED) == {}
    rows = [(row.patient, row.detail, set(row.resources)) for row in trail(action="update", actor="Nora")]
    named = {f"Immunization/{each}" for each in ids}
    assert rows == [
        ("p1", f"duplicate doses: decided: duplicate, {ids[0]} counts", named),
        ("p1", "duplicate doses: decision taken back", named),
    ]


def test_a_person_may_overrule_what_is_certain_and_a_later_write_keeps_it(integrator, two):
    ids = two(dose(), dose())
    pair = review.decide(DuplicatePair.objects.get().pk, Verdict.NOT_DUPLICATE, ASKED)
    stored = integrator.get(f"Immunization/{ids[0]}").json()
    integrator.put(f"Immunization/{ids[0]}", {**stored, "note": [{"text": "two injections"}]})
    assert DuplicatePair.objects.get(pk=pair.pk).verdict == "not-duplicate"
    assert review.set_aside(["p1"], ASKED) == {}
    assert review.undo(pair.pk, ASKED).verdict == "certain"


def test_a_decision_on_other_facts_waits_for_the_person_again(integrator, two):
    ids = two(dose(), dose(day="2024-05-18"))
    pair = review.decide(DuplicatePair.objects.get().pk, Verdict.NOT_DUPLICATE, ASKED)
    stored = integrator.get(f"Immunization/{ids[1]}").json()
    for note in ("one", "two"):
        changed = {**stored, "occurrenceDateTime": "2024-05-17", "note": [{"text": note}]}
        integrator.put(f"Immunization/{ids[1]}", changed)
        again = DuplicatePair.objects.get(pk=pair.pk)
        assert (again.verdict, again.finding, again.decided_by) == ("review", "certain", "")


@pytest.mark.parametrize(
    ("verdict", "counts", "told"),
    [("review", "", "Decide on"), ("maybe", "", "Decide on"), ("certain", "someone-else", "one of the two")],
)
def test_a_decision_that_is_none_is_refused(two, verdict, counts, told):
    two(dose(), dose())
    with pytest.raises(ValidationError, match=told):
        review.decide(DuplicatePair.objects.get().pk, verdict, ASKED, counts)


def test_what_nobody_decided_cannot_be_taken_back(two):
    two(dose(), dose())
    with pytest.raises(ValidationError, match="Nobody has decided"):
        review.undo(DuplicatePair.objects.get().pk, ASKED)


def test_who_only_reads_decides_nothing_and_who_may_see_nothing_sees_nothing(two):
    two(dose(), dose(day="2024-05-18"))
    pair = DuplicatePair.objects.get()
    reader = AccessRequest(Actor("user", "8", "Rob", (), ({"Immunization": "rs"},)), "search", "Immunization", "TREAT")
    outsider = AccessRequest(Actor("user", "9", "Out"), "search", "Immunization")
    assert [len(review.waiting(asked)) for asked in (reader, outsider)] == [1, 0]
    for key, asked in ((pair.pk, reader), (pair.pk, outsider), (uuid4(), ASKED)):
        with pytest.raises(ValidationError, match="There is no such pair"):
            review.decide(key, Verdict.CERTAIN, asked)


@pytest.mark.parametrize("hidden", [0, 1])
def test_a_pair_is_seen_only_by_who_may_see_both_doses(two, monkeypatch, hidden):
    from compliance.policy import RolePolicy

    ids = two(dose(), dose(day="2024-05-18"))
    monkeypatch.setattr(RolePolicy, "visible", lambda _, rows, __: rows.exclude(logical_id=ids[hidden]))
    assert review.waiting(ASKED) == []
    with pytest.raises(ValidationError, match="There is no such pair"):
        review.decide(DuplicatePair.objects.get().pk, Verdict.CERTAIN, ASKED)


def test_a_decision_that_cannot_be_recorded_is_not_made(two, request):
    two(dose(), dose())
    request.getfixturevalue("broken_trail")
    with pytest.raises(Exception, match="no space left"):
        review.decide(DuplicatePair.objects.get().pk, Verdict.NOT_DUPLICATE, ASKED)
    assert pairs() == [("certain", "same-day")]


def test_the_command_finds_all_again_and_ends_with_1_while_some_wait(two, run, trail):  # noqa: F811
    two(dose(), dose())
    assert run("immunizations", "duplicates").code == 0
    two(dose(patient="p2"), dose(patient="p2", day="2024-05-19"))
    DuplicatePair.objects.all().delete()
    told = run("immunizations", "duplicates")
    assert (told.code, told["pairs"], told["changes"]) == (
        1,
        {"certain": 1, "review": 1, "not-duplicate": 0},
        {"added": 2, "altered": 0, "gone": 0},
    )
    [waiting] = told["waiting"]
    assert (waiting["patient"], waiting["reason"]) == ("p2", "near-days")
    assert [row.patient for row in trail(actor_kind="host", action="search", patient="p2")] == ["p2"]
    assert run("immunizations", "duplicates")["changes"] == {"added": 0, "altered": 0, "gone": 0}


def test_the_command_looks_at_one_patient_and_a_dry_run_changes_nothing(two, run):  # noqa: F811
    two(dose(), dose())
    two(dose(patient="p2"), dose(patient="p2"))
    DuplicatePair.objects.all().delete()
    assert run("immunizations", "duplicates", "--dry-run")["changes"]["added"] == 2
    assert pairs() == []
    told = run("immunizations", "duplicates", "--patient", "p2")
    assert (told.code, [pair.patient_id for pair in DuplicatePair.objects.all()]) == (0, ["p2"])


def test_a_pair_whose_dose_is_gone_without_a_word_ends_with_the_command(two, run):  # noqa: F811
    ids = two(dose(), dose())
    Immunization.objects.filter(logical_id=ids[0]).update(status="not-done")
    assert run("immunizations", "duplicates")["changes"]["gone"] == 1
