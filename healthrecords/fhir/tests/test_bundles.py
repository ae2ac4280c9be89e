"""Bundles: a batch does each entry for itself; a transaction does all or nothing."""

import pytest
from django.test.utils import CaptureQueriesContext

from tests.cast import PATIENT

ORGANIZATION = {"resourceType": "Organization", "name": "Harbour Clinic"}


def entry(method, url, resource=None, full_url=None, **conditions):
    made = {"request": {"method": method, "url": url, **conditions}}
    return made | ({"resource": resource} if resource else {}) | ({"fullUrl": full_url} if full_url else {})


def bundle(kind, *entries):
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def statuses(answer):
    return [each["response"]["status"][:3] for each in answer.json()["entry"]]


def count(caller, kind="Patient"):
    return caller.get(f"{kind}?_summary=count").json()["total"]


def test_a_transaction_writes_all_and_resolves_what_entries_refer_to(integrator):
    patient = {**PATIENT, "managingOrganization": {"reference": "urn:uuid:11111111-1111-4111-8111-111111111111"}}
    answer = integrator.post(
        "",
        bundle(
            "transaction",
            entry("POST", "Patient", patient, "urn:uuid:22222222-2222-4222-8222-222222222222"),
            entry("POST", "Organization", ORGANIZATION, "urn:uuid:11111111-1111-4111-8111-111111111111"),
            entry("GET", "Patient?name=jansen"),
        ),
    )
    assert answer.status_code == 200, answer.content
    assert answer.json()["type"] == "transaction-response"
    assert statuses(answer) == ["201", "201", "200"]
    made = answer.json()["entry"]
    organization = "/".join(made[1]["response"]["location"].split("/")[-4:-2])
    [found] = made[2]["resource"]["entry"]
    assert found["resource"]["managingOrganization"]["reference"] == organization
    assert made[0]["response"]["etag"] == 'W/"1"'
    assert "resource" not in made[0]


def test_the_base_without_a_slash_takes_bundles_too(integrator):
    answer = integrator.post(
        "/fhir", bundle("transaction", entry("POST", "Patient", PATIENT)), Prefer="return=representation"
    )
    assert statuses(answer) == ["201"]
    assert answer.json()["entry"][0]["resource"]["name"] == PATIENT["name"]


def test_a_transaction_that_fails_leaves_nothing_behind(integrator, trail):
    entries = [entry("POST", "Patient", PATIENT) for _ in range(50)]
    entries[37] = entry("PUT", "Patient/none", {**PATIENT, "id": "none"}, ifMatch='W/"4"')
    before = len(trail(action="create"))
    answer = integrator.post("", bundle("transaction", *entries))
    assert answer.status_code == 412
    assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[37]"]
    assert count(integrator) == 0
    assert len(trail(action="create")) == before
    from healthrecords.records import RecordVersion

    assert RecordVersion.objects.count() == 0


def test_all_invalid_entries_are_told_with_their_paths(integrator):
    answer = integrator.post(
        "",
        bundle(
            "transaction",
            entry("POST", "Patient", {**PATIENT, "gender": "woman"}),
            entry("POST", "Patient", PATIENT),
            entry("POST", "Patient", {**PATIENT, "birthDate": "soon"}),
        ),
    )
    paths = [path for issue in answer.json()["issue"] for path in issue["expression"]]
    assert answer.status_code == 422
    assert paths == ["Bundle.entry[0].resource.gender", "Bundle.entry[2].resource.birthDate"]
    assert count(integrator) == 0


def test_the_same_transaction_twice_with_if_none_exist_changes_nothing(integrator):
    bodies = [{**PATIENT, "identifier": [{"system": "urn:x", "value": f"N{n}"}]} for n in range(3)]
    sent = bundle(
        "transaction",
        *(entry("POST", "Patient", b, ifNoneExist=f"identifier=urn:x|N{n}") for n, b in enumerate(bodies)),
    )
    first, second = integrator.post("", sent), integrator.post("", sent)
    assert (statuses(first), statuses(second)) == (["201"] * 3, ["200"] * 3)
    assert count(integrator) == 3
    assert integrator.get("Patient/_history").json()["entry"].__len__() == 3


def test_a_conditional_reference_finds_its_one_record_or_fails(integrator):
    integrator.create({**ORGANIZATION, "identifier": [{"system": "urn:o", "value": "7"}]})
    patient = {**PATIENT, "managingOrganization": {"reference": "Organization?identifier=urn:o|7"}}
    assert statuses(integrator.post("", bundle("transaction", entry("POST", "Patient", patient)))) == ["201"]
    assert count(integrator, "Patient") == 1
    missing = {**PATIENT, "managingOrganization": {"reference": "Organization?identifier=urn:o|8"}}
    answer = integrator.post("", bundle("transaction", entry("POST", "Patient", missing)))
    assert answer.status_code == 412
    assert count(integrator) == 1


