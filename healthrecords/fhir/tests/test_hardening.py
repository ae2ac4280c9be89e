"""What a review by an attacker found, each kept from coming back."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from healthrecords.fhir.search import query
from tests.cast import PATIENT

FORM = "application/x-www-form-urlencoded"


def entry(method, url, resource=None, full_url=None, **conditions):
    made = {"request": {"method": method, "url": url, **conditions}}
    return made | ({"resource": resource} if resource else {}) | ({"fullUrl": full_url} if full_url else {})


def bundle(kind, *entries):
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def test_a_relative_reference_means_the_server_of_its_fullurl_never_a_namesake_here(integrator, trail):
    victim = {**PATIENT, "id": "1001", "name": [{"family": "Victim"}]}
    integrator.put("Patient/1001", victim)
    dose = {
        "resourceType": "Immunization", "status": "completed", "occurrenceDateTime": "2026-01-02",
        "vaccineCode": {"text": "Influenza"}, "patient": {"reference": "Patient/1001"},
    }  # fmt: skip
    sent = bundle(
        "transaction",
        entry("POST", "Patient", PATIENT, "http://other.example/fhir/Patient/1001"),
        entry("POST", "Immunization", dose, "http://other.example/fhir/Immunization/9"),
    )
    answer = integrator.post("", sent)
    assert answer.status_code == 200
    assert integrator.get("Immunization?patient=1001").json().get("entry", []) == []
    assert [row.patient for row in trail(action="create", resource_type="Immunization")] != ["1001"]
    [found] = integrator.get("Immunization").json()["entry"]
    new = answer.json()["entry"][0]["response"]["location"].split("/")[-3]
    assert found["resource"]["patient"]["reference"] == f"Patient/{new}"


@pytest.mark.parametrize(
    "terms",
    ["&".join(["name=a"] * (query.MAX_TERMS + 1)), "&".join([f"name={','.join(['a'] * 150)}"] * 4),
     "&".join(["_include=Patient:link", "_include=Patient:organization"]) + "&name=" + ",".join(["a"] * 201)],
    ids=["parameters", "values in all", "values of one"],
)  # fmt: skip
def test_a_search_that_would_cost_too_much_is_refused(integrator, terms):
    assert integrator.post("Patient/_search", terms, Content_Type=FORM).status_code == 400


def test_the_same_include_again_is_one_include(integrator):
    integrator.create()
    assert integrator.get("Patient?" + "&".join(["_revinclude=Immunization:*"] * 100)).status_code == 200


def test_a_statement_may_not_hold_the_server(integrator):
    for alias in ("default", "trail"):
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT current_setting('statement_timeout'), current_setting('lock_timeout')")
            assert cursor.fetchone() == ("20s", "5s")


def test_a_bundle_of_many_searches_is_refused(integrator):
    many = bundle("batch", *(entry("GET", "Patient?_count=200") for _ in range(21)))
    assert integrator.post("", many).status_code == 413
    reads = bundle("batch", *(entry("GET", f"Patient/{n}") for n in range(50)))
    assert integrator.post("", reads).status_code == 200


def test_one_condition_stands_once_in_a_transaction(integrator):
    twice = [entry("POST", "Patient", PATIENT, ifNoneExist="identifier=urn:x|1") for _ in range(2)]
    assert integrator.post("", bundle("transaction", *twice)).status_code == 400


@pytest.mark.parametrize("number", ["1e99999999999999999999", "1E999999999", "1e-9999"])
def test_a_number_beyond_reason_is_refused(integrator, number):
    body = '{"resourceType":"Patient","extension":[{"url":"urn:x","valueDecimal":0}]}'.replace("0", number)
    assert integrator.post("Patient", body).status_code == 400


@pytest.mark.parametrize("kind", ["application/json", "text/json", "application/fhir+json; charset=utf-8"])
def test_json_is_taken_by_each_of_its_names(integrator, kind):
    assert integrator.post("Patient", PATIENT, Content_Type=kind).status_code == 201


def test_no_cache_keeps_an_answer(integrator):
    path = f"Patient/{integrator.create()['id']}"
    for answer in (
        integrator.get(path),
        integrator.get("Patient"),
        integrator.get("Patient/none"),
        integrator.post(""),
    ):
        assert answer["Cache-Control"] == "no-store"


def test_a_denial_within_a_transaction_says_about_whom(operator, integrator, trail):
    patient = integrator.create()
    operator.post("", bundle("transaction", entry("GET", f"Patient/{patient['id']}")))
    assert [(row.patient, row.actor) for row in trail(action="denied")] == [(patient["id"], "operator token")]


@pytest.mark.parametrize("tail", ["", "/_history", "/_history/1", "/$validate"])
def test_an_id_that_is_none_is_not_found_and_recorded(integrator, trail, tail):
    assert integrator.get(f"Patient/a%00b{tail}").status_code == 404
    assert [row.outcome for row in trail()] == ["failed 404"]


@pytest.mark.parametrize("date", ["ap0001", "ap9999", "ap9999-12-31", "ap2024-05"])
def test_about_the_ends_of_time_is_no_error(integrator, date):
    assert integrator.get(f"Patient?birthdate={date}").status_code == 200


@pytest.mark.parametrize("time", ["Thu, 01 Jan 1970 00:00:00", "Thu, 01 Jan 1970 00:00:00 -0000", "soon"])
def test_a_time_without_a_zone_is_no_error(integrator, time):
    path = f"Patient/{integrator.create()['id']}"
    assert integrator.get(path, If_Modified_Since=time).status_code == 200


@pytest.mark.parametrize(
    "body", ['{"na\\ud800me":1}', '{"resourceType":"Pat\\ud800"}', '{"x":1,"\\udc00":1,"\\udc00":2}']
)
def test_half_of_a_surrogate_pair_is_refused_in_words(integrator, body):
    answer = integrator.post("Patient", body)
    assert (answer.status_code, answer.json()["resourceType"]) == (400, "OperationOutcome")


def test_a_whole_surrogate_pair_is_a_character(integrator):
    body = '{"resourceType":"Patient","name":[{"family":"\\ud83d\\ude00 \\\\\\\\ud800"}]}'
    assert integrator.post("Patient", body).json()["name"][0]["family"] == "😀 \\\\ud800"


def test_too_many_fields_of_a_form_are_refused(integrator):
    assert integrator.post("Patient/_search", "&".join(["name=a"] * 2100), Content_Type=FORM).status_code == 400


def test_a_read_in_a_batch_shows_what_it_was_asked_for(integrator):
    path = f"Patient/{integrator.create()['id']}"
    answer = integrator.post("", bundle("batch", entry("GET", f"{path}?_elements=id"), entry("GET", f"{path}?wings=1")))
    shown, refused = answer.json()["entry"]
    assert "name" not in shown["resource"]
    assert refused["response"]["status"].startswith("400")
    assert (
        integrator.post("", bundle("batch", entry("HEAD", path))).json()["entry"][0]["response"]["status"][:3] == "405"
    )


def test_a_parameter_of_a_write_is_refused_not_ignored(integrator):
    assert integrator.post("Patient?name=q", PATIENT).status_code == 400
    path = f"Patient/{integrator.create()['id']}"
    assert integrator.get(f"{path}/_history/1?wings=1").status_code == 400
    assert integrator.delete(f"{path}?wings=1").status_code == 400


def test_an_address_that_is_not_served_is_recorded_with_who_asked(operator, trail):
    operator.get("Nope/1")
    assert [row.actor for row in trail()] == ["operator token"]


def test_an_empty_transaction_answers_without_an_empty_list(integrator):
    assert "entry" not in integrator.post("", bundle("transaction")).json()


def test_conditional_creates_that_are_spelled_differently_do_not_pass_each_other(integrator):
    body = {**PATIENT, "identifier": [{"system": "urn:r", "value": "K"}]}
    ways = ["identifier=urn:r|K", "identifier=K", "?identifier=urn:r|K", "identifier=urn:r|K&_format=json"]

    def create(way):
        try:
            return integrator.post("Patient", body, If_None_Exist=way).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(create, ways * 3))
    assert sorted(answers) == [200] * 11 + [201]
