"""The review's screens: for those who oversee alone, each look recorded, files behind step-up."""

import csv
import io

import pytest
from django.utils import timezone

from compliance.review import settling
from compliance.review.models import Finding, WatchedPatient
from compliance.review.tests.conftest import BY

FINDINGS = "/admin/compliance/finding/"
LOG = "/admin/compliance/accessevent/"
OFFICERS = ("compliance-officer", "security-officer", "auditor")


@pytest.fixture
def officer(signed_in):
    return signed_in("compliance-officer")


@pytest.fixture
def snooped(employee, opened, found):
    """A patient whose chart somebody of the same family name opened, and what the review found."""
    sam, browser = employee()
    patient = opened(browser, name=[{"family": "Snoop", "given": ["Eve"]}])
    found()
    return sam, patient, Finding.objects.get(rule="own-family")


def rows(answer):
    return list(csv.reader(io.StringIO(answer.content.decode())))


@pytest.mark.parametrize("role", OFFICERS)
def test_officers_and_auditors_see_findings(signed_in, snooped, role):
    page = signed_in(role).get(f"{FINDINGS}?rule=own-family")
    [row] = page.context["cl"].rows
    assert [cell.text for cell in row.cells][:3] == ["Sam Snoop", "Own family name", snooped[1]]


@pytest.mark.parametrize("role", ["clinician", "administrator", "operator", "front-desk"])
@pytest.mark.parametrize("screen", [FINDINGS, f"{FINDINGS}setup/", f"{LOG}patient/", f"{LOG}person/"])
def test_nobody_else_opens_these_screens(signed_in, role, screen):
    assert signed_in(role).get(screen).status_code == 403


def test_a_finding_is_noted_and_signed_off_on_its_page(officer, snooped):
    address = f"{FINDINGS}{snooped[2].pk}/"
    officer.post(address, {"text": "Asked Sam."})
    officer.post(address, {"text": "A namesake.", "verdict": "explained"})
    page = officer.get(address).content.decode()
    assert "Asked Sam." in page
    assert "A namesake." in page
    assert Finding.objects.get(pk=snooped[2].pk).verdict == "explained"


def test_without_a_reason_the_page_says_so_and_nothing_is_signed(officer, snooped):
    answer = officer.post(f"{FINDINGS}{snooped[2].pk}/", {"text": " ", "verdict": "explained"})
    assert "Say why" in answer.content.decode()
    assert Finding.objects.get(pk=snooped[2].pk).verdict == "open"


def test_an_auditor_reads_and_signs_nothing(signed_in, snooped):
    auditor, address = signed_in("auditor"), f"{FINDINGS}{snooped[2].pk}/"
    assert "Sign off" not in auditor.get(address).content.decode()
    assert auditor.post(address, {"text": "Fine.", "verdict": "explained"}).status_code == 403
    assert auditor.get(f"{FINDINGS}setup/").status_code == 403


def test_a_finding_about_oneself_has_no_button_and_is_refused(officer, snooped):
    from healthrecords.accounts.models import User

    person = User.objects.get(email="compliance-officer@example.org")
    Finding.objects.filter(pk=snooped[2].pk).update(person_id=str(person.pk))
    address = f"{FINDINGS}{snooped[2].pk}/"
    assert "Sign off: " not in officer.get(address).content.decode()
    assert "somebody else" in officer.post(address, {"text": "Me.", "verdict": "explained"}).content.decode()


def test_who_saw_this_patient_is_found_by_id_and_by_number(officer, snooped):
    _, patient, _ = snooped
    for asked in (patient, f"Patient/{patient}", "MRN-1"):
        page = officer.get(f"{LOG}patient/", {"q": asked})
        assert [each["row"].actor for each in page.context["rows"]] == ["Sam Snoop", "integrator token"]
    first = page.context["rows"][0]["row"]
    assert (first.count, first.actions, first.roles, first.patient) == (1, ["read"], ["clinician"], patient)


def test_what_this_person_saw_is_found_by_name_address_and_id(officer, snooped):
    sam, patient, _ = snooped
    for asked in ("sam snoop", "sam@example.org", str(sam.pk)):
        page = officer.get(f"{LOG}person/", {"q": asked, "since": "1h"})
        assert [each["row"].patient for each in page.context["rows"]] == [patient]


