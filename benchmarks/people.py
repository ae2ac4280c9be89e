"""Made-up patients and their immunizations for measurements: the same number always gives the same record."""

import random
from typing import Any

GIVEN = [
    "Ada",
    "Ben",
    "Carla",
    "Dario",
    "Elena",
    "Femi",
    "Greta",
    "Hugo",
    "Ines",
    "Jonas",
    "Kira",
    "Liam",
    "Mara",
    "Noor",
    "Otis",
    "Pia",
    "Quinn",
    "Rosa",
    "Sven",
    "Tara",
]
SYLLABLES = [
    "ba",
    "ker",
    "lin",
    "den",
    "mo",
    "ra",
    "sto",
    "ven",
    "hal",
    "wick",
    "for",
    "ster",
    "bel",
    "go",
    "nor",
    "ton",
    "fei",
    "zan",
    "pe",
    "tri",
]
CVX = ["03", "08", "10", "20", "33", "88", "113", "115", "140", "208"]
CITIES = [("Salem", "MA", "01970"), ("Topeka", "KS", "66603"), ("Astoria", "OR", "97103"), ("Natchez", "MS", "39120")]


def patient(number: int) -> dict[str, Any]:
    """Return the FHIR Patient of a number."""
    chance = random.Random(number)
    city, state, code = chance.choice(CITIES)
    return {
        "resourceType": "Patient",
        "identifier": [{"system": "urn:example:mrn", "value": f"M{number:09d}"}],
        "active": True,
        "name": [
            {
                "use": "official",
                "family": "".join(chance.choices(SYLLABLES, k=3)).capitalize(),
                "given": chance.sample(GIVEN, 2),
            }
        ],
        "telecom": [{"system": "phone", "value": f"555-{chance.randrange(10**7):07d}", "use": "home"}],
        "gender": chance.choice(["female", "male"]),
        "birthDate": f"{chance.randrange(1930, 2025)}-{chance.randrange(1, 13):02d}-{chance.randrange(1, 29):02d}",
        "address": [
            {"line": [f"{chance.randrange(1, 400)} Main Street"], "city": city, "state": state, "postalCode": code}
        ],
        "communication": [{"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "en-US"}]}}],
    }


def patients(count: int, first: int = 0) -> list[dict[str, Any]]:
    """Return `count` patients, by numbers from `first` on."""
    return [patient(number) for number in range(first, first + count)]


def immunization(number: int, patient_id: str) -> dict[str, Any]:
    """Return a FHIR Immunization of a patient."""
    chance = random.Random(number)
    return {
        "resourceType": "Immunization",
        "status": "completed",
        "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": chance.choice(CVX)}]},
        "patient": {"reference": f"Patient/{patient_id}"},
        "occurrenceDateTime": f"{chance.randrange(1990, 2026)}-{chance.randrange(1, 13):02d}-14",
        "primarySource": True,
        "lotNumber": f"L{number:08d}",
    }


def immunizations(patient_ids: list[str], each: int) -> list[dict[str, Any]]:
    """Return `each` immunizations of every patient."""
    return [immunization(each * at + n, one) for at, one in enumerate(patient_ids) for n in range(each)]
