"""Consent through the API: what is kept, what is refused, and who then sees what."""

import pytest

from compliance.consent.tests.cast import consent, deny, dose, labelled, permit
from healthrecords.accounts.models import Role

pytestmark = pytest.mark.django_db


@pytest.fixture
def patient(integrator):
    return integrator.create()["id"]


@pytest.fixture
def officer(caller_with_role):
    return caller_with_role("compliance-officer")


def found(caller, path):
    answer = caller.get(path)
    assert answer.status_code == 200, answer.content
    return [entry["resource"]["id"] for entry in answer.json().get("entry", [])]


def test_a_denied_class_is_gone_from_reads_lists_history_and_totals(integrator, officer, patient):
    shot = integrator.create(dose(patient))["id"]
    officer.create(consent(patient, deny(classes=["Immunization"])))
    assert integrator.get(f"Immunization/{shot}").status_code == 404
    assert integrator.get(f"Immunization/{shot}/_history").status_code == 404
    assert integrator.get(f"Immunization/{shot}/_history/1").status_code == 404
    assert found(integrator, f"Immunization?patient={patient}") == []
    assert integrator.get(f"Immunization?patient={patient}&_total=accurate").json()["total"] == 0
    assert found(integrator, "Immunization/_history") == []
    assert integrator.get(f"Patient/{patient}").status_code == 200


def test_the_patient_record_is_hidden_only_by_a_provision_that_lists_it(integrator, officer, patient):
    officer.create(consent(patient, deny()))
    assert integrator.get(f"Patient/{patient}").status_code == 200
    officer.create(consent(patient, permit(deny(classes=["Patient"]))))
    assert integrator.get(f"Patient/{patient}").status_code == 404


def test_an_exception_for_a_role_wins_over_what_it_is_in(integrator, clinician, officer, patient):
    shot = integrator.create(dose(patient))["id"]
    officer.create(consent(patient, deny(permit(roles=["clinician"]), classes=["Immunization"])))
    assert clinician.get(f"Immunization/{shot}").status_code == 200
    assert integrator.get(f"Immunization/{shot}").status_code == 404


def test_a_label_hides_only_what_carries_it_and_its_old_versions(integrator, officer, patient):
    shot = integrator.create(dose(patient, meta=labelled("R")))
    open_one = integrator.create(dose(patient, lotNumber="L2"))["id"]
    plain = dose(patient, id=shot["id"])
    assert integrator.put(f"Immunization/{shot['id']}", plain).status_code == 200
    officer.create(consent(patient, permit(deny(labels=["R"]))))
    assert set(found(integrator, f"Immunization?patient={patient}")) == {shot["id"], open_one}
    assert integrator.get(f"Immunization/{shot['id']}/_history/1").status_code == 404
    assert integrator.get(f"Immunization/{shot['id']}/_history/2").status_code == 200
    versions = integrator.get(f"Immunization/{shot['id']}/_history").json()
    assert [each["resource"]["meta"]["versionId"] for each in versions["entry"]] == ["2"]


def test_what_hid_a_record_hides_its_deletion(integrator, officer, patient):
    shot = integrator.create(dose(patient, meta=labelled("R")))["id"]
    assert integrator.delete(f"Immunization/{shot}").status_code == 204
    assert integrator.get(f"Immunization/{shot}").status_code == 410
    officer.create(consent(patient, permit(deny(labels=["R"]))))
    assert integrator.get(f"Immunization/{shot}").status_code == 404


def test_the_other_purposes_are_denied_unless_a_consent_permits(caller_with_role, integrator, officer, patient):
    shot = integrator.create(dose(patient))["id"]
    assert integrator.get(f"Immunization/{shot}", X_Purpose_Of_Use="PUBHLTH").status_code == 404
    officer.create(consent(patient, permit(purposes=["PUBHLTH"])))
    assert integrator.get(f"Immunization/{shot}", X_Purpose_Of_Use="PUBHLTH").status_code == 200


def test_a_revocation_is_a_new_version_and_opens_again(integrator, officer, patient):
    shot = integrator.create(dose(patient))["id"]
    stored = officer.create(consent(patient, deny()))
    assert integrator.get(f"Immunization/{shot}").status_code == 404
    revoked = {**stored, "status": "inactive"}
    answer = officer.put(f"Consent/{stored['id']}", revoked)
    assert (answer.status_code, answer.json()["meta"]["versionId"]) == (200, "2")
    assert integrator.get(f"Immunization/{shot}").status_code == 200


