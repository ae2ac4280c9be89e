"""The roles as a new installation has them."""

from healthrecords.accounts.models import Role


def test_a_new_installation_has_the_nine_roles_each_with_a_purpose(db):
    roles = {role.name: role for role in Role.objects.all()}
    assert set(roles) == {
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
    assert all(role.purposes for role in roles.values())


def test_who_runs_the_server_sees_no_patient(db):
    for name in ("operator", "administrator", "auditor", "compliance-officer", "security-officer"):
        assert "Patient" not in Role.objects.get(name=name).permissions
