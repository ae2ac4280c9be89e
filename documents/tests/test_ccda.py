"""C-CDA: what its header says, what it fills, and what a hostile one does not get."""

import base64
from pathlib import Path

import pytest
from defusedxml.ElementTree import fromstring

from documents.ccda import header, narrative
from documents.ccda.reading import NotReadable, document_of, header_of
from documents.ccda.values import date_time, identifier
from documents.scanning import stored
from documents.tests.samples import PDF, document, inline
from documents.tests.scanners import answering, nowhere
from patients.models import Patient
from tests.cast import PATIENT

DATA = Path(__file__).parent / "data"
CCD = (DATA / "summary.xml").read_bytes()
ISABELLA = {
    **PATIENT, "name": [{"family": "Jones", "given": ["Isabella"]}], "birthDate": "1950-12-19", "gender": "female",
}  # fmt: skip


def wrapped(inner, before=""):
    return f'{before}<ClinicalDocument xmlns="urn:hl7-org:v3">{inner}</ClinicalDocument>'.encode()


def bare(patient, attachment, **sent):
    """A document of which the sender says next to nothing."""
    return {
        "resourceType": "DocumentReference", "status": "current", "subject": {"reference": f"Patient/{patient}"},
        "content": [{"attachment": attachment}], **sent,
    }  # fmt: skip


@pytest.fixture
def isabella(integrator):
    return integrator.create(ISABELLA)["id"]


def test_the_header_fills_what_the_sender_left_out(integrator, isabella):
    made = integrator.create(bare(isabella, inline(CCD)))
    assert made["type"]["coding"][0]["code"] == "34133-9"
    assert made["date"] == "2024-10-15T10:30:26-05:00"
    assert [each["display"] for each in made["author"]] == ["Patricia Primary M.D.", "Chart Writer 2"]
    assert made["author"][0]["identifier"] == {"system": "http://hl7.org/fhir/sid/us-npi", "value": "5555555555"}
    assert made["description"] == "Summary of care"
    assert made["masterIdentifier"]["value"] == "urn:uuid:be84a8e4-a22e-4210-a4a6-b3c48273e84c"
    assert made["identifier"] == [{"system": "urn:oid:2.16.840.1.113883.19.5", "value": "set-988"}]
    assert made["custodian"]["display"] == "Good Harbor Clinic"
    assert made["securityLabel"][0]["coding"][0]["code"] == "N"
    assert made["context"]["period"]["start"] == "2024-10-01"
    assert made["content"][0]["attachment"]["title"] == "Summary of care"
    found = integrator.get("DocumentReference?type=http://loinc.org|34133-9&date=2024-10-15").json()
    assert [each["resource"]["id"] for each in found["entry"]] == [made["id"]]


def test_content_that_was_sent_before_fills_as_well(integrator, uploader, isabella):
    path = uploader.new(CCD, "text/xml")
    made = integrator.create(bare(isabella, {"url": path}))
    assert (made["description"], made["content"][0]["attachment"]["language"]) == ("Summary of care", "en-US")


def test_what_was_sent_is_never_overwritten(integrator, isabella):
    sent = document(isabella, inline(CCD, title="Mine"))
    made = integrator.create(sent)
    for element in set(sent) - {"content"}:
        assert made[element] == sent[element]
    assert made["content"][0]["attachment"]["title"] == "Mine"


def test_what_waited_for_the_scanner_fills_once_it_is_clean(integrator, isabella, settings, trail):
    settings.CLAMAV = nowhere()
    made = integrator.create(bare(isabella, inline(CCD)))
    other = integrator.create(bare(isabella, inline(PDF)))
    assert "type" not in made
    with answering(b"stream: OK\0") as settings.CLAMAV:
        stored.scan()
    filled = integrator.get(f"DocumentReference/{made['id']}").json()
    assert (filled["type"]["coding"][0]["code"], filled["description"]) == ("34133-9", "Summary of care")
    assert (filled["meta"]["versionId"], filled["content"][0]["attachment"]["language"]) == ("2", "en-US")
    assert integrator.get(f"DocumentReference/{other['id']}").json()["meta"]["versionId"] == "1"
    [row] = trail(action="update")
    assert (row.actor, row.patient, row.resources) == ("system", isabella, [f"DocumentReference/{made['id']}"])
    with answering(b"stream: OK\0") as settings.CLAMAV:
        stored.scan(everything=True)
    assert integrator.get(f"DocumentReference/{made['id']}").json()["meta"]["versionId"] == "2"


def test_nothing_that_was_sent_changes_when_it_fills_late(integrator, isabella, settings):
    settings.CLAMAV = nowhere()
    made = integrator.create(bare(isabella, inline(CCD), description="Mine"))
    gone = integrator.create(bare(isabella, {"url": made["content"][0]["attachment"]["url"]}))
    integrator.delete(f"DocumentReference/{gone['id']}")
    with answering(b"stream: OK\0") as settings.CLAMAV:
        assert stored.scan().clean == 1
    filled = integrator.get(f"DocumentReference/{made['id']}").json()
    assert (filled["description"], filled["content"][0]["attachment"]["title"]) == ("Mine", "Summary of care")
    assert integrator.get(f"DocumentReference/{gone['id']}").status_code == 410


def test_a_related_document_is_named_by_its_number(integrator, isabella):
    made = integrator.create(bare(isabella, inline(CCD)))
    [related] = made["relatesTo"]
    assert (related["code"], related["target"]["identifier"]["value"][:9]) == ("replaces", "urn:uuid:")


def test_a_document_of_somebody_else_is_filed_where_it_was_sent(integrator):
    maria = integrator.create()["id"]
    made = integrator.create(bare(maria, inline(CCD)))
    assert made["subject"]["reference"] == f"Patient/{maria}"


