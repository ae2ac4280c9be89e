"""Made-up patients of every shape."""

from hypothesis import strategies as st

from healthrecords.fhir.tests.lossless import (
    addresses,
    codes,
    codings,
    concepts,
    dates,
    everywhere,
    extensible,
    extensions,
    listed,
    names,
    periods,
    primitives,
    reference,
    some,
    telecoms,
    times,
    words,
)

US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core"
OMB = "urn:oid:2.16.840.1.113883.6.238"

categories = st.fixed_dictionaries({"system": st.just(OMB), "code": codes}, optional={"display": words})
category_parts = (
    st.fixed_dictionaries({"url": st.sampled_from(["ombCategory", "detailed"]), "valueCoding": categories})
    | st.fixed_dictionaries({"url": st.just("text"), "valueString": words})
    | st.fixed_dictionaries({"url": st.just("text"), "valueWild": primitives})
)
race = st.fixed_dictionaries(
    {"url": st.sampled_from([f"{US_CORE}-race", f"{US_CORE}-ethnicity"])},
    optional={"extension": listed(category_parts, 4), "id": words},
)
birth_sex = st.fixed_dictionaries(
    {"url": st.just(f"{US_CORE}-birthsex")}, optional={"valueCode": st.sampled_from(["F", "UNK", "other"])}
)
marital = some(
    coding=listed(codings | st.just({"system": "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus", "code": "M"})),
    text=words,
)
kin = st.just({"system": "http://terminology.hl7.org/CodeSystem/v2-0131", "code": "N"})
contacts = some(
    relationship=listed(concepts | some(coding=listed(kin | codings), text=words)),
    name=names(),
    telecom=listed(telecoms),
    address=addresses,
    gender=st.sampled_from(["female", "other"]),
    organization=reference("Organization"),
    period=periods,
    extension=listed(extensions),
)
tongues = st.just({"system": "urn:ietf:bcp:47", "code": "en"})
communications = some(
    language=concepts | some(coding=listed(tongues | codings), text=words),
    preferred=st.booleans(),
    _preferred=extensible,
)
links = some(other=reference("Patient", "RelatedPerson"), type=st.sampled_from(["seealso", "replaces"]))
deaths = st.sampled_from([{}, {"deceasedBoolean": False}, {"deceasedBoolean": True}, {"deceasedDateTime": "2020-01"}])


@st.composite
def patients(draw):
    made = draw(
        some(
            **{**everywhere, "extension": listed(extensions | race | birth_sex, 5)},
            active=st.booleans(),
            name=listed(names()),
            gender=st.sampled_from(["male", "female", "other", "unknown"]),
            birthDate=dates,
            _birthDate=extensible,
            _deceasedDateTime=extensible,
            address=listed(addresses),
            maritalStatus=marital,
            multipleBirthInteger=st.integers(1, 5),
            photo=listed(some(url=words, creation=times, size=st.integers(1, 9))),
            contact=listed(contacts),
            communication=listed(communications),
            generalPractitioner=listed(reference("Practitioner", "Organization", "PractitionerRole")),
            managingOrganization=reference("Organization"),
            link=listed(links),
        )
    )
    return {"resourceType": "Patient", **made, **draw(deaths)}
