"""Search over HTTP: what is found, how it is shown, and pages that neither skip nor repeat."""

from urllib.parse import urlsplit

import pytest

MARIA = {
    "resourceType": "Patient",
    "identifier": [
        {"system": "urn:example:mrn", "value": "A-100"},
        {"system": "http://hl7.org/fhir/sid/us-ssn", "value": "999-12-3456"},
    ],
    "active": True,
    "name": [{"family": "Núñez", "given": ["María", "Josefa"]}, {"use": "maiden", "family": "O'Hara"}],
    "telecom": [{"system": "phone", "value": "(555) 123-4567"}, {"system": "email", "value": "Maria@Example.org"}],
    "gender": "female",
    "birthDate": "1980-05",
    "address": [{"line": ["12 Harbour Road"], "city": "Salem", "state": "MA", "postalCode": "01970", "country": "US"}],
    "communication": [{"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "es"}]}}],
    "generalPractitioner": [{"reference": "Practitioner/p1"}],
    "managingOrganization": {"reference": "Organization/o1"},
}
JOHN = {
    "resourceType": "Patient",
    "name": [{"family": "Nunn", "given": ["John"]}],
    "gender": "male",
    "birthDate": "1975-12-24",
    "deceasedDateTime": "2020-01-02",
    "link": [{"other": {"reference": "Patient/elsewhere"}, "type": "seealso"}],
}

FINDS_MARIA = [
    "identifier=A-100", "identifier=urn:example:mrn|A-100", "identifier=urn:example:mrn|", "identifier=999-12-3456",
    "identifier=http://hl7.org/fhir/sid/us-ssn|999-12-3456", "name=nunez", "name=Mar", "name=o'ha", "family=NÚÑE",
    "family:exact=Núñez", "given:contains=osef", "given=maria&family=nunez", "birthdate=1980-05", "birthdate=1980",
    "birthdate=ge1980", "birthdate=lt1981&birthdate=gt1979", "gender=female", "gender:not=male", "active=true",
    "address=12 Harb", "address:contains=arbour", "address-city=salem", "address-state=MA", "address-postalcode=01970",
    "address-country=us", "telecom=phone|(555) 123-4567", "phone=5551234567", "phone=(555) 123-4567",
    "email=maria@example.org", "deceased=false", "general-practitioner=Practitioner/p1", "general-practitioner=p1",
    "organization=Organization/o1", "organization=o1", "language=es", "language=urn:ietf:bcp:47|es",
    "deceased:not=true", "link:missing=true", "email:missing=false", "gender=female,unknown",
]  # fmt: skip
FINDS_NOBODY = [
    "identifier=A-10", "identifier=urn:other|A-100", "family:exact=nunez", "birthdate=1980-05-17", "birthdate=gt2000",
    "gender=other", "address-city=boston", "language=fr", "organization=o2", "name=zz", "active=false",
    "general-practitioner=Organization/p1", "_id=nobody", "_lastUpdated=lt2020", "identifier=999-12-3457",
]  # fmt: skip


def names(answer):
    return [entry["resource"]["name"][0]["family"] for entry in answer.json().get("entry", [])]


@pytest.fixture
def two(integrator):
    return integrator.create(MARIA), integrator.create(JOHN)


def test_each_parameter_finds_the_patient_that_it_describes(integrator, two):
    missed = [terms for terms in FINDS_MARIA if names(integrator.get(f"Patient?{terms}")) != ["Núñez"]]
    assert missed == []


def test_each_parameter_leaves_out_those_that_it_does_not_describe(integrator, two):
    found = [terms for terms in FINDS_NOBODY if names(integrator.get(f"Patient?{terms}"))]
    assert found == []


def test_a_death_and_a_link_are_found(integrator, two):
    for terms in ("deceased=true", "link=Patient/elsewhere", "gender:not=female", "birthdate=1975-12-24", "name=nunn"):
        assert names(integrator.get(f"Patient?{terms}")) == ["Nunn"], terms


UNKNOWN = [
    "nme=x", "name:fuzzy=x", "birthdate=yesterday", "_sort=nothing", "_count=many", "_total=all", "_summary=most",
    "_elements=wings", "active=perhaps", "name=", "_has:Observation:patient:code=1", "organization.wings=x",
    "gender.name=x", "_include=Patient:wings", "_include=Organization:partof", "_include:iterate=Patient:link",
    "_revinclude=Patient:link:Group", "organization.partof.partof.partof.partof.name=x", "gender:missing=maybe",
    "name=%00", "_page=AAAA", "_unknown=1",
]  # fmt: skip


@pytest.mark.parametrize("terms", UNKNOWN)
def test_what_the_server_does_not_know_is_refused_not_ignored(integrator, two, terms):
    answer = integrator.get(f"Patient?{terms}")
    assert answer.status_code == 400
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_a_search_by_post_finds_the_same(integrator, two):
    form = "application/x-www-form-urlencoded"
    answer = integrator.post("Patient/_search?gender=female", "name=nunez&_count=5", Content_Type=form)
    assert answer.status_code == 200
    assert names(answer) == ["Núñez"]
    assert integrator.post("Patient/_search", "nme=x", Content_Type=form).status_code == 400


def test_totals_are_counted_when_asked(integrator, two):
    assert "total" not in integrator.get("Patient").json()
    assert integrator.get("Patient?_total=accurate&_count=1").json()["total"] == 2
    counted = integrator.get("Patient?_summary=count").json()
    assert counted["total"] == 2
    assert "entry" not in counted


def test_summary_and_elements_show_a_part_and_say_so(integrator, two):
    [entry] = integrator.get("Patient?name=nunez&_elements=gender").json()["entry"]
    shown = entry["resource"]
    assert set(shown) == {"resourceType", "id", "meta", "gender"}
    assert shown["meta"]["tag"][-1]["code"] == "SUBSETTED"
    summary = integrator.get(f"Patient/{two[0]['id']}?_summary=true").json()
    assert "communication" not in summary
    assert summary["name"][0]["family"] == "Núñez"


def test_sorting_by_name_and_birth_date(integrator, two):
    assert names(integrator.get("Patient?_sort=family")) == ["Núñez", "Nunn"]
    assert names(integrator.get("Patient?_sort=-family")) == ["Nunn", "Núñez"]
    assert names(integrator.get("Patient?_sort=birthdate")) == ["Nunn", "Núñez"]
    assert names(integrator.get("Patient?_sort=-birthdate")) == ["Núñez", "Nunn"]


def follow(integrator, path):
    """Walk the pages of a search; return the ids in order, and call nothing twice."""
    seen = []
    while path:
        bundle = integrator.get(path).json()
        seen += [entry["resource"]["id"] for entry in bundle.get("entry", [])]
        links = {link["relation"]: link["url"] for link in bundle["link"]}
        path = links.get("next")
        if path:
            address = urlsplit(path)
            path = f"{address.path}?{address.query}"
        yield seen


@pytest.mark.parametrize("order", ["", "&_sort=birthdate", "&_sort=-_lastUpdated"])
def test_pages_neither_skip_nor_repeat_while_rows_change(integrator, order):
    ids = [integrator.create(birthDate=f"19{n}0-01-01")["id"] for n in range(3, 10)]
    for step, seen in enumerate(follow(integrator, f"Patient?_count=2{order}")):  # noqa: B007
        if step == 0:
            integrator.create(birthDate="1901-01-01")
            touched = integrator.get(f"Patient/{ids[3]}").json()
            integrator.put(f"Patient/{ids[3]}", {**touched, "birthDate": "2001-01-01"})
    assert len(seen) == len(set(seen))
    assert set(ids) <= set(seen)


def test_a_page_link_is_opaque_and_belongs_to_its_holder(integrator, clinician, two):
    bundle = integrator.get("Patient?_count=1&name=nun").json()
    link = next(link["url"] for link in bundle["link"] if link["relation"] == "next")
    assert "nun" not in link
    assert integrator.get(link).status_code == 200
    assert clinician.get(link).status_code == 400
    assert integrator.get(link[:-6] + "AAAAAA").status_code == 400


def test_history_of_a_type_lists_newest_first_in_pages(integrator):
    ids = [integrator.create()["id"] for _ in range(5)]
    path, seen = "Patient/_history?_count=2", []
    while path:
        bundle = integrator.get(path).json()
        seen += [entry["resource"]["id"] for entry in bundle["entry"]]
        path = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), None)
    assert seen == ids[::-1]
    assert integrator.get("Patient/_history?_at=2020").status_code == 400
    assert "entry" not in integrator.get("Patient/_history?_since=2100-01-01T00:00:00Z").json()