def test_a_person_under_an_earlier_name_is_still_found(officer, snooped):
    sam, patient, _ = snooped
    sam.name = "Sam Married"
    sam.save()
    page = officer.get(f"{LOG}person/", {"q": "Sam Married"})
    assert [each["row"].patient for each in page.context["rows"]] == [patient]


def test_a_time_that_cannot_be_read_is_said_to_be_so(officer, snooped):
    page = officer.get(f"{LOG}patient/", {"q": snooped[1], "since": "yesterday"})
    assert "neither a date" in page.content.decode()
    assert page.context["rows"] == []


def test_each_question_leaves_its_row(officer, snooped, trail):
    officer.get(f"{LOG}patient/", {"q": snooped[1]})
    [row] = trail(actor="compliance-officer", resource_type="AuditEvent")
    assert (row.action, row.detail) == ("search", f"who saw patient {snooped[1]}: 2 rows")


@pytest.mark.parametrize(
    "screen", ["patient/export.csv?q=MRN-1", "person/export.csv?q=sam+snoop", "export.csv?action=read"]
)
def test_what_is_listed_leaves_as_a_file_and_is_recorded(officer, snooped, trail, screen):
    answer = officer.get(f"{LOG}{screen}")
    assert answer["Content-Type"].startswith("text/csv")
    assert "Sam Snoop" in [cell for row in rows(answer) for cell in row]
    [row] = trail(action="export")
    assert row.query == screen.partition("?")[2].replace("+", " ")


def test_findings_leave_as_a_file_with_no_formula(officer, snooped):
    Finding.objects.filter(pk=snooped[2].pk).update(person="=cmd()")
    table = rows(officer.get(f"{FINDINGS}export.csv?rule=own-family"))
    assert [row[0] for row in table] == ["Who", "'=cmd()"]


@pytest.mark.parametrize("screen", [f"{LOG}export.csv", f"{LOG}patient/export.csv?q=MRN-1", f"{FINDINGS}export.csv"])
def test_a_file_asks_for_the_second_factor_again(officer, snooped, trail, screen):
    session = officer.session
    session["account_authentication_methods"][0]["at"] -= 3600
    session.save()
    answer = officer.get(screen)
    assert (answer.status_code, trail(action="export")) == (302, [])
    assert answer["Location"].startswith("/accounts/")


def test_limits_are_changed_and_patients_watched_on_one_page(officer, snooped, trail):
    limits = vars(settling.limits()) | {"care_days": 5}
    assert officer.post(f"{FINDINGS}setup/", {"do": "limits", **limits}).status_code == 302
    assert settling.limits().care_days == 5
    officer.post(f"{FINDINGS}setup/", {"do": "watch", "patient": "p1", "reason": "An employee."})
    assert WatchedPatient.objects.get().reason == "An employee."
    assert "An employee." in officer.get(f"{FINDINGS}setup/").content.decode()
    officer.post(f"{FINDINGS}setup/", {"do": "unwatch", "patient": "p1"})
    assert not WatchedPatient.objects.exists()


@pytest.mark.parametrize(
    "said",
    [
        {"do": "limits", "care_days": "-1"},
        {"do": "watch", "patient": "no such id!", "reason": "x"},
        {"do": "watch", "patient": "p1"},
        {"do": "run", "day": "soon"},
    ],
)
def test_what_cannot_be_done_is_said_and_not_done(officer, said):
    assert officer.post(f"{FINDINGS}setup/", said).status_code == 200
    assert not WatchedPatient.objects.exists()
    assert settling.limits().care_days == 30


def test_a_day_is_looked_at_again_on_demand(officer, employee, opened):
    _, browser = employee()
    opened(browser, name=[{"family": "Snoop", "given": ["Eve"]}])
    officer.post(f"{FINDINGS}setup/", {"do": "run", "day": timezone.localdate().isoformat()})
    assert Finding.objects.filter(rule="own-family").exists()


def test_signs_that_weigh_most_are_flagged(officer, snooped):
    settling.watch(snooped[1], "An employee.", BY)
    officer.post(f"{FINDINGS}setup/", {"do": "run", "day": timezone.localdate().isoformat()})
    page = officer.get(f"{FINDINGS}?rule=watched")
    assert [flag.text for flag in page.context["cl"].rows[0].flags] == ["Look first"]
