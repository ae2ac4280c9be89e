"""What the walk over a resource finds: structure, cardinality, types, bindings, references; each with its place."""

import pytest

from healthrecords.fhir.validation import validate, vocabulary

JANE = {"resourceType": "Patient", "name": [{"family": "Doe", "given": ["Jane", "Q"]}], "gender": "female"}
DOSE = {
    "resourceType": "Immunization",
    "status": "completed",
    "vaccineCode": {"coding": [{"system": vocabulary.CVX, "code": "140"}]},
    "patient": {"reference": "Patient/1"},
    "occurrenceDateTime": "2024-05-17",
}


def errors(body, **asked):
    return [(each.path, each.code) for each in validate(body, **asked) if each.severity == "error"]


def patient(**elements):
    return JANE | elements


def dose(**elements):
    return DOSE | elements


def test_a_sound_patient_and_immunization_have_no_fault():
    assert validate(JANE) == []
    assert validate(DOSE) == []


@pytest.mark.parametrize("body", [None, 1, "x", [], [JANE], True])
def test_what_is_no_object_is_no_resource(body):
    assert errors(body) == [("", "structure")]


@pytest.mark.parametrize(
    "name", ["Foo", "", "patient", None, 1, ["Patient"], "Resource", "DomainResource", "HumanName"]
)
def test_a_resource_type_that_r4_lacks_is_refused(name):
    assert errors({"resourceType": name, "id": "1"}) == [("", "structure")]


def test_a_resource_of_another_type_than_the_place_calls_for_is_refused():
    assert errors(JANE, resource_type="Immunization") == [("Patient", "structure")]
    assert errors(JANE, resource_type="Patient") == []


@pytest.mark.parametrize(
    ("body", "path", "code"),
    [
        (patient(nickname="J"), "Patient", "structure"),
        (patient(name=[{"Family": "Doe"}]), "Patient.name[0]", "structure"),
        (patient(name={"family": "Doe"}), "Patient.name", "structure"),
        (patient(gender=["female"]), "Patient.gender", "structure"),
        (patient(gender={"value": "female"}), "Patient.gender", "structure"),
        (patient(gender=None), "Patient.gender", "structure"),
        (patient(gender="Female"), "Patient.gender", "code-invalid"),
        (patient(name=[]), "Patient.name", "structure"),
        (patient(name=None), "Patient.name", "structure"),
        (patient(name=[{}]), "Patient.name[0]", "structure"),
        (patient(name=["Doe"]), "Patient.name[0]", "structure"),
        (patient(name=[None]), "Patient.name[0]", "structure"),
        (patient(name=[{"given": ["A", None]}]), "Patient.name[0].given[1]", "structure"),
        (patient(name=[{"given": ["A", ""]}]), "Patient.name[0].given[1]", "value"),
        (patient(birthDate="1980-02-30"), "Patient.birthDate", "value"),
        (patient(deceasedBoolean=False, deceasedDateTime="2024"), "Patient", "structure"),
        (patient(deceased=True), "Patient", "structure"),
        (patient(managingOrganization={"reference": "Patient/1"}), "Patient.managingOrganization", "structure"),
        (patient(maritalStatus=[{"text": "M"}]), "Patient.maritalStatus", "structure"),
        (patient(communication=[{"preferred": True}]), "Patient.communication[0]", "required"),
        (patient(link=[{"other": {"reference": "Patient/2"}, "type": "same"}]), "Patient.link[0].type", "code-invalid"),
        (
            {"resourceType": "Immunization", **{k: v for k, v in DOSE.items() if k != "status"}},
            "Immunization",
            "required",
        ),
        ({k: v for k, v in DOSE.items() if k != "occurrenceDateTime"}, "Immunization", "required"),
        (dose(occurrenceString="May"), "Immunization", "structure"),
        (dose(status="done"), "Immunization.status", "code-invalid"),
        (dose(patient={"reference": "Group/1"}), "Immunization.patient", "structure"),
        (dose(patient={"reference": "Patient"}), "Immunization.patient", "value"),
        (dose(patient={"reference": "Patiemt/1"}), "Immunization.patient", "value"),
        (dose(patient={"reference": "Patient/1", "type": "Group"}), "Immunization.patient", "structure"),
        (dose(expirationDate="2024-05-17T00:00:00Z"), "Immunization.expirationDate", "value"),
    ],
)
def test_a_fault_is_named_with_its_place(body, path, code):
    assert errors(body) == [(path, code)]


