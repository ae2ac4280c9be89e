"""Documents at the API: whose they are, where their content goes, and how they are found."""

import base64
import hashlib
import json

import pytest

from documents.models import Content
from documents.tests.conftest import body
from documents.tests.samples import PDF, document, inline


def bare(resource):
    return {name: value for name, value in resource.items() if name not in ("id", "meta")}


def test_a_document_comes_back_as_it_was_sent(integrator):
    stored = integrator.create(document())
    assert bare(integrator.get(f"DocumentReference/{stored['id']}").json()) == document()


def test_inline_content_goes_to_the_store_and_comes_back_from_its_address(integrator, uploader):
    sent = document(attachment=inline(title="Letter"))
    stored = integrator.create(sent)
    attachment = stored["content"][0]["attachment"]
    assert attachment.keys() == {"contentType", "title", "url"}
    answer = uploader.get(attachment["url"])
    assert (body(answer), answer["Content-Type"]) == (PDF, "application/pdf")
    rest = {**sent["content"][0], "attachment": attachment}
    assert bare(stored) == {**sent, "content": [rest]}


def test_what_was_stored_can_be_put_back(integrator):
    stored = integrator.create(document(attachment=inline()))
    again = integrator.put(f"DocumentReference/{stored['id']}", stored)
    assert (again.status_code, bare(again.json())) == (200, bare(stored))
    assert Content.objects.count() == 1


@pytest.mark.parametrize(
    ("more", "path"),
    [({"size": 3}, "size"), ({"hash": base64.b64encode(bytes(20)).decode()}, "hash"),
     ({"url": "https://elsewhere.example/a"}, "")],
)  # fmt: skip
def test_data_that_is_not_what_is_said_of_it_is_refused(integrator, objects, more, path):
    answer = integrator.post("DocumentReference", document(attachment=inline(**more)))
    assert answer.status_code == 422
    assert answer.json()["issue"][0]["expression"] == [
        "DocumentReference.content[0].attachment" + (f".{path}" if path else "")
    ]
    assert objects() == []


def test_a_right_size_and_checksum_are_kept(integrator):
    digest = base64.b64encode(hashlib.sha1(PDF, usedforsecurity=False).digest()).decode()
    stored = integrator.create(document(attachment=inline(size=len(PDF), hash=digest)))
    attachment = stored["content"][0]["attachment"]
    assert (attachment["size"], attachment["hash"]) == (len(PDF), digest)


def test_the_database_holds_no_content(integrator):
    from django.db import connection

    integrator.create(document(attachment=inline()))
    with connection.cursor() as cursor:
        cursor.execute("SELECT content::text FROM healthrecords_recordversion")
        assert all(base64.b64encode(PDF).decode() not in row[0] for row in cursor.fetchall())


def test_raw_content_is_seen_by_whoever_sees_its_document(integrator, uploader, uploader_with_role):
    path = uploader.new(PDF)
    nurse = uploader_with_role("immunization-nurse")
    assert nurse.get(path).status_code == 404
    integrator.create(document(attachment={"contentType": "application/pdf", "url": path}))
    assert body(nurse.get(path)) == PDF


def test_the_download_is_a_disclosure_of_the_patient(integrator, uploader, trail):
    path = integrator.create(document("p7", inline()))["content"][0]["attachment"]["url"]
    uploader.get(path)
    [row] = trail(action="read")
    assert (row.patient, row.resources) == ("p7", [path])


def test_content_goes_with_its_deleted_document(integrator, uploader):
    stored = integrator.create(document(attachment=inline()))
    path = stored["content"][0]["attachment"]["url"]
    integrator.delete(f"DocumentReference/{stored['id']}")
    assert uploader.get(path).status_code == 404


def test_an_earlier_version_keeps_its_content(integrator, uploader):
    stored = integrator.create(document(attachment=inline()))
    first = stored["content"][0]["attachment"]["url"]
    integrator.put(f"DocumentReference/{stored['id']}", {**document(attachment=inline(b"new")), "id": stored["id"]})
    assert body(uploader.get(first)) == PDF


def test_content_of_one_patient_cannot_be_taken_into_the_document_of_another(integrator):
    path = integrator.create(document("p1", inline()))["content"][0]["attachment"]["url"]
    for url in (path, f"http://127.0.0.1:8000/fhir/{path}", f"{path}/_history/1"):
        answer = integrator.post("DocumentReference", document("p2", {"contentType": "a/b", "url": url}))
        assert answer.status_code == 422
        assert "another patient" in json.dumps(answer.json())
    assert integrator.post("DocumentReference", document("p1", {"url": path})).status_code == 201


def test_a_document_of_nobody_here_is_refused(integrator):
    for subject in ({"reference": "https://elsewhere.example/Patient/1"}, {"display": "Maria"}, None):
        sent = {name: value for name, value in document(subject=subject).items() if value}
        assert integrator.post("DocumentReference", sent).status_code == 422


def test_a_transaction_stores_content_and_a_failing_one_leaves_nothing(integrator, objects):
    good = {"resource": document(attachment=inline()), "request": {"method": "POST", "url": "DocumentReference"}}
    bad = {"resource": document("p2", subject={"display": "x"}), "request": good["request"]}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [good, bad]}
    assert integrator.post("", bundle).status_code == 422
    assert (objects(), Content.objects.count()) == ([], 0)
    assert integrator.post("", {**bundle, "entry": [good, good]}).status_code == 200
    assert (len(objects()), Content.objects.count()) == (2, 2)


