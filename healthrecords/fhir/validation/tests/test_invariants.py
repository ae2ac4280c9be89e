"""Each invariant with an element that keeps it and one that breaks it."""

import pytest

from healthrecords.fhir.validation import table, validate
from healthrecords.fhir.validation.rules import KEPT_ELSEWHERE, Scope, rule_named, written

UCUM = "http://unitsofmeasure.org"
X = {"text": "x"}
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/"
SERVED = (
    "Patient Immunization DocumentReference Binary Bundle OperationOutcome Parameters Organization Practitioner"
    " PractitionerRole Location Provenance Consent AuditEvent Encounter Device ImmunizationRecommendation"
    " ImmunizationEvaluation Group List Subscription CapabilityStatement"
).split()


def concept(system, code):
    return {"coding": [{"system": TERMINOLOGY + system, "code": code}]}


def contained(**elements):
    return {"contained": [{"resourceType": "Organization", "id": "c", "name": "x", **elements}]}


def document(**elements):
    return {"type": "document", "entry": [{"resource": {"resourceType": "Composition"}}], **elements}


IN_ERROR = concept("allergyintolerance-verification", "entered-in-error")
WRONG = concept("condition-ver-status", "entered-in-error")
PERCENT = {"value": 5, "code": "%", "system": UCUM}
RACE_UNKNOWN = {"url": "ombCategory", "valueCoding": {"code": "UNK"}}
ABSENT = {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}

