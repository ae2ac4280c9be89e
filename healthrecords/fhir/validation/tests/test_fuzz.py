"""Whatever JSON comes, the validator answers with issues and never with an exception."""

import gzip
import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from healthrecords.fhir.validation import table, validate

TYPES = sorted(table.resource_types())
FAMILIAR = (
    "Patient Bundle Bundle.entry Immunization Reference Extension Period Quantity CapabilityStatement Observation"
    " Questionnaire Composition Timing.repeat Provenance.agent"
).split()
NAMES = st.sampled_from(
    sorted(
        {"resourceType", "_given", "_status", *(name for kind in FAMILIAR for name in table.type_named(kind).fields)}
    )
) | st.text(max_size=5)
TEXTS = st.text(max_size=8) | st.sampled_from(
    ["#", "#a", "Patient/1", "urn:uuid:1", "document", "2024-01-01T00:00:00Z"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(TYPES), st.dictionaries(NAMES, JSON, max_size=5))
def test_no_resource_makes_the_validator_fail(name, elements):
    for issue in validate({**elements, "resourceType": name}):
        assert issue.text
        assert issue.severity in ("error", "warning")


@settings(max_examples=300, deadline=None)
@given(JSON)
def test_no_json_at_all_makes_the_validator_fail(body):
    validate(body)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_wrong_value_in_any_element_is_survived(data):
    kind = table.type_named(data.draw(st.sampled_from(TYPES)))
    chosen = data.draw(st.lists(st.sampled_from(sorted(kind.fields)), max_size=6))
    validate({"resourceType": kind.name, **{name: data.draw(JSON) for name in chosen}})


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["Patient", "Immunization", "Observation", "Provenance", "DocumentReference"]), st.data())
def test_a_wrong_value_under_a_profile_is_survived(name, data):
    chosen = data.draw(st.lists(st.sampled_from(sorted(table.type_named(name).fields)), max_size=6))
    body = {"resourceType": name, **{each: data.draw(JSON) for each in chosen}}
    validate(body, profiles=[f"http://hl7.org/fhir/us/core/StructureDefinition/us-core-{name.lower()}", "x"])


def examples():
    with gzip.open(Path(__file__).with_name("cases") / "examples.ndjson.gz") as lines:
        return [json.loads(line) for line in lines]


def places(value, path=()):
    """Every place in a JSON value, the root apart."""
    named = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in named:
        yield (*path, name)
        yield from places(item, (*path, name))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(examples()), st.data())
def test_a_wrong_value_anywhere_in_an_example_is_survived(example, data):
    body = json.loads(json.dumps(example))
    *path, last = data.draw(st.sampled_from(list(places(body))))
    inner = body
    for step in path:
        inner = inner[step]
    inner[last] = data.draw(JSON)
    validate(body)
