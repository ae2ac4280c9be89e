"""The roles as a new installation has them, and the page that shows what each opens."""

import json

import pytest

from healthrecords.accounts import matrix, roles
from healthrecords.accounts.models import Role
from healthrecords.fhir.resource import registry

MATRIX = "/admin/healthrecords/role/matrix/"
NO_CHART = ("operator", "administrator", "auditor", "compliance-officer", "security-officer")


def test_a_new_installation_has_the_nine_roles_each_with_a_purpose(db):
    rows = {role.name: role for role in Role.objects.all()}
    assert set(rows) == {
        "clinician",
        "front-desk",
        "immunization-nurse",
        "integrator",
        "operator",
        "compliance-officer",
        "security-officer",
        "auditor",
        "administrator",
    }
    assert all(role.purposes for role in rows.values())


@pytest.mark.parametrize("role", NO_CHART)
def test_who_runs_or_oversees_the_server_opens_no_record(db, role):
    row = Role.objects.get(name=role)
    records = (*(registry().keys() - {"Consent"}), "Binary")  # a consent says who may see records and shows none
    assert {name: matrix.opened(row, name) for name in records} == dict.fromkeys(records, ())


def test_an_auditor_reads_only(db):
    row = Role.objects.get(name="auditor")
    opened = {word for subject in matrix.subjects([row]) for word in matrix.opened(row, subject)}
    assert opened == {"read", "list"}


def test_only_an_administrator_changes_people(db):
    assert [role.name for role in Role.objects.all() if "change" in matrix.opened(role, "User")] == ["administrator"]


def test_an_upgraded_site_and_a_new_one_have_the_same_roles(db):
    for name, (_, shipped, _) in roles.SHIPPED.items():
        kept = {kind: letters for kind, letters in Role.objects.get(name=name).permissions.items() if kind in shipped}
        assert kept == shipped


def test_the_matrix_says_what_the_policy_answers(signed_in, monkeypatch):
    from compliance.policy import RolePolicy
    from healthrecords.access.request import Decision

    client = signed_in("administrator")
    before = client.get(MATRIX).content.decode()
    assert before.count("read, list") > 10
    honest = RolePolicy.permit
    denies = lambda self, asked: Decision(False) if asked.actor.kind == "role" else honest(self, asked)  # noqa: E731
    monkeypatch.setattr(RolePolicy, "permit", denies)
    assert "read, list" not in client.get(MATRIX).content.decode()


@pytest.mark.parametrize("role", ["auditor", "security-officer"])
def test_overseers_see_people_and_change_none(signed_in, role):
    client = signed_in(role)
    assert client.get(MATRIX).status_code == client.get("/admin/healthrecords/user/").status_code == 200
    assert client.get("/admin/healthrecords/user/add/").status_code == 403


def test_the_command_prints_the_same_matrix(run):
    answer = json.loads(run("users", "matrix", "--json")[1])
    patients = next(row for row in answer["matrix"] if row["about"] == "Patient")
    assert patients["clinician"] == "add, read, change, list"
    assert patients["operator"] == ""
