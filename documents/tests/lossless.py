"""Made-up documents of every shape."""

import base64

from hypothesis import strategies as st

from healthrecords.fhir.tests.lossless import (
    codes,
    codings,
    concepts,
    everywhere,
    extensible,
    extensions,
    identifiers,
    ids,
    listed,
    periods,
    reference,
    some,
    times,
    uris,
    words,
)  # fmt: skip

instants = st.sampled_from(["2020-01-02T03:04:05Z", "1999-12-31T23:59:59.5+14:00"])
digests = st.binary(min_size=20, max_size=20).map(lambda each: base64.b64encode(each).decode())
attachments = some(
    contentType=st.sampled_from(["application/pdf", "text/plain; charset=utf-8"]),
    language=codes,
    url=uris | ids.map("Binary/{}".format),
    size=st.integers(0, 2**31 - 1),
    hash=digests,
    title=words,
    creation=times,
    extension=listed(extensions, 2),
    _title=extensible,
)
actors = reference("Practitioner", "PractitionerRole", "Organization")
contexts = some(
    encounter=listed(reference("Encounter")),
    event=listed(concepts),
    period=periods,
    facilityType=concepts,
    practiceSetting=concepts,
    sourcePatientInfo=reference("Patient"),
    related=listed(reference("Observation", "Patient")),
    extension=listed(extensions, 2),
)
patients = ids.map("Patient/{}".format).flatmap(
    lambda literal: st.fixed_dictionaries({"reference": st.just(literal)}, optional={"display": words})
)


def documents():
    shared = {name: each for name, each in everywhere.items() if name != "telecom"}
    return st.fixed_dictionaries(
        {
            "resourceType": st.just("DocumentReference"),
            "status": st.sampled_from(["current", "superseded", "entered-in-error"]),
            "subject": patients,
            "content": listed(
                st.fixed_dictionaries({"attachment": attachments}, optional={"format": codings, "id": ids})
            ),
        },
        optional={
            **shared,
            "masterIdentifier": identifiers,
            "docStatus": st.sampled_from(["final", "amended"]),
            "type": concepts,
            "category": listed(concepts),
            "date": instants,
            "_date": extensible,
            "author": listed(actors),
            "authenticator": actors,
            "custodian": reference("Organization"),
            "relatesTo": listed(
                st.fixed_dictionaries(
                    {"code": st.sampled_from(["replaces", "signs"]), "target": reference("DocumentReference")},
                    optional={"extension": listed(extensions, 2)},
                )
            ),
            "description": words,
            "_description": extensible,
            "securityLabel": listed(concepts),
            "context": contexts,
        },
    )