def test_all_faults_are_told_at_once():
    body = patient(gender="F", birthDate="17.5.1980", nickname="J", active="yes")
    assert [path for path, _ in errors(body)] == ["Patient.gender", "Patient.birthDate", "Patient", "Patient.active"]


NOTE = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]}


@pytest.mark.parametrize(
    "elements",
    [
        {"_birthDate": NOTE},
        {"birthDate": "1980", "_birthDate": {"id": "b"}},
        {"name": [{"given": ["A", "B"], "_given": [None, NOTE]}]},
        {"name": [{"given": ["A", None], "_given": [None, NOTE]}]},
        {"name": [{"_given": [NOTE]}]},
        {"deceasedBoolean": True, "_deceasedBoolean": {"id": "d"}},
    ],
)
def test_a_primitive_may_have_extensions_beside_or_instead_of_its_value(elements):
    assert errors(patient(**elements)) == []


@pytest.mark.parametrize(
    ("elements", "path"),
    [
        ({"_birthDate": "x"}, "Patient.birthDate"),
        ({"_birthDate": {}}, "Patient.birthDate"),
        ({"_birthDate": None}, "Patient.birthDate"),
        ({"_birthDate": {"id": "b"}}, "Patient.birthDate"),
        ({"_birthDate": {"note": "b"}, "birthDate": "1980"}, "Patient.birthDate"),
        ({"_name": [NOTE]}, "Patient"),
        ({"_nickname": NOTE}, "Patient"),
        ({"name": [{"given": ["A"], "_given": NOTE}]}, "Patient.name[0].given"),
        ({"name": [{"given": ["A"], "_given": []}]}, "Patient.name[0].given"),
        ({"name": [{"given": ["A", "B"], "_given": [NOTE]}]}, "Patient.name[0].given"),
        ({"name": [{"given": ["A", None], "_given": [NOTE, None]}]}, "Patient.name[0].given[1]"),
        ({"gender": None, "_gender": NOTE}, "Patient.gender"),
        ({"_deceasedBoolean": NOTE, "deceasedDateTime": "2024"}, "Patient"),
    ],
)
def test_misplaced_extensions_of_a_primitive_are_refused(elements, path):
    assert path in [at for at, _ in errors(patient(**elements))]


def test_an_element_of_a_required_value_set_needs_a_code_not_only_an_extension():
    body = {name: value for name, value in JANE.items() if name != "gender"} | {"_gender": NOTE}
    assert errors(body) == [("Patient.gender", "code-invalid")]


def test_contained_resources_are_checked_and_must_be_mentioned():
    clinic = {"resourceType": "Organization", "id": "c", "name": "Clinic"}
    linked = patient(contained=[clinic], managingOrganization={"reference": "#c"})
    assert errors(linked) == []
    assert errors(patient(contained=[clinic])) == [("Patient", "invariant")]
    broken = linked | {"contained": [clinic | {"active": "yes"}]}
    assert errors(broken) == [("Patient.contained[0].active", "value")]


@pytest.mark.parametrize("kind", ["valueUri", "valueUrl", "valueCanonical"])
def test_a_contained_resource_may_be_mentioned_by_its_address(kind):
    clinic = {"resourceType": "Organization", "id": "c", "name": "Clinic"}
    mention = {"url": "http://example.org/x", kind: "#c"}
    assert errors(patient(contained=[clinic], extension=[mention])) == []


def test_a_contained_resource_may_refer_to_its_container():
    child = {
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "code": {"text": "x"},
        "subject": {"reference": "#"},
    }
    assert errors(patient(contained=[child])) == []


def test_a_local_reference_without_its_contained_resource_is_refused():
    assert errors(patient(managingOrganization={"reference": "#c"})) == [("Patient.managingOrganization", "invariant")]


def test_the_type_of_a_contained_resource_counts_as_target():
    wrong = {"resourceType": "Location", "id": "c"}
    body = patient(contained=[wrong], managingOrganization={"reference": "#c"})
    assert errors(body) == [("Patient.managingOrganization", "structure")]


@pytest.mark.parametrize(
    "literal",
    [
        "Organization/1", "Organization/1/_history/2", "https://ehr.example/fhir/Organization/a-1.b/_history/3",
        "urn:uuid:c757873d-ec9a-4326-a141-556f43239520", "urn:oid:1.2.3", "https://ehr.example/about",
        "Organization?identifier=urn:a|1",
    ],
)  # fmt: skip
def test_references_in_every_form_are_accepted(literal):
    assert errors(patient(managingOrganization={"reference": literal})) == []