@pytest.mark.parametrize(
    ("value", "told"),
    [("2014", "2014"), ("201410", "2014-10"), ("20141015", "2014-10-15"), ("201410151030", "2014-10-15"),
     ("20141015103026", "2014-10-15"), ("201410151030-0500", "2014-10-15T10:30:00-05:00"),
     ("20141015103026.123+0000", "2014-10-15T10:30:26+00:00"), ("20141332", ""), ("", ""), ("20", ""), ("00000101", ""),
     ("20141015250000-0500", "")],
)  # fmt: skip
def test_a_time_is_as_precise_as_it_was_written(value, told):
    assert date_time(fromstring(f'<t value="{value}"/>')) == told


@pytest.mark.parametrize(
    ("attributes", "told"),
    [('root="1.2.3" extension="A"', {"system": "urn:oid:1.2.3", "value": "A"}),
     ('root="1.2.3"', {"system": "urn:ietf:rfc:3986", "value": "urn:oid:1.2.3"}),
     ('root="BE84A8E4-A22E-4210-A4A6-B3C48273E84C"',
      {"system": "urn:ietf:rfc:3986", "value": "urn:uuid:be84a8e4-a22e-4210-a4a6-b3c48273e84c"}),
     ('root="Cypress" extension="A"', {"value": "A"}), ('root="Cypress"', None), ('nullFlavor="NI" root="1.2"', None)],
)  # fmt: skip
def test_an_identifier_is_named_as_fhir_names_it(attributes, told):
    assert identifier(fromstring(f"<id {attributes}/>")) == told


@pytest.mark.parametrize(
    ("name", "born", "differs"),
    [("Jones", "1950-12-19", False), ("Jones", "1950", False), ("JONES", "", False), ("Smith", "1950-12-19", False),
     ("Jones", "1950-12-18", True), ("Smith", "", True), ("Smith", "1951", True)],
)  # fmt: skip
def test_another_patient_is_told_by_birth_date_and_name(integrator, name, born, differs):
    """Who married keeps the birth date and the given name."""
    body = {**ISABELLA, "name": [{"family": name, "given": ["Isabella"]}], "birthDate": born}
    key = integrator.create({element: value for element, value in body.items() if value})["id"]
    subject = header.subject_of(header_of([CCD]))
    assert subject.clearly_differs(Patient.objects.get(logical_id=key)) is differs


BOMB = "<!DOCTYPE d [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;'>]>"
OUTSIDE = '<!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    "hostile",
    [wrapped("<title>&b;</title>", BOMB), wrapped("<title>&e;</title>", OUTSIDE),
     wrapped("<title/>", '<!DOCTYPE d SYSTEM "http://127.0.0.1:9/x.dtd">'), wrapped("<a>" * 200 + "</a>" * 200),
     wrapped("<a/>" * 200_001), wrapped("<title>"), b"<html/>", b"", b"\x00",
     wrapped("x", '<?xml version="1.0" encoding="nope"?>'),
     b'<ClinicalDocument><title>none of HL7</title></ClinicalDocument>', wrapped("x" * 11_000_000)],
    ids=["bomb", "file", "dtd", "deep", "wide", "cut", "html", "empty", "nul", "encoding", "namespace", "long"],
)  # fmt: skip
def test_a_hostile_document_is_not_read(hostile):
    with pytest.raises(NotReadable):
        document_of([hostile])


def test_a_document_that_declares_entities_is_refused(integrator, isabella):
    sent = bare(isabella, inline(wrapped("<title>&e;</title>", OUTSIDE)))
    assert integrator.post("DocumentReference", sent).status_code == 422


def test_no_more_than_the_header_is_read():
    def pieces():
        yield CCD[: CCD.index(b"<structuredBody>")]
        raise AssertionError("the body was read")

    assert header.elements_of(header_of(pieces()))["description"] == "Summary of care"


def test_the_narrative_keeps_tables_and_lists_in_their_order():
    sections = narrative.sections_of(document_of([CCD]))
    assert [each.title for each in sections] == ["Allergies", "Plan of treatment", "Results"]
    assert "<tr><td><span>Penicillin G</span></td><td>Hives</td><td>Moderate</td></tr>" in sections[0].html
    assert "<strong>as before</strong>" in sections[1].html
    assert (sections[1].sections[0].title, sections[1].sections[0].html) == ("Goals", "Walk without pain.")


def test_text_in_place_of_a_body_shows():
    inner = f'<text mediaType="text/plain" representation="B64">{base64.b64encode(b"Seen & well").decode()}</text>'
    root = document_of([wrapped(f"<component><nonXMLBody>{inner}</nonXMLBody></component>")])
    assert narrative.unstructured_text(root) == "Seen & well"


def test_nothing_of_a_narrative_is_markup():
    evil = (
        '<component><structuredBody><component><section><title>&lt;script&gt;x&lt;/script&gt;</title><text>'
        '<script>alert(1)</script><content styleCode="bold&quot; onload=&quot;x" onclick="x">'
        '&lt;img src=x&gt;</content>'
        '<table border="1" onmouseover="x"><tr><td colspan="2" rowspan="x">A</td></tr></table>'
        '<linkHtml href="javascript:alert(1)">go</linkHtml><iframe src="//evil"/>'
        '<list listType="ordered"><item>1</item>'
        "</list></text></section></component></structuredBody></component>"
    )  # fmt: skip
    [section] = narrative.sections_of(document_of([wrapped(evil)]))
    assert section.html == (
        'alert(1)<span>&lt;img src=x&gt;</span><div class="grid-scroll" tabindex="0" role="group"><table>'
        '<tr><td colspan="2">A</td></tr></table></div>go<ol><li>1</li></ol>'
    )