def test_an_entry_of_a_batch_that_fails_takes_its_content_along(integrator, objects):
    good = {"resource": document(attachment=inline()), "request": {"method": "POST", "url": "DocumentReference"}}
    bad = {"resource": {**document(attachment=inline()), "id": "x"},
           "request": {"method": "PUT", "url": "DocumentReference/x", "ifMatch": 'W/"7"'}}  # fmt: skip
    bundle = {"resourceType": "Bundle", "type": "batch", "entry": [bad, good]}
    answers = integrator.post("", bundle).json()["entry"]
    assert [each["response"]["status"][:3] for each in answers] == ["412", "201"]
    assert (len(objects()), Content.objects.count()) == (1, 1)


def test_a_document_whose_writing_cannot_be_recorded_leaves_nothing(integrator, objects, broken_trail):
    assert integrator.post("DocumentReference", document(attachment=inline())).status_code >= 500
    assert (objects(), Content.objects.count()) == ([], 0)


FINDS = [
    "authenticator=Practitioner/a2", "author=Practitioner/a1", "author=o1", "author:Organization=o1",
    "category=clinical-note", "contenttype=application/pdf", "custodian=Organization/o2", "date=2024-05-17",
    "date=ge2024-05-17T14:00:00Z", "description=discharge", "description:contains=hip", "encounter=e1",
    "event=http://snomed.info/sct|52734007", "facility=22232009", "format=urn:ihe:pcc:xphr:2007",
    "identifier=D-1", "identifier=urn:example:docs|D-1.2", "location=https://elsewhere.example/a.pdf",
    "location:below=https://elsewhere.example/", "patient=p1", "patient=Patient/p1", "subject=Patient/p1",
    "period=2024-05", "related=Observation/r1", "related:Observation=r1", "relatesto=DocumentReference/older",
    "relatesto=older", "relation=replaces", "relationship=DocumentReference/older$replaces", "security-label=N",
    "setting=408467006", "status=current", "type=http://loinc.org|34133-9", "language:missing=true",
    "author:missing=false", "identifier:not=other",
]  # fmt: skip


@pytest.mark.parametrize("terms", FINDS)
def test_a_document_is_found_by(integrator, terms):
    stored = integrator.create(document())
    integrator.create({"resourceType": "DocumentReference", "status": "superseded",
                       "subject": {"reference": "Patient/p9"},
                       "content": [{"attachment": {"url": "urn:example:x", "language": "de"}}]})  # fmt: skip
    found = integrator.get(f"DocumentReference?{terms}")
    assert found.status_code == 200, found.content
    ids = [entry["resource"]["id"] for entry in found.json().get("entry", [])]
    assert stored["id"] in ids
    assert len(ids) == 1 or ":not" in terms


MISSES = [
    "author=Practitioner/a2", "custodian=Organization/o1", "related=Patient/r1", "relation=signs", "location=https:",
    "relationship=DocumentReference/older$signs", "relationship=DocumentReference/other$replaces", "identifier=D-2",
    "contenttype=application", "period=2023", "date=2024-05-18", "author:missing=true",
]  # fmt: skip


@pytest.mark.parametrize("terms", MISSES)
def test_a_document_is_not_found_by(integrator, terms):
    integrator.create(document())
    assert integrator.get(f"DocumentReference?{terms}&_summary=count").json()["total"] == 0


def test_every_search_parameter_of_r4_is_served(integrator):
    served = {each["type"]: each for each in integrator.get("metadata").json()["rest"][0]["resource"]}
    names = {each["name"] for each in served["DocumentReference"]["searchParam"]} - {"_id", "_lastUpdated"}
    assert names == set(
        "authenticator author category contenttype custodian date description encounter event facility format "
        "identifier language location patient period related relatesto relation relationship security-label setting "
        "status subject type".split()
    )
    assert [each["code"] for each in served["Binary"]["interaction"]] == ["read", "create"]


def test_what_a_document_points_to_comes_along_and_chains_lead_through_it(integrator):
    author = integrator.create({"resourceType": "Practitioner", "name": [{"family": "Okafor"}]})
    patient = integrator.create()
    stored = integrator.create(document(patient["id"], author=[{"reference": f"Practitioner/{author['id']}"}]))
    terms = "_include=DocumentReference:author&_include=DocumentReference:patient"
    entries = integrator.get(f"DocumentReference?_id={stored['id']}&{terms}").json()["entry"]
    assert {entry["resource"]["id"] for entry in entries} == {stored["id"], author["id"], patient["id"]}
    for chain in ("author:Practitioner.name=okafor", "author.family=okafor", "patient.family=jansen"):
        found = integrator.get(f"DocumentReference?{chain}").json()
        assert [entry["resource"]["id"] for entry in found["entry"]] == [stored["id"]]
    back = integrator.get(f"Practitioner?_id={author['id']}&_revinclude=DocumentReference:author").json()
    assert len(back["entry"]) == 2
