"""The accounting of disclosures: what is in it, what is left out and said to be, as a screen, a command and a PDF."""

import json
from datetime import date, timedelta
from io import StringIO

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.utils import timezone

from compliance.accounting import disclosures, document, purposes
from compliance.accounting.models import EnteredDisclosure
from compliance.audit.tests.hands import backdate
from healthrecords.access.request import AccessRequest, Actor
from healthrecords.trail import Fact, record

SCREEN = "/admin/compliance/entereddisclosure/"
OFFICER = Actor("user", "1", "Olive Officer", ("compliance-officer",), (), ("HCOMPL",))
BY = AccessRequest(OFFICER, "read", "Patient", "HCOMPL")
REGISTRY = Actor("token", "9", "State Registry", ("integrator",), (), ("PUBHLTH",))
TODAY = timezone.localdate


@pytest.fixture
def patient(integrator):
    return integrator.create()["id"]


def give(patient, purpose="PUBHLTH", actor=REGISTRY, action="read", resources=None, **more):
    shown = resources or (f"Patient/{patient}",)
    fact = Fact(action, patient=patient, resources=shown, versions=(1,) * len(shown), **more)
    record(AccessRequest(actor, action, "Patient", purpose=purpose, address="192.0.2.1"), [fact])


def lines(patient):
    return disclosures.account(patient, BY).lines


def test_a_disclosure_says_when_to_whom_what_and_why(patient):
    give(patient, resources=(f"Patient/{patient}", "Immunization/i1", "Immunization/i2"))
    [line] = lines(patient)
    assert line == disclosures.Line(
        TODAY(), TODAY(), 1, "State Registry", "", "Immunizations (2), Demographic data", "Public health"
    )


def test_several_to_one_recipient_for_one_purpose_are_one_line(patient):
    give(patient)
    backdate(patient, 24)
    give(patient)
    give(patient, "HRESCH")
    first, second = lines(patient)
    assert (first.times, first.purpose, first.last - first.first) == (2, "Public health", timedelta(days=1))
    assert (second.times, second.purpose) == (1, "Research")


@pytest.mark.parametrize("purpose", ["TREAT", "ETREAT", "HPAYMT", "HOPERAT", "HCOMPL", "HSYSADMIN", "PATRQT"])
def test_what_the_rule_permits_is_left_out(patient, purpose):
    give(patient, purpose)
    assert lines(patient) == ()


@pytest.mark.parametrize("purpose", ["PUBHLTH", "HLEGAL", "HMARKT", "", "SOMETHING-NEW"])
def test_every_other_purpose_is_in_it_also_one_that_nobody_foresaw(patient, purpose):
    give(patient, purpose)
    assert [line.purpose for line in lines(patient)] == [purposes.in_words(purpose)]


def test_denials_writes_and_other_patients_are_no_disclosures(patient, integrator):
    give(patient, outcome="denied")
    give(patient, action="update")
    give(integrator.create()["id"])
    assert lines(patient) == ()


def test_what_is_older_than_six_years_is_not_asked_for(patient):
    old = disclosures.years_before(TODAY(), 6) - timedelta(days=1)
    EnteredDisclosure.objects.create(patient=patient, made_on=old, entered_by="x", recipient="y")
    assert lines(patient) == ()
    assert disclosures.years_before(date(2028, 2, 29), 6) == date(2022, 3, 1)


def test_the_period_may_begin_later_but_not_earlier(patient):
    give(patient)
    backdate(patient, 24)
    assert disclosures.account(patient, BY, TODAY()).lines == ()
    for since in (TODAY() + timedelta(days=1), disclosures.years_before(TODAY(), 6) - timedelta(days=1)):
        with pytest.raises(ValidationError):
            disclosures.account(patient, BY, since)


def test_the_address_is_that_of_the_directory_s_organization_of_this_name(patient, integrator):
    address = [{"line": ["1 State St"], "city": "Erewhon", "postalCode": "12345"}]
    integrator.create({"resourceType": "Organization", "name": "State Registry", "address": address})
    give(patient)
    assert [line.address for line in lines(patient)] == ["1 State St, 12345 Erewhon"]


def test_an_entered_disclosure_is_in_it_sealed_and_recorded(patient, trail):
    from django.db import connection

    said = {"made_on": TODAY() - timedelta(days=3), "recipient": "Sheriff", "address": "", "description": "Two letters"}
    disclosures.enter(patient, {**said, "purpose": "Court order"}, BY)
    assert [(line.recipient, line.purpose) for line in lines(patient)] == [("Sheriff", "Court order")]
    with connection.cursor() as cursor:
        cursor.execute("SELECT recipient, description FROM compliance_entereddisclosure")
        assert not any(word in bytes(cell) for cell in cursor.fetchone() for word in (b"Sheriff", b"letters"))
    [row] = trail(action="create", resource_type="Accounting")
    assert (row.patient, row.actor) == (patient, "Olive Officer")