# key: an element that keeps it, one that breaks it
CASES = {
    "age-1": ({"value": 5, "code": "a", "system": UCUM}, {"value": 0, "code": "a", "system": UCUM}),
    "ait-1": ({"clinicalStatus": X}, {"code": X}),
    "ait-2": ({"verificationStatus": IN_ERROR}, {"verificationStatus": IN_ERROR, "clinicalStatus": X}),
    "app-1": ({"actor": X}, {"status": "accepted"}),
    "app-2": ({"start": "2024", "end": "2024"}, {"start": "2024"}),
    "app-3": ({"status": "proposed"}, {"status": "booked"}),
    "app-4": ({"status": "cancelled", "cancelationReason": X}, {"status": "booked", "cancelationReason": X}),
    "apr-1": ({"actor": X}, {"comment": "x"}),
    "att-1": ({"data": "aGk=", "contentType": "text/plain"}, {"data": "aGk="}),
    "bdl-1": ({"type": "searchset", "total": 1}, {"type": "collection", "total": 1}),
    "bdl-2": ({"type": "searchset", "entry": [{"search": {}}]}, {"type": "batch", "entry": [{"search": {}}]}),
    "bdl-3": ({"type": "batch", "entry": [{"request": {}}]}, {"type": "batch", "entry": [{}]}),
    "bdl-4": ({"type": "batch-response", "entry": [{"response": {}}]}, {"type": "batch", "entry": [{"response": {}}]}),
    "bdl-5": ({"resource": {}}, {"fullUrl": "urn:x"}),
    "bdl-7": ({"entry": [{"fullUrl": "a"}, {"fullUrl": "b"}]}, {"entry": [{"fullUrl": "a"}, {"fullUrl": "a"}]}),
    "bdl-8": ({"fullUrl": "http://x/Patient/1"}, {"fullUrl": "http://x/Patient/1/_history/2"}),
    "bdl-9": (document(identifier={"system": "urn:a", "value": "1"}), document(identifier={"value": "1"})),
    "bdl-10": (document(timestamp="2024-01-01T00:00:00Z"), document()),
    "bdl-11": (document(), document(entry=[{"resource": {"resourceType": "Patient"}}])),
    "bdl-12": (
        {"type": "message", "entry": [{"resource": {"resourceType": "MessageHeader"}}]},
        {"type": "message", "entry": []},
    ),
    "ces-1": ({"category": X}, {"category": X, "productOrService": X}),
    "cmd-1": ({"equivalence": "narrower", "comment": "x"}, {"equivalence": "narrower"}),
    "cmd-2": ({"mode": "fixed", "code": "x"}, {"mode": "fixed"}),
    "cmd-3": ({"mode": "other-map", "url": "x"}, {"mode": "other-map"}),
    "cmp-1": ({"text": X}, {"title": "x"}),
    "cmp-2": ({"emptyReason": X}, {"emptyReason": X, "entry": [X]}),
    "cnt-3": ({"value": 3, "code": "1", "system": UCUM}, {"value": 3.5, "code": "1", "system": UCUM}),
    "con-1": ({"summary": X}, {"type": X}),
    "con-2": ({"code": [X]}, {"id": "x"}),
    "con-4": (
        {"abatementString": "x", "clinicalStatus": concept("condition-clinical", "resolved")},
        {"abatementString": "x", "clinicalStatus": concept("condition-clinical", "active")},
    ),
    "con-5": ({"verificationStatus": WRONG}, {"verificationStatus": WRONG, "clinicalStatus": X}),
    "cpb-1": ({"rest": [X]}, {"status": "active"}),
    "cpb-2": ({"description": "x"}, {"status": "active"}),
    "cpb-3": (
        {"kind": "instance", "messaging": [{"endpoint": [X]}]},
        {"kind": "capability", "messaging": [{"endpoint": [X]}]},
    ),
    "cpb-7": (
        {"document": [{"profile": "a", "mode": "producer"}, {"profile": "a", "mode": "consumer"}]},
        {"document": [{"profile": "a", "mode": "producer"}, {"profile": "a", "mode": "producer"}]},
    ),
    "cpb-9": ({"resource": [{"type": "A"}, {"type": "B"}]}, {"resource": [{"type": "A"}, {"type": "A"}]}),
    "cpb-12": ({"searchParam": [{"name": "a"}, {"name": "b"}]}, {"searchParam": [{"name": "a"}, {"name": "a"}]}),
    "cpb-14": ({"kind": "instance", "implementation": X}, {"kind": "instance"}),
    "cpb-15": ({"kind": "capability", "software": X}, {"kind": "capability", "software": X, "implementation": X}),
    "cpb-16": ({"kind": "requirements"}, {"kind": "requirements", "software": X}),
    "cpl-3": ({"detail": X}, {"detail": X, "reference": X}),
    "cpt-2": ({"system": "phone", "value": "1"}, {"value": "1"}),
    "csd-1": (
        {"concept": [{"code": "a", "concept": [{"code": "b"}]}]},
        {"concept": [{"code": "a", "concept": [{"code": "a"}]}]},
    ),
    "dis-1": ({"value": 1, "code": "m", "system": UCUM}, {"value": 1, "code": "m", "system": "urn:x"}),
    "dom-2": (contained(), contained(contained=[{"resourceType": "Basic"}])),
    "dom-3": ({"name": [X]}, contained()),
    "dom-4": (contained(), contained(meta={"versionId": "1"})),
    "dom-5": (contained(), contained(meta={"security": [X]})),
    "drq-1": ({"path": "a"}, {"path": "a", "searchParam": "b"}),
    "drq-2": ({"searchParam": "b"}, {"id": "x"}),
    "drt-1": ({"value": 1, "code": "h", "system": UCUM}, {"value": 1, "code": "h"}),
    "eld-1": ({"description": "x"}, {"rules": "open"}),
    "eld-8": ({"fixedString": "x"}, {"fixedString": "x", "patternString": "x"}),
    "eld-15": ({"defaultValueString": "x"}, {"defaultValueString": "x", "meaningWhenMissing": "y"}),
    "eld-22": ({"sliceIsConstraining": True, "sliceName": "x"}, {"sliceIsConstraining": True}),
    "exp-1": ({"expression": "x"}, {"language": "text/cql"}),
    "ext-1": ({"valueString": "x"}, {"valueString": "x", "extension": [X]}),
    "fhs-1": ({"ageString": "9"}, {"ageString": "9", "bornString": "1980"}),
    "fhs-2": ({"ageString": "9", "estimatedAge": True}, {"estimatedAge": True}),
    "gol-1": ({"detailString": "x", "measure": X}, {"detailString": "x"}),
    "grp-1": ({"actual": True, "member": [X]}, {"actual": False, "member": [X]}),
    "imm-1": ({"documentType": "x"}, {"publicationDate": "2024"}),
    "imr-1": ({"targetDisease": X}, {"forecastStatus": X}),
    "inv-1@Parameters.parameter": ({"name": "a", "valueString": "b"}, {"name": "a", "valueString": "b", "part": [X]}),
    "inv-1@Task": (
        {"authoredOn": "2024-01", "lastModified": "2024-02"},
        {"authoredOn": "2024-02", "lastModified": "2024-01"},
    ),
    "inv-1@TestReport.setup.action": ({"operation": X}, {"id": "x"}),
    "inv-2": ({"assert": X}, {"operation": X, "assert": X}),
    "ipn-1": ({"name": "x"}, {"status": "active"}),
    "lnk-1": ({"item": [X, X]}, {"item": [X]}),
    "lst-1": ({"entry": [X]}, {"entry": [X], "emptyReason": X}),
    "lst-2": ({"mode": "changes", "entry": [{"deleted": True}]}, {"mode": "working", "entry": [{"deleted": True}]}),
    "lst-3": ({"mode": "working", "entry": [{"date": "2024"}]}, {"mode": "changes", "entry": [{"date": "2024"}]}),
    "mad-1": ({"rateQuantity": X}, {"text": "x"}),
    "mdd-1": (
        {"whenPrepared": "2024-01-01", "whenHandedOver": "2024-01-02"},
        {"whenPrepared": "2024-01-02", "whenHandedOver": "2024-01-01"},
    ),
    "mea-1": ({"group": [{"stratifier": [{"criteria": X}]}]}, {"group": [{"stratifier": [{"id": "x"}]}]}),
    "mqty-1": (
        {"value": 1, "code": "USD", "system": "urn:iso:std:iso:4217"},
        {"value": 1, "code": "USD", "system": UCUM},
    ),
    "mrp-1": ({"type": "summary", "group": [X]}, {"type": "data-collection", "group": [X]}),
    "mrp-2": (
        {"group": [{"stratifier": [{"stratum": [{"value": X}]}]}]},
        {"group": [{"stratifier": [{"stratum": [{"id": "x"}]}]}]},
    ),
    "msq-3": ({"coordinateSystem": 1}, {"coordinateSystem": 2}),
    "msq-5": ({"chromosome": X, "genomeBuild": "x"}, {"chromosome": X}),
    "obs-3": ({"low": X}, {"type": X}),
    "obs-6": ({"valueString": "x"}, {"valueString": "x", "dataAbsentReason": X}),
    "obs-7": (
        {"code": concept("a", "1"), "valueString": "x", "component": [{"code": concept("a", "2")}]},
        {"code": concept("a", "1"), "valueString": "x", "component": [{"code": concept("a", "1")}]},
    ),
    "opd-1": ({"type": "string"}, {"name": "x"}),
    "opd-2": ({"type": "string", "searchType": "token"}, {"type": "uri", "searchType": "token"}),
    "opd-3": ({"type": "Reference", "targetProfile": ["x"]}, {"type": "string", "targetProfile": ["x"]}),
    "org-1": ({"name": "x"}, {"active": True}),
    "org-2": ({"use": "work"}, {"use": "home"}),
    "org-3": ({"use": "work"}, {"use": "home"}),
    "pat-1": ({"name": X}, {"relationship": [X]}),
    "per-1": ({"start": "2024-01", "end": "2024"}, {"start": "2024-02", "end": "2024-01-31"}),
    "ppc-1": ({"policyRule": X}, {"status": "active"}),
    "prr-1": ({"orderDetail": [X], "code": X}, {"orderDetail": [X]}),
    "qrs-1": ({"answer": [X]}, {"answer": [X], "item": [X]}),
    "qty-3": ({"value": 1, "code": "mg", "system": UCUM}, {"value": 1, "code": "mg"}),
    "que-1": ({"type": "group", "item": [X]}, {"type": "group"}),
    "que-2": (
        {"item": [{"linkId": "a", "item": [{"linkId": "b"}]}]},
        {"item": [{"linkId": "a", "item": [{"linkId": "a"}]}]},
    ),
    "que-3": ({"type": "string", "code": [X]}, {"type": "display", "code": [X]}),
    "que-4": ({"answerOption": [X]}, {"answerOption": [X], "answerValueSet": "x"}),
    "que-5": ({"type": "choice", "answerOption": [X]}, {"type": "boolean", "answerOption": [X]}),
    "que-6": ({"type": "string", "required": True}, {"type": "display", "required": True}),
    "que-7": ({"operator": "exists", "answerBoolean": True}, {"operator": "exists", "answerString": "x"}),
    "que-8": ({"type": "string", "initial": [X]}, {"type": "group", "initial": [X]}),
    "que-9": ({"type": "string", "readOnly": True}, {"type": "display", "readOnly": True}),
    "que-10": ({"type": "string", "maxLength": 5}, {"type": "date", "maxLength": 5}),
    "que-11": ({"initial": [X]}, {"initial": [X], "answerOption": [X]}),
    "que-12": ({"enableWhen": [X, X], "enableBehavior": "all"}, {"enableWhen": [X, X]}),
    "que-13": ({"repeats": True, "initial": [X, X]}, {"initial": [X, X]}),
    "ras-1": ({"low": PERCENT}, {"low": {"value": 5, "code": "mg", "system": UCUM}}),
    "ras-2": ({"probabilityDecimal": 100}, {"probabilityDecimal": 101}),
    "rat-1": ({"numerator": X, "denominator": X}, {"numerator": X}),
    "rng-2": ({"low": {"value": 1}, "high": {"value": 2}}, {"low": {"value": 3}, "high": {"value": 2}}),
    "rqg-1": ({"resource": X}, {"resource": X, "action": [X]}),
    "sdf-2": ({"name": "x"}, {"identity": "x"}),
    "sdf-6": ({"snapshot": X}, {"name": "x"}),
    "sdf-10": ({"binding": {"valueSet": "x"}}, {"binding": {"strength": "required"}}),
    "sev-1": ({"name": "x"}, {"name": "x", "query": "eA=="}),
    "smp-1": ({"element": "a", "context": "b"}, {"element": "a"}),
    "smp-2": ({"context": "a", "contextType": "type"}, {"context": "a"}),
    "spd-1": ({"xpath": "a", "xpathUsage": "normal"}, {"xpath": "a"}),
    "spd-2": ({"type": "reference", "chain": ["x"]}, {"type": "token", "chain": ["x"]}),
    "sqty-1": ({"value": 1}, {"value": 1, "comparator": "<"}),
    "tcp-1": ({"version": [{"code": "1"}, {"code": "2"}]}, {"version": [{"code": "1"}, {"isDefault": True}]}),
    "tcp-2": ({"software": X}, {"status": "active"}),
    "tcp-3": ({"kind": "instance", "implementation": X}, {"kind": "instance"}),
    "tcp-4": ({"kind": "capability", "software": X}, {"kind": "capability"}),
    "tcp-5": ({"kind": "requirements"}, {"kind": "requirements", "implementation": X}),
    "tim-1": ({"duration": 1, "durationUnit": "h"}, {"duration": 1}),
    "tim-2": ({"period": 1, "periodUnit": "h"}, {"period": 1}),
    "tim-4": ({"duration": 0}, {"duration": -1}),
    "tim-5": ({"period": 0}, {"period": -1}),
    "tim-6": ({"periodMax": 2, "period": 1}, {"periodMax": 2}),
    "tim-7": ({"durationMax": 2, "duration": 1}, {"durationMax": 2}),
    "tim-8": ({"countMax": 2, "count": 1}, {"countMax": 2}),
    "tim-9": ({"offset": 5, "when": ["ACM"]}, {"offset": 5, "when": ["CM"]}),
    "tim-10": ({"when": ["ACM"]}, {"when": ["ACM"], "timeOfDay": ["10:00:00"]}),
    "trd-1": ({"data": [X]}, {"data": [X], "timingDate": "2024"}),
    "trd-2": ({"condition": X, "data": [X]}, {"condition": X}),
    "trd-3": ({"type": "periodic", "timingDate": "2024"}, {"type": "data-added"}),
    "tst-1": ({"operation": X}, {"operation": X, "assert": X}),
    "tst-2": ({"assert": X}, {"id": "x"}),
    "vsd-1": ({"system": "x"}, {"version": "1"}),
    "vsd-2": ({"concept": [X], "system": "x"}, {"concept": [X]}),
    "vsd-3": ({"concept": [X]}, {"concept": [X], "filter": [X]}),
    "vsd-6": ({"display": "x"}, {"abstract": True}),
    "vsd-9": ({"abstract": True}, {"display": "x"}),
    "vsd-10": ({"code": "x", "system": "y"}, {"code": "x"}),
    "pd-1@PractitionerRole": ({"telecom": [X]}, {"active": True}),
    "provenance-1@Provenance.agent": (
        {"who": {"reference": "Practitioner/1"}, "onBehalfOf": X},
        {"who": {"reference": "https://ehr.example/Device/1"}},
    ),
    "us-core-1@Observation.effective[x]": ("2024-01-01", "2024-01"),
    "us-core-2@Observation": ({"valueString": "x"}, {"status": "final"}),
    "us-core-3@Observation.value[x]": ({"value": 1, "system": UCUM}, {"value": 1, "system": "urn:x"}),
    "us-core-3@Observation": ({"valueQuantity": {"value": 1}}, {"valueQuantity": {"value": 1, "system": "urn:x"}}),
    "us-core-6@Patient.name": ({"family": "x"}, {"family": "x", "extension": [ABSENT]}),
    "us-core-8@Patient.name": ({"extension": [ABSENT]}, {"text": "x"}),
    "us-core-6@DocumentReference.content.attachment": ({"url": "x"}, {"title": "x"}),
    "us-core-7@Procedure": ({"status": "completed", "performedString": "x"}, {"status": "completed"}),
    "us-core-8@DiagnosticReport": ({"status": "final", "effectiveDateTime": "2024"}, {"status": "final"}),
    "us-core-10@DiagnosticReport": ({"status": "registered"}, {"status": "final"}),
    "us-core-9@DiagnosticReport": ({"status": "final", "issued": "x"}, {"status": "final"}),
    "us-core-9@Device": ({"udiCarrier": [X], "lotNumber": "x"}, {"udiCarrier": [X]}),
    "us-core-12@Device": ({"udiCarrier": [{"carrierHRF": "x"}]}, {"udiCarrier": [X]}),
    "us-core-13@PractitionerRole": ({"organization": X}, {"active": True}),
    "us-core-14@RelatedPerson": ({"name": [X]}, {"active": True}),
    "us-core-15@Coverage": ({"identifier": [{"type": concept("v2-0203", "MB")}]}, {"identifier": [X]}),
    "us-core-16@Organization.identifier": ({"value": "1234567893"}, {"value": "123456789"}),
    "us-core-16@Practitioner.identifier": ({"value": "1234567893"}, {"value": "12345678x3"}),
    "us-core-17@Organization.identifier": ({"value": "1234567893"}, {"value": "1234567890"}),
    "us-core-17@Practitioner.identifier": ({"value": "1245319599"}, {"value": "1245319598"}),
    "us-core-18@Organization.identifier": ({"value": "12D4567890"}, {"value": "12X4567890"}),
    "us-core-19@Organization.identifier": ({"value": "12345"}, {"value": "1234"}),
    "us-core-20@MedicationDispense": ({"status": "completed", "whenHandedOver": "2024"}, {"status": "completed"}),
    "us-core-21@MedicationRequest": ({"intent": "plan"}, {"intent": "order"}),
    "us-core-22@Observation.referenceRange": ({"low": {"system": UCUM}}, {"high": {"system": "urn:x"}}),
    "us-core-23@Extension": ({"extension": [RACE_UNKNOWN]}, {"extension": [RACE_UNKNOWN, RACE_UNKNOWN]}),
    "us-core-23@Patient.extension": ({"extension": []}, {"extension": [RACE_UNKNOWN, RACE_UNKNOWN]}),
    "us-core-24@Observation": (
        {"code": {"coding": [{"code": "72166-2"}]}, "valueCodeableConcept": X},
        {"code": {"coding": [{"code": "72166-2"}]}, "valueString": "x"},
    ),
    "us-core-26@Observation.component": ({"valueString": "x"}, {"code": X}),
    "vs-1@Observation.effective[x]": ("2024-01-01T00:00:00Z", "2024"),
    "vs-2@Observation": ({"dataAbsentReason": X}, {"status": "final"}),
    "vs-3@Observation.component": ({"dataAbsentReason": X}, {"code": X}),
}  # fmt: skip
PLACEHOLDER = {"scope": {"coding": [{"system": "something", "code": "treatment"}]}}
CASES |= {f"ppc-{number}": (PLACEHOLDER | {"patient": X}, PLACEHOLDER) for number in (2, 3, 4, 5)}


