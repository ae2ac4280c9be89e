"""Made-up immunizations of every shape."""

from decimal import Decimal

from hypothesis import strategies as st

from healthrecords.fhir.tests.lossless import (
    codes,
    codings,
    concepts,
    dates,
    decimals,
    everywhere,
    extensible,
    extensions,
    ids,
    listed,
    reference,
    some,
    times,
    uris,
    words,
)  # fmt: skip

SID = "http://hl7.org/fhir/sid"
vaccine_codings = codings | st.builds(
    lambda system, code, more: {"system": system, "code": code, **more},
    st.sampled_from([f"{SID}/cvx", f"{SID}/ndc", "urn:oid:2.16.840.1.113883.12.292"]),
    st.sampled_from(["62", "140", "58160-0815-52"]),
    st.just({}) | some(display=words),
)
vaccines = some(coding=listed(vaccine_codings, 4), text=words, extension=listed(extensions, 2))
patients = st.one_of(
    ids.map("Patient/{}".format),
    ids.map("Patient/{}/_history/3".format),
    ids.map("http://127.0.0.1:8000/fhir/Patient/{}".format),
).flatmap(
    lambda literal: st.fixed_dictionaries({"reference": st.just(literal)}, optional={"display": words, "type": words})
)
manufacturers = reference("Organization") | some(
    identifier=some(system=st.sampled_from([f"{SID}/mvx", "urn:example:a"]), value=codes, use=codes),
    display=words,
    reference=ids.map("Organization/{}".format),
)
quantities = some(
    value=decimals | st.just(Decimal("0.50")) | st.integers(0, 9),
    unit=words,
    system=uris,
    code=codes,
    comparator=st.just("<"),
    _value=extensible,
)
performers = some(
    function=concepts, actor=reference("Practitioner", "PractitionerRole", "Organization"), extension=listed(extensions)
)
notes = some(text=words, time=times, authorString=words, authorReference=reference("Practitioner"), _text=extensible)
educations = some(
    documentType=words, reference=uris, publicationDate=times, presentationDate=times, _reference=extensible
)
reactions = some(date=times, detail=reference("Observation"), reported=st.booleans(), _date=extensible)
protocols = some(
    series=words,
    authority=reference("Organization"),
    targetDisease=listed(concepts),
    doseNumberPositiveInt=st.integers(1, 9),
    doseNumberString=words,
    seriesDosesPositiveInt=st.integers(1, 9),
    seriesDosesString=words,
    _doseNumberString=extensible,
)


def immunizations():
    without_telecom = {name: each for name, each in everywhere.items() if name != "telecom"}
    return st.fixed_dictionaries(
        {
            "resourceType": st.just("Immunization"),
            "status": st.sampled_from(["completed", "not-done", "entered-in-error"]),
            "vaccineCode": vaccines,
            "patient": patients,
        },
        optional={
            **without_telecom,
            "statusReason": concepts,
            "encounter": reference("Encounter"),
            "occurrenceDateTime": times,
            "_occurrenceDateTime": extensible,
            "occurrenceString": words,
            "recorded": times,
            "primarySource": st.booleans(),
            "reportOrigin": concepts,
            "location": reference("Location"),
            "manufacturer": manufacturers,
            "lotNumber": words,
            "expirationDate": dates,
            "site": concepts,
            "route": concepts,
            "doseQuantity": quantities,
            "performer": listed(performers),
            "note": listed(notes),
            "reasonCode": listed(concepts),
            "reasonReference": listed(reference("Condition", "Observation", "DiagnosticReport")),
            "isSubpotent": st.booleans(),
            "subpotentReason": listed(concepts),
            "education": listed(educations),
            "programEligibility": listed(concepts),
            "fundingSource": concepts,
            "reaction": listed(reactions),
            "protocolApplied": listed(protocols),
        },
    )