@pytest.mark.parametrize(
    "wrong", [{"recipient": " "}, {"description": ""}, {"purpose": ""}, {"made_on": date(2999, 1, 1)}]
)
def test_an_entry_that_says_too_little_is_refused(patient, wrong):
    said = {"made_on": TODAY(), "recipient": "Sheriff", "address": "", "description": "x", "purpose": "y"}
    with pytest.raises(ValidationError):
        disclosures.enter(patient, said | wrong, BY)
    assert not EnteredDisclosure.objects.exists()


def test_the_look_itself_leaves_its_row_and_without_it_nothing_is_shown(patient, trail, request):
    lines(patient)
    [row] = trail(actor="Olive Officer")
    assert (row.action, row.patient, row.resource_type) == ("read", patient, "Patient")
    request.getfixturevalue("broken_trail")
    with pytest.raises(Exception, match="no space left"):
        lines(patient)


def test_the_pdf_is_tagged_titled_and_takes_no_markup_from_records(patient, integrator):
    hostile = '#panic("gone") $x$ *b* <label> @ref \\ "] #read("/etc/passwd")'
    person = integrator.create(name=[{"family": hostile}])["id"]
    give(person, actor=Actor("token", "9", hostile))
    made = document.as_pdf(disclosures.account(person, BY))
    assert made.startswith(b"%PDF-")
    assert b"/StructTreeRoot" in made
    assert b"/Lang" in made
    assert b"pdfuaid:part" in made


def test_the_command_writes_the_file_for_its_owner_alone(patient, tmp_path, trail):
    give(patient)
    out, file = StringIO(), tmp_path / "accounting.pdf"
    call_command("access", "accounting", f"Patient/{patient}", "--pdf", str(file), "--json", stdout=out)
    answer = json.loads(out.getvalue())
    assert answer["lines"][0]["recipient"] == "State Registry"
    assert file.read_bytes().startswith(b"%PDF-")
    assert file.stat().st_mode & 0o777 == 0o600
    [row] = trail(action="export")
    assert (row.actor_kind, row.patient) == ("host", patient)


def test_the_command_overwrites_nothing_and_knows_no_stranger(patient, tmp_path):
    file = tmp_path / "there.pdf"
    file.write_text("mine")
    for named, target in ((patient, file), ("nobody", tmp_path / "new.pdf")):
        with pytest.raises(CommandError) as refused:
            call_command("access", "accounting", named, "--pdf", str(target), stdout=StringIO())
        assert refused.value.returncode == 2
    assert file.read_text() == "mine"
    assert not (tmp_path / "new.pdf").exists()


def test_the_compliance_officer_sees_it_and_takes_the_document(signed_in, patient, trail):
    give(patient)
    officer = signed_in("compliance-officer")
    page = officer.get(SCREEN, {"q": "MRN-1"})
    assert "State Registry" in page.content.decode()
    answer = officer.get(f"{SCREEN}accounting.pdf", {"q": patient})
    assert (answer["Content-Type"], answer.content[:5]) == ("application/pdf", b"%PDF-")
    assert [row.action for row in trail(actor="compliance-officer", patient=patient)] == ["read", "export"]


def test_a_disclosure_is_entered_on_the_screen(signed_in, patient):
    officer = signed_in("compliance-officer")
    said = {"made_on": TODAY().isoformat(), "recipient": "Sheriff", "description": "A letter", "purpose": "Court order"}
    assert officer.post(f"{SCREEN}?q={patient}", said).status_code == 302
    assert "Sheriff" in officer.get(SCREEN, {"q": patient}).content.decode()
    assert "This field is required" in officer.post(f"{SCREEN}?q={patient}", {"recipient": "x"}).content.decode()


@pytest.mark.parametrize("role", ["clinician", "security-officer", "auditor", "administrator", "operator"])
def test_nobody_else_opens_it(signed_in, patient, role):
    client = signed_in(role)
    assert client.get(SCREEN, {"q": patient}).status_code == 403
    assert client.get(f"{SCREEN}accounting.pdf", {"q": patient}).status_code == 403


@pytest.mark.parametrize("screen", ["", "accounting.pdf"])
def test_it_asks_for_the_second_factor_again(signed_in, patient, trail, screen):
    officer = signed_in("compliance-officer")
    session = officer.session
    session["account_authentication_methods"][0]["at"] -= 3600
    session.save()
    assert officer.get(f"{SCREEN}{screen}", {"q": patient}).status_code == 302
    assert trail(actor="compliance-officer", patient=patient) == []


def test_a_patient_who_is_not_here_is_said_to_be_so(signed_in):
    officer = signed_in("compliance-officer")
    assert "There is no such patient." in officer.get(SCREEN, {"q": "nobody"}).content.decode()
    assert officer.get(f"{SCREEN}accounting.pdf", {"q": "nobody"}).status_code == 302