def test_a_type_that_r4_has_but_we_do_not_serve_is_checked_all_the_same():
    assert errors({"resourceType": "Basic"}) == [("Basic", "required")]
    assert errors({"resourceType": "Basic", "code": {"text": "x"}}) == []


def test_consent_provisions_nest_as_their_definition_refers_to_itself():
    inner = {"type": "deny", "period": {"start": "2024-02", "end": "2024-01"}}
    body = {
        "resourceType": "Consent", "status": "active", "scope": {"text": "s"}, "category": [{"text": "c"}],
        "policyRule": {"text": "p"}, "provision": {"provision": [{"provision": [inner]}]},
    }  # fmt: skip
    assert errors(body) == [("Consent.provision.provision[0].provision[0].period", "invariant")]


def test_an_unknown_extension_is_a_warning_and_one_with_a_relative_url_a_fault():
    known = {"url": "http://example.org/x", "valueString": "x"}
    assert [(each.severity, each.path) for each in validate(patient(extension=[known]))] == [
        ("warning", "Patient.extension[0]")
    ]
    assert errors(patient(extension=[known | {"url": "x"}])) == [("Patient.extension[0]", "structure")]


def test_an_extension_that_hl7_defines_keeps_to_its_definition():
    birth_place = {"url": "http://hl7.org/fhir/StructureDefinition/patient-birthPlace"}
    assert errors(patient(extension=[birth_place | {"valueAddress": {"city": "Reno"}}])) == []
    assert errors(patient(extension=[birth_place | {"valueString": "Reno"}])) == [
        ("Patient.extension[0].valueString", "structure")
    ]


def test_a_vaccine_code_that_the_tables_lack_is_a_warning():
    vocabulary.register(vocabulary.CVX, {"140"}.__contains__)
    try:
        assert validate(DOSE) == []
        odd = dose(vaccineCode={"coding": [{"system": vocabulary.CVX, "code": "9999"}]})
        assert [(each.severity, each.path) for each in validate(odd)] == [
            ("warning", "Immunization.vaccineCode.coding[0]")
        ]
    finally:
        vocabulary.forget(vocabulary.CVX)


def test_endless_nesting_ends_with_a_fault():
    inner = {"url": "http://example.org/x", "valueString": "x"}
    for _ in range(200):
        inner = {"url": "http://example.org/x", "extension": [inner]}
    assert any("nested" in each.text for each in validate(patient(extension=[inner])))


def test_items_nested_beyond_the_stack_end_with_a_fault():
    inner = {"linkId": "x", "type": "group"}
    for _ in range(900):
        inner = {"linkId": "x", "type": "group", "item": [inner]}
    assert errors({"resourceType": "Questionnaire", "status": "draft", "item": [inner]})


def condition(**status):
    return {"resourceType": "Condition", "subject": {"reference": "Patient/1"}, "clinicalStatus": status}


def test_a_required_concept_has_a_coding_of_its_system():
    active = {"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}
    other = {"system": "urn:oid:1.2.3", "code": "active"}
    assert errors(condition(coding=[active])) == []
    assert errors(condition(coding=[other, active])) == []
    for status in ({"coding": [other]}, {"text": "active"}, {"coding": [{"code": "active"}]}):
        assert errors(condition(**status)) == [("Condition.clinicalStatus", "code-invalid")]


@pytest.mark.parametrize(
    ("content_type", "found"),
    [("text/plain", []), ("application/fhir+json; fhirVersion=4.0", []), ("jpeg", ["Patient.photo[0].contentType"])],
)
def test_a_mime_type_has_two_parts(content_type, found):
    body = patient(photo=[{"contentType": content_type, "data": "aGk="}])
    assert [path for path, _ in errors(body)] == found


@pytest.mark.parametrize(("language", "found"), [("en-US", []), ("zh-Hant-TW", []), ("en_US", ["Patient.language"])])
def test_a_language_is_a_tag_of_bcp_47(language, found):
    assert [path for path, _ in errors(patient(language=language))] == found


def test_a_currency_is_a_code_of_iso_4217():
    def fee(currency):
        return patient(extension=[{"url": "http://example.org/fee", "valueMoney": {"value": 1, "currency": currency}}])

    assert errors(fee("USD")) == []
    assert errors(fee("US$")) == [("Patient.extension[0].valueMoney.currency", "code-invalid")]
