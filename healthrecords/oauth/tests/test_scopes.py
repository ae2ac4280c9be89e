"""The scope language: what is read, how it is written, what is refused by name."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthrecords.oauth.narrowing import refuse_unsupported
from healthrecords.oauth.scopes import OTHERS, BadScope, Scope, parse


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("patient/Patient.r", Scope("patient", "Patient", "r")),
        ("user/*.cruds", Scope("user", "*", "cruds")),
        ("system/Immunization.cs", Scope("system", "Immunization", "cs")),
        ("patient/Patient.read", Scope("patient", "Patient", "rs")),
        ("patient/Patient.write", Scope("patient", "Patient", "cud")),
        ("system/*.*", Scope("system", "*", "cruds")),
        (
            "patient/Immunization.rs?status=completed&date=ge2020",
            Scope("patient", "Immunization", "rs", (("status", "completed"), ("date", "ge2020"))),
        ),
        (
            "user/DocumentReference.r?type=http://loinc.org%7C34133-9",
            Scope("user", "DocumentReference", "r", (("type", "http://loinc.org|34133-9"),)),
        ),
    ],
)
def test_a_scope_is_read(text, scope):
    assert parse(text) == (scope,)


@pytest.mark.parametrize(
    "text",
    [
        "patient/Patient", "patient/Patient.", "patient/Patient.sr", "patient/Patient.rr", "patient/Patient.x",
        "Patient.read", "group/Patient.read", "patient/patient.read", "patient/.read", "PATIENT/Patient.read",
        "patient/Patient.r?", "patient/Patient.r?status", "patient/Patient.r?&", "patient/Patient.read?status=active",
        "patient/*.rs?_id=1", "patient/Patient.rs?" + "&".join(["gender=female"] * 11), "launch/encounter", "email",
        "patient/Patient.readx", "patient/Patient.r/../Immunization.r",
    ],
)  # fmt: skip
def test_what_is_no_scope_is_refused_by_name(text):
    with pytest.raises(BadScope, match="^'" + re.escape(text[:60])):
        parse(f"openid {text}")


def test_scopes_that_open_no_records_are_known_and_left_out():
    assert parse(" ".join(sorted(OTHERS))) == ()


def test_a_scope_counts_once():
    assert parse("user/Patient.rs  user/Patient.read\nuser/Patient.rs") == (Scope("user", "Patient", "rs"),)


def test_a_text_has_a_limited_number_of_scopes():
    with pytest.raises(BadScope, match="at most 100"):
        parse(" ".join(f"user/Patient{'a' * n}.r" for n in range(101)))


terms = st.lists(st.tuples(st.text(min_size=1, max_size=8), st.text(max_size=8)), max_size=3).map(tuple)


@given(st.sampled_from(["patient", "user", "system"]), st.sampled_from(["r", "cruds", "us"]), terms)
def test_a_scope_that_is_written_reads_back(level, letters, constraint):
    scope = Scope(level, "Patient", letters, constraint)
    assert parse(scope.text) == (scope,)
    assert " " not in scope.text


@pytest.mark.parametrize(
    "text",
    [
        "patient/Observation.rs", "patient/Immunization.rs?wings=2", "patient/Immunization.rs?date=soon",
        "patient/Immunization.rs?_count=1", "patient/Immunization.rs?patient.name=x", "patient/Binary.r?_id=1",
        "patient/Immunization.rs?status:below=completed", "patient/Immunization.rs?status=",
        "patient/Immunization.rs?_has:Provenance:target:agent=x", "user/Patient.rs?_include=Patient:organization",
    ],
)  # fmt: skip
def test_a_type_or_constraint_that_cannot_be_kept_is_refused_by_name(text):
    with pytest.raises(BadScope, match="^'" + re.escape(text)):
        refuse_unsupported(parse(text))


def test_what_the_server_has_is_supported():
    refuse_unsupported(
        parse(
            "patient/*.rs user/Binary.cr system/Provenance.s patient/Immunization.rs?status=completed,not-done"
            " user/DocumentReference.rs?type:missing=false&date=ge2020-01"
        )
    )
