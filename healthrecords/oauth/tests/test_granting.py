"""What a client is given of what it asks for, and how that is told to people."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from healthrecords.oauth import scopes, words
from healthrecords.oauth.granting import granted
from healthrecords.oauth.scopes import Scope

TABLE = [
    ("system/Patient.rs", "system/Patient.rs", "system/Patient.rs"),
    ("system/Patient.r", "system/Patient.cruds", "system/Patient.r"),
    ("system/Patient.cruds", "system/Patient.rs", "system/Patient.rs"),
    ("system/*.rs", "system/Patient.r system/Immunization.s", "system/Patient.r system/Immunization.s"),
    ("system/Patient.rs", "system/*.r", "system/Patient.r"),
    ("system/Patient.cud", "system/Patient.rs", ""),
    ("user/Patient.rs", "system/Patient.rs", ""),
    ("patient/Patient.read", "patient/*.rs", "patient/Patient.rs"),
    ("patient/Immunization.rs", "patient/Immunization.rs?status=completed", "patient/Immunization.rs?status=completed"),
    ("patient/Immunization.rs?status=completed", "patient/*.rs", "patient/Immunization.rs?status=completed"),
    ("openid launch", "openid", "openid"),
    ("openid patient/Patient.rs", "patient/Patient.rs", "patient/Patient.rs"),
]


@pytest.mark.parametrize(("asked", "registered", "given"), TABLE)
def test_a_client_is_given_what_both_have(asked, registered, given):
    assert granted(asked, registered) == given.split()


LETTERS = ["c", "r", "u", "d", "s", "rs", "cud", "cruds", "cr", "us"]
SCOPES = st.builds(
    Scope,
    st.sampled_from(["patient", "user", "system"]),
    st.sampled_from(["*", "Patient", "Immunization"]),
    st.sampled_from(LETTERS),
)
TEXTS = st.lists(SCOPES, max_size=4).map(lambda all_: " ".join(scope.text for scope in all_))


def cells(text):
    """Each level, type and letter that scopes open; `Other` stands for the types that none of them names."""
    return {
        (scope.level, kind, letter)
        for scope in scopes.parse(text)
        for kind in ("Patient", "Immunization", "Other")
        if scope.names(kind)
        for letter in scope.letters
    }


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TEXTS, TEXTS)
def test_what_is_given_is_exactly_what_both_open(asked, registered):
    given = " ".join(granted(asked, registered))
    assert cells(given) == cells(asked) & cells(registered)
    assert granted(given, registered) == given.split()


def test_scopes_are_told_in_words():
    said = words.described(
        ["openid", "patient/*.rs", "user/Immunization.cu", "patient/Immunization.rs?status=completed"]
    )
    assert said == [
        "See the record of this patient",
        "Add and change immunizations of every patient you may see",
        "See immunizations of this patient, only where status is completed",
        "Know who you are",
    ]


@pytest.mark.parametrize(
    ("scope", "begins"),
    [("offline_access", "Until you end it"), ("online_access", "Until you sign out"), ("openid", "For an hour")],
)
def test_how_long_it_lasts_is_told_in_words(scope, begins):
    assert words.lasting([scope], 30).startswith(begins)
