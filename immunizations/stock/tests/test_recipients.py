"""The list of a recall: who got the lot, for whom to see, and as a file."""

import csv
import io
from dataclasses import replace

import pytest
from django.db import connection, transaction

from healthrecords.access.request import AccessRequest, Actor
from immunizations.stock.recipients import NO_RECORD, Recipient, Wanted, as_csv, recipients
from immunizations.stock.tests.conftest import dose
from immunizations.tests.samples import SID, coded

NURSE = Actor("user", "7", "Nora", ("immunization-nurse",), ({"Patient": "rs", "Immunization": "rs"},), ("TREAT",))
ASKED = AccessRequest(NURSE, "search", "Immunization", purpose="TREAT")
LOT = Wanted("AB12X", "08", "SKB")


@pytest.fixture
def person(integrator):
    def make(family, **changes):
        phone = [{"system": "phone", "value": f"555-{family}"}]
        return integrator.create(name=[{"family": family, "given": ["Ann"]}], telecom=phone, **changes)["id"]

    return make


def test_the_patients_who_got_a_lot_are_listed_however_its_number_was_written(integrator, person, trail):
    ids = [person(name) for name in ("Berg", "Adam", "Other")]
    first = integrator.create(dose(ids[0], lot="ab12x"))
    integrator.create(dose(ids[1], lot="AB 12-X", primarySource=False))
    integrator.create(dose(ids[2], lot="AB12XY"))
    rows = recipients(LOT, ASKED)
    assert [(row.name, row.birth_date, row.phone, row.match) for row in rows] == [
        ("Ann Adam", "1980-05-17", "555-Adam", "certain"),
        ("Ann Berg", "1980-05-17", "555-Berg", "certain"),
    ]
    left = {row.patient: row for row in trail(action="search", actor="Nora")}
    assert set(left) == set(ids[:2])
    assert set(left[ids[0]].resources) == {f"Immunization/{first['id']}", f"Patient/{ids[0]}"}
    assert left[ids[0]].detail == "who got lot AB12X"


def test_two_doses_of_one_patient_leave_one_row(integrator, person, trail):
    key = person("Berg")
    for _ in range(2):
        integrator.create(dose(key))
    assert len(recipients(LOT, ASKED, export=True)) == 2
    [row] = trail(actor="Nora")
    assert (row.action, row.patient, len(row.resources)) == ("export", key, 3)


def test_a_list_of_nobody_leaves_one_row(db, trail):
    assert recipients(LOT, ASKED) == []
    [row] = trail(actor="Nora")
    assert (row.patient, row.resources) == (None, [])


@pytest.mark.parametrize("changes", [{"status": "not-done"}, {"status": "entered-in-error"}])
def test_who_did_not_get_it_is_not_listed(integrator, person, changes):
    integrator.create(dose(person("Berg"), **changes))
    gone = integrator.create(dose(person("Gone")))
    integrator.delete(f"Immunization/{gone['id']}")
    assert recipients(LOT, ASKED) == []


def test_a_doubtful_record_is_listed_last_and_another_product_is_not(integrator, person):
    integrator.create(dose(person("Adam"), cvx="45"))  # Hep B, formulation not said
    integrator.create(dose(person("Berg")))
    integrator.create(dose(person("Cole"), cvx="03"))  # MMR: numbers repeat among manufacturers
    rows = [(row.name, row.match) for row in recipients(LOT, ASKED)]
    assert rows == [("Ann Berg", "certain"), ("Ann Adam", "possible")]


def test_who_may_not_see_records_gets_an_empty_list(integrator, person):
    integrator.create(dose(person("Berg")))
    outsider = replace(ASKED, actor=replace(NURSE, permissions=({"Stock": "crus"},)))
    assert recipients(LOT, outsider) == []


def test_a_patient_who_may_not_be_seen_is_not_listed(integrator, person, monkeypatch):
    from compliance.policy import RolePolicy
    from patients.models import Patient

    hidden, shown = person("Hidden"), person("Shown")
    for key in (hidden, shown):
        integrator.create(dose(key))

    def narrowed(self, rows, request):
        return rows.exclude(logical_id=hidden) if rows.model is Patient else rows

    monkeypatch.setattr(RolePolicy, "visible", narrowed)
    assert [row.patient for row in recipients(LOT, ASKED)] == [shown]


def test_no_list_leaves_when_its_rows_cannot_be_written(integrator, person, request):
    integrator.create(dose(person("Berg")))
    request.getfixturevalue("broken_trail")
    with pytest.raises(Exception, match="no space left"):
        recipients(LOT, ASKED)


def test_the_file_holds_each_row_whole():
    row = Recipient(
        '=HYPERLINK("x")', "1980-05-17", "+1 555", "p1", 'Hep "B", adult', "A\n1", "2024", "", "certain", "i"
    )
    [header, line] = csv.reader(io.StringIO(as_csv([row])))
    assert header[:3] == ["name", "birth_date", "phone"]
    assert line == ['\'=HYPERLINK("x")', "1980-05-17", "'+1 555", *list(vars(row).values())[3:]]


def test_a_lot_number_is_found_by_an_index(db):
    from immunizations.models import Immunization
    from immunizations.stock.recipients import _with_code

    rows = _with_code(Immunization.objects.live(), "ab12x")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        plan = rows.explain()
    assert "immunization_by_lot_code" in plan


def test_vaccine_in_the_list_is_in_words(integrator, person):
    integrator.create(dose(person("Berg"), vaccineCode=coded(f"{SID}/cvx", "08")))
    [row] = recipients(LOT, ASKED)
    assert row.vaccine.startswith("Hep B")


def test_a_dose_of_somebody_without_a_record_here_is_listed_all_the_same(integrator, person):
    gone = person("Gone")
    integrator.create(dose("ghost"))
    integrator.create(dose(gone))
    integrator.delete(f"Patient/{gone}")
    assert {(row.name, row.patient) for row in recipients(LOT, ASKED)} == {(NO_RECORD, "ghost"), (NO_RECORD, gone)}
