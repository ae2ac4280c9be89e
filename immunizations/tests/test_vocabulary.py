"""An unknown vaccine code is a warning; it refuses nothing."""


def coded(cvx):
    return {
        "resourceType": "Immunization",
        "status": "completed",
        "patient": {"reference": "Patient/somebody"},
        "occurrenceDateTime": "2026-03-04",
        "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": cvx}]},
    }


def severities(answer):
    return [issue["severity"] for issue in answer.json()["issue"]]


def test_a_code_that_cdc_never_had_is_a_warning(integrator):
    assert severities(integrator.post("Immunization/$validate", coded("9999"))) == ["warning"]
    assert integrator.post("Immunization", coded("9999")).status_code == 201


def test_a_code_that_cdc_has_is_silent(integrator):
    assert severities(integrator.post("Immunization/$validate", coded("140"))) == ["information"]
