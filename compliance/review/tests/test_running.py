"""The review over a day of the trail: what it finds, what it leaves alone, and who may judge it."""

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from compliance.review import running, settling
from compliance.review.models import Finding, FindingNote, WatchedPatient
from compliance.review.tests.conftest import BY, OFFICER
from healthrecords.access.request import AccessRequest, Actor

ADDRESS = [{"line": ["1 Main St"], "city": "Erewhon", "postalCode": "12345"}]
HOURS = "out-of-hours"  # depends on when the tests run


def mail(value):
    return [{"system": "email", "value": value}]


def test_each_relation_of_an_employee_to_a_patient_is_found(employee, opened, found):
    _, browser = employee()
    own = opened(
        browser, name=[{"family": "Snoop", "given": ["Sam"]}], telecom=mail("Sam@example.org"), address=ADDRESS
    )
    relative = opened(browser, name=[{"family": "Snoop", "given": ["Eve"]}])
    housemate = opened(browser, name=[{"family": "Berg", "given": ["Ann"]}], address=ADDRESS)
    opened(browser, name=[{"family": "Other", "given": ["Ann"]}])
    expected = [("own-address", housemate), ("own-family", relative), ("own-record", own)]
    assert found(HOURS) == sorted(expected)


def test_a_chart_opened_without_a_visit_is_found_and_one_with_a_dose_is_not(employee, opened, found, integrator):
    from patients.models import Patient

    _, browser = employee()
    stranger, cared_for = opened(browser), opened(browser, name=[{"family": "Berg"}])
    Patient.objects.update(created_at=timezone.now() - timezone.timedelta(days=400))
    integrator.create(
        {
            "resourceType": "Immunization", "status": "completed", "patient": {"reference": f"Patient/{cared_for}"},
            "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "08"}]},
            "occurrenceDateTime": timezone.localdate().isoformat(),
        }
    )  # fmt: skip
    assert found(HOURS) == [("no-visit", stranger)]


def test_a_watched_patient_s_readers_are_found(employee, opened, found):
    _, browser = employee()
    patient = opened(browser)
    settling.watch(patient, "Sings on television.", BY)
    assert found(HOURS) == [("watched", patient)]
    assert not settling.unwatch("another", BY)
    assert settling.unwatch(patient, BY)


def test_many_patients_are_found_as_often_as_the_limit_says(employee, opened, found):
    _, browser = employee()
    settling.change_limits({"many_patients": 3}, BY)
    for number in range(2):
        opened(browser, name=[{"family": f"Family{number}"}])
    assert found(HOURS) == []
    opened(browser, name=[{"family": "Last"}])
    assert found(HOURS) == [("many-patients", "")]


def test_rows_of_a_list_tokens_and_denials_are_no_opened_charts(employee, integrator, clinician, found, signed_in):
    from patients.models import Patient

    _, browser = employee()
    patient = integrator.create(name=[{"family": "Snoop", "given": ["Eve"]}])["id"]
    browser.get("/admin/patients/patient/?q=snoop")
    clinician.get(f"Patient/{patient}")
    signed_in("operator").get(f"/admin/patients/patient/{Patient.objects.get().pk}/")
    assert found() == []


def test_a_second_run_finds_nothing_twice_and_leaves_what_is_signed_off(employee, opened, found):
    _, browser = employee()
    opened(browser, name=[{"family": "Snoop", "given": ["Eve"]}])
    once = found(HOURS)
    settling.sign_off(Finding.objects.get(rule="own-family"), "explained", "Asked Sam: a namesake.", BY)
    assert found(HOURS) == once
    assert Finding.objects.get(rule="own-family").verdict == "explained"


