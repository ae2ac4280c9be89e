"""Bad input gets a clear OperationOutcome and the right status; it never becomes an error of the server."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cast import PATIENT

TEXT = json.dumps(PATIENT)


def broken(**changes):
    return json.dumps({**PATIENT, **changes})


REFUSED = [
    ("not JSON", 400, "{"),
    ("nothing at all", 400, ""),
    ("not UTF-8", 400, b"\xff\xfe"),
    ("a list", 400, "[]"),
    ("another type", 400, broken(resourceType="Organization")),
    ("no type", 400, json.dumps({"name": []})),
    ("a name twice", 400, TEXT.replace('"gender"', '"gender": "male", "gender"')),
    ("NaN", 400, TEXT.replace('"female"', "NaN")),
    ("deep nesting", 400, '{"resourceType":"Patient","extension":' + "[" * 20000 + "]" * 20000 + "}"),
    ("deep enough", 422, '{"resourceType":"Patient","extension":' + "[" * 100 + "1" + "]" * 100 + "}"),
    ("an unknown element", 422, broken(wings=2)),
    ("a number for a string", 422, broken(gender=7)),
    ("a string for a list", 422, broken(name="Maria")),
    ("a list for an object", 422, broken(managingOrganization=["Organization/1"])),
    ("a text for a boolean", 422, broken(active="true")),
    ("a code that is none", 422, broken(gender="woman")),
    ("a date that is none", 422, broken(birthDate="2001-02-30")),
    ("null", 422, broken(gender=None)),
    ("an empty list", 422, broken(name=[])),
    ("an empty string", 422, broken(birthDate="")),
    ("a NUL character", 422, broken(name=[{"family": "a\u0000b"}])),
    ("a lone surrogate", 400, broken(name=[{"family": "\ud800"}])),
]


@pytest.mark.parametrize(("what", "status", "body"), REFUSED, ids=[case[0] for case in REFUSED])
def test_it_is_refused_with_an_outcome(integrator, what, status, body):
    answer = integrator.post("Patient", body)
    assert (answer.status_code, answer.json()["resourceType"]) == (status, "OperationOutcome")
    assert answer.json()["issue"][0]["diagnostics"]
    assert integrator.get("Patient?_summary=count").json()["total"] == 0


def test_all_faults_are_told_at_once_each_with_its_path(integrator):
    issues = integrator.post("Patient", broken(gender=7, birthDate="soon", wings=1)).json()["issue"]
    assert {issue["expression"][0] for issue in issues} >= {"Patient.gender", "Patient.birthDate", "Patient"}


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "America/Adak"])
def test_the_ends_of_the_calendar_are_refused_or_kept_but_never_an_error(integrator, settings, zone):
    settings.TIME_ZONE = zone
    for date in ("0001-01-01", "0001", "9999-12-31", "9999"):
        assert integrator.post("Patient", broken(birthDate=date)).status_code in (201, 422)
        assert integrator.get(f"Patient?birthdate={date}").status_code in (200, 400)


def test_a_huge_body_is_413(integrator):
    assert integrator.post("Patient", " " * (10 * 1024 * 1024 + 1)).status_code == 413


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "Nothing/1", {}, 404),
        ("GET", "Patient/none", {}, 404),
        ("GET", "Patient/x/_history/1", {}, 404),
        ("GET", "Patient/x/y/z", {}, 404),
        ("PATCH", "Patient/1", {}, 405),
        ("DELETE", "Patient", {}, 405),
        ("OPTIONS", "Patient", {}, 405),
        ("GET", "Patient", {"Accept": "application/xml"}, 406),
        ("GET", "Patient?_format=xml", {}, 406),
        ("POST", "Patient", {"Content_Type": "text/plain"}, 415),
        ("PUT", "Patient/other", {}, 400),
        ("PUT", "Patient/a_b", {}, 400),
        ("PUT", "Patient/1", {"If_Match": "version one"}, 400),
        ("GET", "Patient/1?color=red", {}, 400),
    ],
)
def test_each_wrong_request_has_its_status(integrator, method, path, headers, status):
    body = TEXT if method in ("POST", "PUT", "PATCH") else ""
    answer = integrator.send(method, path, body, **headers)
    assert (answer.status_code, answer.json()["resourceType"]) == (status, "OperationOutcome")


NAMES = st.sampled_from(
    ["family", "given", "use", "system", "value", "extension", "period", "start", "reference", "coding", "x"]
)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
ELEMENTS = [
    "name", "identifier", "telecom", "address", "gender", "birthDate", "active", "contact", "communication", "link",
    "extension", "_birthDate", "photo", "generalPractitioner", "managingOrganization", "deceasedDateTime", "meta", "id",
]  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.dictionaries(st.sampled_from(ELEMENTS), JSON_VALUES, max_size=4))
def test_no_value_of_any_element_is_an_error_of_the_server(integrator, changes):
    answer = integrator.post("Patient", {**PATIENT, **changes})
    assert answer.status_code in (201, 400, 422), answer.content


PIECES = st.sampled_from("name _sort _count birthdate identifier _page = & : | , %00 ge a 1 \\ :exact :missing".split())


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(PIECES, max_size=8))
def test_no_query_is_an_error_of_the_server(integrator, pieces):
    assert integrator.get("Patient?" + "".join(pieces)).status_code in (200, 400)