def test_deletes_come_before_creates_and_updates_before_looks(integrator):
    old, kept = integrator.create(), integrator.create()
    answer = integrator.post(
        "",
        bundle(
            "transaction",
            entry("GET", f"Patient/{kept['id']}"),
            entry("POST", "Patient", PATIENT, ifNoneExist=f"_id={old['id']}"),
            entry("PUT", f"Patient/{kept['id']}", {**kept, "gender": "other"}, ifMatch='W/"1"'),
            entry("DELETE", f"Patient/{old['id']}"),
        ),
    )
    assert statuses(answer) == ["200", "201", "200", "204"]
    assert answer.json()["entry"][0]["resource"]["gender"] == "other"


LOST = {**PATIENT, "managingOrganization": {"reference": "urn:uuid:33333333-3333-4333-8333-333333333333"}}
TWIN = entry("POST", "Patient", PATIENT, "urn:uuid:1")
REFUSED = {
    "an unknown urn": ([entry("POST", "Patient", LOST)], 400),
    "a record twice": ([entry("PUT", "Patient/a", {**PATIENT, "id": "a"}), entry("DELETE", "Patient/a")], 400),
    "a fullUrl twice": ([TWIN, TWIN], 400),
    "no request": ([{"resource": PATIENT}], 400),
    "an unknown type": ([entry("POST", "Wing", PATIENT)], 404),
    "an unknown method": ([entry("PATCH", "Patient/a", PATIENT)], 405),
    "another id": ([entry("PUT", "Patient/a", {**PATIENT, "id": "b"})], 400),
    "nothing to delete": ([entry("DELETE", "Patient/none")], 404),
    "a look that fails": ([entry("POST", "Patient", PATIENT), entry("GET", "Patient/none")], 404),
    "a search that is refused": ([entry("POST", "Patient", PATIENT), entry("GET", "Patient?wings=2")], 400),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_transaction_is_refused_as_a_whole_for(integrator, what):
    entries, status = REFUSED[what]
    answer = integrator.post("", bundle("transaction", *entries))
    assert (answer.status_code, answer.json()["resourceType"]) == (status, "OperationOutcome")
    assert count(integrator) == 0


@pytest.mark.parametrize(
    "body", [[], {"resourceType": "Patient"}, bundle("collection"), {**bundle("batch"), "entry": 3}]
)
def test_what_is_no_batch_or_transaction_is_refused(integrator, body):
    assert integrator.post("", body).status_code == 400


def test_a_batch_does_each_entry_for_itself(integrator, trail):
    answer = integrator.post(
        "",
        bundle(
            "batch",
            entry("POST", "Patient", PATIENT),
            entry("POST", "Patient", {**PATIENT, "gender": "woman"}),
            entry("GET", "Patient/none"),
            {"resource": PATIENT},
            entry("GET", "Patient?name=jansen"),
        ),
    )
    assert answer.json()["type"] == "batch-response"
    assert statuses(answer) == ["201", "422", "404", "400", "200"]
    assert answer.json()["entry"][1]["response"]["outcome"]["resourceType"] == "OperationOutcome"
    assert count(integrator) == 1
    assert [row.outcome for row in trail() if row.outcome != "success"] == ["failed 422", "failed 404", "failed 400"]


def test_each_record_of_a_transaction_has_its_row(integrator, trail):
    integrator.post("", bundle("transaction", *(entry("POST", "Patient", PATIENT) for _ in range(5))))
    rows = trail(action="create")
    assert len({row.patient for row in rows}) == 5
    assert len({row.request for row in rows}) == 1


def test_an_entry_that_the_role_does_not_permit_is_denied(clinician, integrator, trail):
    patient = integrator.create()
    answer = clinician.post("", bundle("transaction", entry("DELETE", f"Patient/{patient['id']}")))
    assert answer.status_code == 403
    assert len(trail(action="denied")) == 1
    assert statuses(clinician.post("", bundle("batch", entry("DELETE", f"Patient/{patient['id']}")))) == ["403"]
    assert integrator.get(f"Patient/{patient['id']}").status_code == 200


def test_an_outsider_gets_nowhere(outsider):
    assert outsider.post("", bundle("batch", entry("GET", "Patient"))).status_code == 401


def test_fifty_creates_are_one_round_of_statements(integrator):
    from django.db import connection

    def statements(number):
        with CaptureQueriesContext(connection) as queries:
            answer = integrator.post(
                "", bundle("transaction", *(entry("POST", "Patient", PATIENT) for _ in range(number)))
            )
        assert answer.status_code == 200
        return len(queries)

    statements(1)  # the first use of a token in a minute is noted
    assert statements(50) == statements(2)