def test_an_open_finding_is_brought_up_to_date(employee, opened, found):
    from patients.models import Patient

    _, browser = employee()
    opened(browser, name=[{"family": "Snoop", "given": ["Eve"]}])
    found()
    browser.get(f"/admin/patients/patient/{Patient.objects.get().pk}/")
    found()
    finding = Finding.objects.get(rule="own-family")
    assert (finding.count, len(finding.events)) == (2, 2)
    assert finding.first_at < finding.last_at


def test_a_finding_names_the_events_that_show_it(employee, opened, found, trail):
    _, browser = employee()
    opened(browser, name=[{"family": "Snoop", "given": ["Eve"]}])
    found()
    [event] = trail(action="read", actor_kind="user")
    assert Finding.objects.get(rule="own-family").events == [event.pk]


def test_nobody_signs_off_what_is_about_themselves(employee, opened, found):
    sam, browser = employee()
    opened(browser, name=[{"family": "Snoop", "given": ["Eve"]}])
    found()
    finding = Finding.objects.get(rule="own-family")
    himself = AccessRequest(Actor("user", str(sam.pk), "Sam Snoop"), "update", "Review")
    with pytest.raises(ValidationError, match="somebody else"):
        settling.sign_off(finding, "explained", "It was me.", himself)
    assert Finding.objects.get(pk=finding.pk).verdict == "open"


@pytest.fixture
def finding(db):
    now = timezone.now()
    said = {"person_id": "7", "person": "Sam", "patient": "p1", "reason": "Why.", "count": 1}
    return Finding.objects.create(rule="watched", day=now.date(), first_at=now, last_at=now, **said)


def test_signing_off_needs_a_reason_and_happens_once(finding, trail):
    for verdict, text in (("explained", "  "), ("open", "Why not."), ("explained", "x" * 4001)):
        with pytest.raises(ValidationError):
            settling.sign_off(finding, verdict, text, BY)
    settling.sign_off(finding, "unjustified", "No reason was given.", BY)
    with pytest.raises(ValidationError, match="already"):
        settling.sign_off(finding, "explained", "On second thoughts.", BY)
    assert (finding.verdict, finding.signed_by) == ("unjustified", "Olive Officer")
    assert [note.text for note in finding.notes.all()] == ["No reason was given."]
    [row] = trail(resource_type="Review")
    assert (row.resources, row.detail) == ([f"Finding/{finding.pk}"], "signed off as not justified")


def test_notes_and_reasons_are_sealed(finding):
    from django.db import connection

    settling.add_note(finding, "Sam is a cousin of the patient.", BY)
    settling.watch("p1", "Sings on television.", BY)
    with connection.cursor() as cursor:
        for model, column in ((FindingNote, "text"), (WatchedPatient, "reason")):
            cursor.execute(f"SELECT {column} FROM {model._meta.db_table}")  # noqa: S608
            assert b"cousin" not in bytes(cursor.fetchone()[0])
    assert FindingNote.objects.get().text == "Sam is a cousin of the patient."


def test_limits_are_data_and_their_change_is_recorded(db, trail):
    assert settling.change_limits({"care_days": 14, "closes_hour": 20}, BY) == ["care_days 30 became 14"]
    assert settling.limits().care_days == 14
    [row] = trail(resource_type="Settings")
    assert (row.action, row.actor, row.detail) == (
        "update", OFFICER.name, "limits of the access review: care_days 30 became 14",
    )  # fmt: skip
    with pytest.raises(ValidationError):
        settling.change_limits({"closes_hour": 25}, BY)


def test_the_nightly_run_looks_at_yesterday_and_is_recorded(employee, opened, trail):
    from compliance.audit.tests.hands import backdate
    from compliance.review.tasks import review_yesterday

    _, browser = employee()
    backdate(opened(browser, name=[{"family": "Snoop", "given": ["Eve"]}]), 24)
    assert "1 looks of 1 people" in review_yesterday()
    assert Finding.objects.get(rule="own-family").day == running.yesterday()
    [row] = trail(resource_type="Review")
    assert (row.actor_kind, row.route) == ("system", "review-accesses")