@pytest.mark.parametrize("key", CASES)
def test_an_element_keeps_or_breaks_the_rule(key):
    rule, (kept, broken) = rule_named(key, "text"), CASES[key]
    assert rule.holds(kept, Scope({}))
    assert not rule.holds(broken, Scope({}))


def test_every_rule_has_a_case():
    assert set(CASES) == written()


def test_only_rules_of_definitions_are_not_written():
    known = written() | set(KEPT_ELSEWHERE)
    lacking = {
        name.partition(".")[0]
        for name, row in table.rows()["types"].items()
        for each in (row, *row["elements"].values())
        for key in each.get("rules", ())
        if key not in known
    }
    assert lacking == {
        "CareTeam", "ElementDefinition", "ImplementationGuide", "MessageDefinition", "MolecularSequence",
        "NamingSystem", "StructureDefinition", "TestScript",
    }  # fmt: skip
    assert lacking.isdisjoint(SERVED)


def test_a_rule_is_told_once_with_its_key_and_sentence():
    body = {"resourceType": "Patient", "contact": [{"relationship": [X]}]}
    assert [(each.path, each.code, each.text.partition(":")[0]) for each in validate(body)] == [
        ("Patient.contact[0]", "invariant", "pat-1")
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("2024-01-02", "2024-01-01"), ("2024-02", "2024-01"), ("2025", "2024-12-31"),
        ("2024-01-01T10:00:00Z", "2024-01-01T10:30:00+01:00"), ("2024-01-02T00:00:00Z", "2024-01-01"),
    ],
)  # fmt: skip
def test_a_period_that_ends_before_it_starts_is_refused(first, second):
    period = {"start": first, "end": second}
    assert not rule_named("per-1", "").holds(period, Scope({}))


@pytest.mark.parametrize(
    ("first", "second"),
    [("2024", "2024-01-01"), ("2024-01-01T10:30:00+01:00", "2024-01-01T10:00:00Z"), ("2016-12-31T23:59:60Z", "2017")],
)
def test_a_period_whose_order_is_open_passes(first, second):
    assert rule_named("per-1", "").holds({"start": first, "end": second}, Scope({}))


def test_a_rule_of_a_repeating_element_is_told_once_at_its_owner():
    home = {"system": "phone", "value": "1", "use": "home"}
    body = {"resourceType": "Organization", "name": "x", "telecom": [home, home]}
    assert [(each.path, each.text.partition(":")[0]) for each in validate(body)] == [("Organization", "org-3")]