@pytest.fixture
def clinic(integrator):
    """A practice within a hospital, with its practitioner and a patient of theirs."""
    integrator.put("Organization/h1", {"resourceType": "Organization", "id": "h1", "name": "General Hospital"})
    part = {
        "resourceType": "Organization",
        "id": "o1",
        "name": "Harbour Clinic",
        "partOf": {"reference": "Organization/h1"},
    }
    integrator.put("Organization/o1", part)
    integrator.put("Practitioner/p1", {"resourceType": "Practitioner", "id": "p1", "name": [{"family": "Okafor"}]})
    integrator.create(JOHN)
    return integrator.create(MARIA)


@pytest.mark.parametrize(
    "terms",
    ["organization.name=harbour", "organization:Organization.name=harb", "general-practitioner.name=okafor",
     "general-practitioner:Practitioner.family=okafor", "organization.partof.name=general"],
)  # fmt: skip
def test_a_chain_asks_about_what_is_referred_to(integrator, clinic, terms):
    assert names(integrator.get(f"Patient?{terms}")) == ["Núñez"]


@pytest.mark.parametrize("terms", ["organization.name=sea", "organization.partof.name=harbour"])
def test_a_chain_that_leads_elsewhere_finds_nobody(integrator, clinic, terms):
    assert names(integrator.get(f"Patient?{terms}")) == []


def kinds(answer):
    entries = answer.json().get("entry", [])
    return [(entry["resource"]["resourceType"], entry["search"]["mode"]) for entry in entries]


def test_include_adds_what_the_matches_refer_to_once(integrator, clinic):
    answer = integrator.get("Patient?name=nunez&_include=Patient:organization&_include=Patient:*")
    assert kinds(answer)[0] == ("Patient", "match")
    assert sorted(kinds(answer)[1:]) == [("Organization", "include"), ("Practitioner", "include")]
    narrowed = integrator.get("Patient?name=nunez&_include=Patient:general-practitioner:Practitioner")
    assert kinds(narrowed) == [("Patient", "match"), ("Practitioner", "include")]


def test_revinclude_adds_what_refers_to_the_matches_with_its_row(integrator, clinic, trail):
    answer = integrator.get("Organization?name=harbour&_revinclude=Patient:organization")
    assert kinds(answer) == [("Organization", "match"), ("Patient", "include")]
    [row] = trail(action="search")
    assert (row.patient, row.resources) == (clinic["id"], [f"Patient/{clinic['id']}"])
