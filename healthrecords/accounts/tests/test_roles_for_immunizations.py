"""What an upgrade adds to the shipped roles, and what it leaves as a site decided."""

from importlib import import_module

import pytest

MIGRATION = import_module("healthrecords.migrations.0005_roles_for_immunizations")
NURSE = MIGRATION.ADDED["immunization-nurse"]


@pytest.mark.parametrize(
    ("what", "before", "after"),
    [
        ("as shipped", {"Patient": "crus"}, {"Immunization": "crus", "Provenance": "crs"}),
        ("narrowed", {"Patient": "rs"}, {"Immunization": "rs", "Provenance": "rs"}),
        ("without patients", {"Directory": "rs"}, {}),
        ("decided already", {"Patient": "crus", "Immunization": "r"}, {"Immunization": "r", "Provenance": "crs"}),
    ],
)
def test_a_role_gets_no_more_than_it_has_for_patients(what, before, after):
    assert MIGRATION.extended(before, NURSE) == {**before, **after}


def test_an_upgraded_site_and_a_new_one_have_the_same_roles():
    from healthrecords.accounts.roles import SHIPPED

    for name, added in MIGRATION.ADDED.items():
        shipped = SHIPPED[name][1]
        before = {kind: letters for kind, letters in shipped.items() if kind not in added}
        assert MIGRATION.extended(before, added) == shipped
