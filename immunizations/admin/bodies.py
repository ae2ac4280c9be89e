"""From what was typed to the resource that is stored: pure functions, one resource for each line."""

from datetime import datetime
from typing import Any

from healthrecords.fhir.store import instant
from immunizations.codes.catalog import Catalog
from immunizations.fhir.immunization import CVX, MVX, NDC, TERMINOLOGY

JSON = dict[str, Any]
UCUM = "http://unitsofmeasure.org"


def given(patient: str, visit: JSON, line: JSON, catalog: Catalog, now: datetime) -> JSON:
    """A dose that was given at a visit here. `patient` is a logical id."""
    body = _shared(patient, line, catalog, now) | {
        "occurrenceDateTime": visit["given_on"],
        "primarySource": True,
        "location": _reference("Location", visit["location"]),
        "expirationDate": line["expires"],
        "site": _concept("v3-ActSite", line["site"]),
        "route": _concept("v3-RouteOfAdministration", line["route"]),
        "doseQuantity": _milliliters(line["dose"]),
        "performer": _performed(visit["performer"]),
        "isSubpotent": line["subpotent"] or None,
        "education": _statements(line["cvx"], visit["statement_on"], catalog),
        "programEligibility": _listed(_concept("immunization-program-eligibility", visit["eligibility"])),
        "fundingSource": _concept("immunization-funding-source", visit["funding"]),
    }
    return _filled(body)


def reported(patient: str, report: JSON, line: JSON, catalog: Catalog, now: datetime) -> JSON:
    """A dose that somebody reported afterwards; its date may be partial, or only words."""
    when = {"occurrenceDateTime": line["given_on"]} if line["given_on"] else {"occurrenceString": "Date unknown"}
    body = _shared(patient, line, catalog, now) | when | {
        "primarySource": False,
        "reportOrigin": _concept("immunization-origin", report["origin"]),
    }  # fmt: skip
    return _filled(body)


def _shared(patient: str, line: JSON, catalog: Catalog, now: datetime) -> JSON:
    return {
        "resourceType": "Immunization",
        "status": "completed",
        "vaccineCode": _vaccine(line, catalog),
        "patient": {"reference": f"Patient/{patient}"},
        "recorded": instant(now),
        "manufacturer": _maker(line["mvx"], catalog),
        "lotNumber": line["lot"],
    }


def _vaccine(line: JSON, catalog: Catalog) -> JSON:
    known = catalog.vaccines.get(line["cvx"])
    display = {"display": known.short} if known else {}
    codings = [{"system": CVX, "code": line["cvx"], **display}] if line["cvx"] else []
    codings += [{"system": NDC, "code": line["ndc"]}] if line["ndc"] else []
    return _filled({"coding": codings, "text": line["vaccine"] or (known.short if known else "")})


def _maker(mvx: str, catalog: Catalog) -> JSON:
    known = catalog.manufacturers.get(mvx)
    named = {"display": known.name} if known else {}
    return {"identifier": {"system": MVX, "value": mvx}, **named} if mvx else {}


def _milliliters(amount: Any) -> JSON:
    return {"value": amount, "unit": "mL", "system": UCUM, "code": "mL"} if amount is not None else {}


def _performed(practitioner: Any) -> list[JSON]:
    if not practitioner:
        return []
    return [{"function": _concept("v2-0443", "AP"), "actor": _reference("Practitioner", practitioner)}]


def _statements(cvx: str, presented: str, catalog: Catalog) -> list[JSON]:
    """The current information statements of the vaccine, as given on the day `presented`."""
    current = [each for each in catalog.statements.get(cvx, ()) if each.is_current] if presented else []
    return [
        _filled({
            "documentType": each.name,
            "reference": each.pdf or each.html,
            "publicationDate": each.edition.isoformat(),
            "presentationDate": presented,
        })
        for each in current
    ]  # fmt: skip


def _concept(system: str, code: str) -> JSON:
    return {"coding": [{"system": f"{TERMINOLOGY}/{system}", "code": code}]} if code else {}


def _listed(concept: JSON) -> list[JSON]:
    return [concept] if concept else []


def _reference(kind: str, record: Any) -> JSON:
    return {"reference": f"{kind}/{record.logical_id}", "display": str(record)} if record else {}


def _filled(body: JSON) -> JSON:
    return {name: value for name, value in body.items() if value not in (None, "", [], {})}