def test_a_merged_person_has_the_consents_of_both_records(integrator, officer, patient):
    other = integrator.create(identifier=[{"system": "urn:example:mrn", "value": "MRN-2"}])["id"]
    shots = {each: integrator.create(dose(each))["id"] for each in (patient, other)}
    officer.create(consent(patient, deny()))
    assert integrator.get(f"Immunization/{shots[other]}").status_code == 200
    body = integrator.get(f"Patient/{other}").json()
    linked = {**body, "link": [{"other": {"reference": f"Patient/{patient}"}, "type": "replaces"}]}
    assert integrator.put(f"Patient/{other}", linked).status_code == 200
    assert integrator.get(f"Immunization/{shots[other]}").status_code == 404
    assert integrator.put(f"Patient/{other}", body).status_code == 200
    assert integrator.get(f"Immunization/{shots[other]}").status_code == 200


def test_a_provenance_is_seen_only_with_all_that_it_is_about(integrator, officer, patient):
    shot = integrator.create(dose(patient))["id"]
    told = integrator.create(
        {
            "resourceType": "Provenance",
            "target": [{"reference": f"Immunization/{shot}"}],
            "recorded": "2026-01-01T10:00:00Z",
            "agent": [{"who": {"display": "Somebody"}}],
        }
    )["id"]
    assert integrator.get(f"Provenance/{told}").status_code == 200
    officer.create(consent(patient, deny(classes=["Immunization"])))
    assert integrator.get(f"Provenance/{told}").status_code == 404
    assert found(integrator, f"Provenance?target=Immunization/{shot}") == []


def test_an_earlier_version_of_a_provenance_does_not_tell_of_a_target_that_is_hidden(integrator, officer, patient):
    role = Role.objects.get(name="integrator")
    role.permissions["Provenance"] = "crus"  # no shipped role changes one; a site's own may
    role.save()
    shots = [integrator.create(dose(patient, meta=labelled("R")))["id"], integrator.create(dose(patient))["id"]]
    body = {
        "resourceType": "Provenance",
        "target": [{"reference": f"Immunization/{shots[0]}"}],
        "recorded": "2026-01-01T10:00:00Z",
        "agent": [{"who": {"display": "Somebody"}}],
    }
    told = integrator.create(body)["id"]
    corrected = {**body, "id": told, "target": [{"reference": f"Immunization/{shots[1]}"}]}
    assert integrator.put(f"Provenance/{told}", corrected).status_code == 200
    assert integrator.get(f"Provenance/{told}/_history/1").status_code == 200
    officer.create(consent(patient, permit(deny(labels=["R"]))))
    assert integrator.get(f"Provenance/{told}").status_code == 200
    assert integrator.get(f"Provenance/{told}/_history/1").status_code == 404
    assert integrator.get(f"Provenance/{told}/_history/2").status_code == 200
    versions = integrator.get(f"Provenance/{told}/_history").json()["entry"]
    assert [each["resource"]["meta"]["versionId"] for each in versions] == ["2"]


def test_chains_and_includes_do_not_look_at_what_is_hidden(integrator, officer, patient):
    shot = integrator.create(dose(patient))["id"]
    assert found(integrator, "Immunization?patient.family=Jansen") == [shot]
    officer.create(consent(patient, permit(deny(classes=["Patient"]))))
    assert found(integrator, "Immunization?patient.family=Jansen") == []
    assert found(integrator, f"Immunization?_id={shot}&_include=Immunization:patient") == [shot]


UNSUPPORTED = [
    ({"type": "deny", "action": [{"text": "collect"}]}, "Consent.provision.action"),
    ({"type": "deny", "code": [{"text": "x"}]}, "Consent.provision.code"),
    ({"type": "deny", "dataPeriod": {"start": "2020"}}, "Consent.provision.dataPeriod"),
    ({"type": "deny", "data": [{"meaning": "instance", "reference": {"display": "x"}}]}, "Consent.provision.data"),
    (permit(deny(permit(deny()))), "Consent.provision.provision[0].provision[0].provision"),
    ({"provision": [deny()]}, "Consent.provision.type"),
    (permit({"type": "deny", "class": [{"code": "Patient"}]}), "Consent.provision.provision[0].class"),
    (deny(classes=["Immunisation"]), "Consent.provision.class"),
    (deny(actors=["RelatedPerson/1"]), "Consent.provision.actor"),
    (deny(roles=["wizard"]), "Consent.provision.actor"),
    ({"type": "deny", "purpose": [{"code": "TREAT"}]}, "Consent.provision.purpose"),
    ({"type": "deny", "extension": [{"url": "urn:x", "valueString": "y"}]}, "Consent.provision.extension"),
]  # fmt: skip


@pytest.mark.parametrize(("provision", "path"), UNSUPPORTED, ids=[path for _, path in UNSUPPORTED])
def test_a_shape_that_is_not_evaluated_is_refused_with_its_path(officer, patient, provision, path):
    answer = officer.post("Consent", consent(patient, provision))
    assert answer.status_code == 422, answer.content
    assert path in [each for issue in answer.json()["issue"] for each in issue["expression"]]
    assert found(officer, "Consent") == []


def test_roles_that_do_not_record_consents_cannot(integrator, operator, patient):
    for caller in (integrator, operator):
        assert caller.post("Consent", consent(patient, deny())).status_code == 403
