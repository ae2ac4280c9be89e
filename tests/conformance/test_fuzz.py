"""No request, however odd, is an error of the server: every interaction of every served type, and Bundles.

FUZZ_REQUESTS (300) says how many requests are made up; a long run takes 20,000.
"""

import json
import os
from copy import deepcopy
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from tests.cast import PATIENT

REQUESTS = int(os.environ.get("FUZZ_REQUESTS", "300"))

SAMPLES = {
    "Patient": PATIENT,
    "Organization": {"resourceType": "Organization", "name": "Harbour", "partOf": {"reference": "Organization/x"}},
    "Practitioner": {"resourceType": "Practitioner", "name": [{"family": "Okafor", "given": ["Ada"]}]},
    "PractitionerRole": {"resourceType": "PractitionerRole", "practitioner": {"reference": "Practitioner/known"}},
    "Location": {"resourceType": "Location", "name": "Room 4", "status": "active", "address": {"city": "Salem"}},
    "Immunization": {
        "resourceType": "Immunization", "status": "completed", "patient": {"reference": "Patient/known"},
        "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "140"}]},
        "occurrenceDateTime": "2026-03-04", "lotNumber": "L1", "doseQuantity": {"value": 0.5, "unit": "mL"},
        "performer": [{"actor": {"reference": "Practitioner/known"}}],
    },
    "DocumentReference": {
        "resourceType": "DocumentReference", "status": "current", "subject": {"reference": "Patient/known"},
        "type": {"coding": [{"system": "http://loinc.org", "code": "34133-9"}]}, "date": "2026-03-04T10:00:00Z",
        "author": [{"reference": "Practitioner/known"}], "description": "Letter",
        "content": [{"attachment": {"contentType": "text/plain", "data": "aGVsbG8="}}],
        "context": {"period": {"start": "2026-03"}, "related": [{"reference": "Immunization/known"}]},
    },
    "Provenance": {
        "resourceType": "Provenance", "target": [{"reference": "Patient/known"}], "recorded": "2026-03-04T10:00:00Z",
        "agent": [{"who": {"reference": "Practitioner/known"}}],
    },
}  # fmt: skip

ODD = st.sampled_from(
    ["", " ", "0", "-1", "1e400", "null", "true", "\x00", "%", "%00", "\ud800", "é" * 300, "../..", "a|b|c", "|", ",",
     "2024-13", "0000", "9999-12-31T23:59:60Z", "ge", "Patient/known", "urn:uuid:1", "x" * 5000, "<b>", "'; --", "{}",
     "*", "\\,"]
)  # fmt: skip
NAMES = ODD | st.sampled_from(["value", "code"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | ODD | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
CONTROLS = "_count _sort _summary _elements _total _include _revinclude _page _since _format profile wings".split()
SUFFIXES = st.sampled_from(["", ":exact", ":contains", ":missing", ":not", ":Patient", ".name", ".identifier", ":x.y"])
METHODS = st.sampled_from(["GET", "GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
HEADERS = st.dictionaries(
    st.sampled_from(
        "If-Match If-None-Match If-None-Exist If-Modified-Since Prefer Accept X-Purpose-Of-Use X-Request-Id".split()
    ),
    st.sampled_from(
        ['W/"1"', "*", "junk", "name=x", "_id=known", "return=minimal", "application/xml", "TREAT", "é", ""]
    ),
    max_size=2,
)
TAILS = st.sampled_from(
    ["", "/known", "/known/_history", "/known/_history/1", "/_history", "/_search", "/$validate", "/known/$validate",
     "/none", "/a_b", "/known/x/y"]
)  # fmt: skip


def spoiled(draw, resource):
    """Put an odd value somewhere into a copy of a resource."""
    spoilt = deepcopy(resource)
    tree, steps = spoilt, draw(st.integers(0, 4))
    for _ in range(steps):
        keys = list(tree) if isinstance(tree, dict) else list(range(len(tree)))
        inside = [key for key in keys if isinstance(tree[key], dict | list) and tree[key]]
        if not inside:
            break
        tree = tree[draw(st.sampled_from(inside))]
    key = draw(st.sampled_from(list(tree)) if isinstance(tree, dict) else st.integers(0, len(tree) - 1))
    tree[key] = draw(VALUES)
    return spoilt


@st.composite
def queries(draw, resource):
    """A query string of declared parameters with odd values, modifiers, chains and controls."""
    names = st.sampled_from([*resource.params, *CONTROLS])
    values = ODD | st.sampled_from(["true", "name", "-birthdate", "Patient:organization", "known", "accurate", "smith"])
    pairs = draw(st.lists(st.tuples(names, SUFFIXES, values), max_size=3))
    return "&".join(f"{name}{suffix}={quote(value, '|,:*/%', errors='surrogatepass')}" for name, suffix, value in pairs)


@st.composite
def requests(draw):
    """Method, path, body and headers of a request."""
    from healthrecords.fhir.resource import registry

    kind, headers = draw(st.sampled_from(sorted(SAMPLES))), draw(HEADERS)
    if draw(st.integers(0, 7)) == 0:
        return "POST", "", _bundle(draw, kind), headers
    method, query = draw(METHODS), draw(st.just("") | queries(registry()[kind]))
    path = f"{kind}{draw(TAILS)}{'?' + query if query else ''}"
    if method not in ("POST", "PUT"):
        return method, path, None, headers
    body = draw(st.sampled_from([SAMPLES[kind], {**SAMPLES[kind], "id": "known"}]))
    return method, path, spoiled(draw, body) if draw(st.booleans()) else body, headers


def _bundle(draw, kind):
    entry = {"resource": SAMPLES[kind], "request": {"method": "POST", "url": kind}, "fullUrl": "urn:uuid:1"}
    look = {"request": {"method": "GET", "url": f"{kind}?_id=known"}}
    bundle = {"resourceType": "Bundle", "type": draw(st.sampled_from(["batch", "transaction"])), "entry": [entry, look]}
    return spoiled(draw, bundle) if draw(st.booleans()) else bundle


@pytest.fixture
def known(integrator):
    """One record of each type under an id that the requests know."""
    for kind, sample in SAMPLES.items():
        method = "post" if kind == "Provenance" else "put"
        path = kind if kind == "Provenance" else f"{kind}/known"
        assert getattr(integrator, method)(path, {**sample, "id": "known"}).status_code == 201
    return integrator


@seed(20261125)
@settings(max_examples=REQUESTS, deadline=None, suppress_health_check=list(HealthCheck))
@given(request=requests())
def test_no_request_is_an_error_of_the_server(known, request):
    method, path, body, headers = request
    text = json.dumps(body) if body is not None else ""
    answer = known.send(method, path, text, **{name.replace("-", "_"): value for name, value in headers.items()})
    assert answer.status_code < 500, (method, path, text[:2000], headers, answer.content[:500])
