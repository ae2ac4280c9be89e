"""Made-up provenance of every shape."""

from hypothesis import strategies as st

from healthrecords.fhir.tests.lossless import (
    codes,
    codings,
    concepts,
    everywhere,
    extensible,
    extensions,
    listed,
    periods,
    reference,
    some,
    times,
    uris,
)  # fmt: skip

WHO = ("Practitioner", "PractitionerRole", "RelatedPerson", "Patient", "Device", "Organization")
agents = some(
    type=concepts, role=listed(concepts), who=reference(*WHO), onBehalfOf=reference(*WHO), extension=listed(extensions)
)
entities = some(
    role=st.sampled_from(["source", "revision"]), what=reference("Patient", "DocumentReference"), agent=listed(agents)
)
signatures = some(type=listed(codings), when=times, who=reference(*WHO), sigFormat=codes)
occurrences = st.sampled_from([{}, {"occurredDateTime": "2020-01"}]) | st.builds(
    lambda period: {"occurredPeriod": period}, periods
)


@st.composite
def provenances(draw):
    made = draw(
        some(
            **{name: each for name, each in everywhere.items() if name not in ("identifier", "telecom")},
            target=listed(reference("Patient", "Immunization", "Observation")),
            recorded=st.sampled_from(["2020-01-02T03:04:05Z", "2020-01-02T03:04:05.120-05:00"]),
            _recorded=extensible,
            policy=listed(uris),
            location=reference("Location"),
            reason=listed(concepts),
            activity=concepts,
            agent=listed(agents),
            entity=listed(entities),
            signature=listed(signatures),
        )
    )
    return {"resourceType": "Provenance", **made, **draw(occurrences)}
