"""`$validate`: every fault of what was sent, or of what is stored, as an OperationOutcome."""

from tests.cast import PATIENT

US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient"


def severities(answer):
    assert (answer.status_code, answer.json()["resourceType"]) == (200, "OperationOutcome")
    return [issue["severity"] for issue in answer.json()["issue"]]


def test_a_valid_patient_is_told_so_and_is_not_stored(integrator):
    assert severities(integrator.post("Patient/$validate", PATIENT)) == ["information"]
    assert integrator.get("Patient?_summary=count").json()["total"] == 0


def test_every_fault_has_its_path(integrator):
    answer = integrator.post("Patient/$validate", {**PATIENT, "gender": "woman", "birthDate": "soon"})
    assert severities(answer) == ["error", "error"]
    assert [issue["expression"] for issue in answer.json()["issue"]] == [["Patient.gender"], ["Patient.birthDate"]]


def test_a_profile_is_held_against_it_on_request(integrator):
    bare = {"resourceType": "Patient", "active": True}
    assert severities(integrator.post("Patient/$validate", bare)) == ["information"]
    assert "error" in severities(integrator.post(f"Patient/$validate?profile={US_CORE}", bare))
    wrapped = {
        "resourceType": "Parameters",
        "parameter": [{"name": "resource", "resource": bare}, {"name": "profile", "valueUri": US_CORE}],
    }
    assert "error" in severities(integrator.post("Patient/$validate", wrapped))


def test_a_profile_that_the_resource_claims_is_held_against_it_when_it_is_written(integrator):
    claims = {"resourceType": "Patient", "active": True, "meta": {"profile": [US_CORE]}}
    assert integrator.post("Patient", claims).status_code == 422


def test_an_unknown_extension_is_a_warning_and_refuses_nothing(integrator):
    odd = {**PATIENT, "extension": [{"url": "http://example.org/none", "valueString": "x"}]}
    assert severities(integrator.post("Patient/$validate", odd)) == ["warning"]
    assert integrator.post("Patient", odd).status_code == 201


def test_a_stored_patient_is_validated_with_its_row(integrator, trail):
    patient = integrator.create()
    assert severities(integrator.get(f"Patient/{patient['id']}/$validate")) == ["information"]
    assert [row.patient for row in trail(action="read")] == [patient["id"]]
    assert integrator.get("Patient/none/$validate").status_code == 404


def test_validations_are_counted_by_type_and_outcome(integrator, settings):
    def count():
        text = integrator.get("/metrics", Authorization=f"Bearer {settings.METRICS_TOKEN}").content.decode()
        lines = [line for line in text.splitlines() if line.startswith("fhir_validations_total")]
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}

    name = 'fhir_validations_total{outcome="invalid",type="Patient"}'
    before = count().get(name, 0)
    integrator.post("Patient", {**PATIENT, "gender": "woman"})
    assert count()[name] == before + 1


def test_an_operator_may_not_look_at_records_this_way(operator, integrator):
    patient = integrator.create()
    assert operator.get(f"Patient/{patient['id']}/$validate").status_code == 403
