"""What the page of a dose says."""

from typing import Any

from healthrecords.console import lines
from healthrecords.console.lines import Flag, Line, Section
from healthrecords.directory.models import Location, Organization, Practitioner, PractitionerRole
from immunizations import models as m
from immunizations.admin import grid, labels
from immunizations.admin.words import when
from immunizations.codes.catalog import Catalog

SOURCE = {True: "By those who gave it", False: "Reported afterwards"}
_FLAG = {"good": "good", "calm": "calm", "grave": "grave"}


def facts(dose: m.Immunization, catalog: Catalog, remarks: grid.Remarks) -> dict[str, Any]:
    """What the template shows of a dose."""
    state = grid.state_of(dose, remarks)
    return {
        "flags": [Flag(state.word, _FLAG.get(state.kind, "caution"))],
        "sections": lines.filled(_sections(dose, catalog)),
        "has_more": lines.has_more(dose),
    }


def _sections(dose: m.Immunization, catalog: Catalog) -> list[Section]:
    return [
        ("Dose", _dose(dose, catalog)),
        ("Product", _product(dose, catalog)),
        ("Who and where", [*(_performer(each) for each in dose.performers.all()), _place(dose)]),
        ("Program", _program(dose)),
        ("Statements given", [_education(each) for each in dose.educations.all()]),
        ("Reactions", [Line(each.date or "Date unknown", _reaction(each)) for each in dose.reactions.all()]),
        ("Series", [_protocol(each) for each in dose.protocols.all()]),
        ("Notes", [Line(each.time[:10] or "Note", each.text) for each in dose.notes.all()]),
    ]


def _dose(dose: m.Immunization, catalog: Catalog) -> list[Line]:
    vaccine = catalog.vaccines.get(dose.cvx)
    reasons = ", ".join(labels.SUBPOTENT.get(each.code, str(each)) for each in dose.subpotent_reasons.all())
    return [
        Line("Vaccine", dose.vaccine_text or (vaccine.short if vaccine else "")),
        Line("Counts for", ", ".join(grid.groups_of(dose.cvx, catalog))),
        Line("Why not done", labels.NOT_DONE.get(dose.status_reason, dose.status_reason)),
        Line("Date", when(dose)),
        Line("Amount", f"{dose.dose} {dose.dose_unit or dose.dose_unit_code}".strip() if dose.dose else ""),
        Line("Site", labels.SITE.get(dose.site, dose.site)),
        Line("Route", labels.ROUTE.get(dose.route, dose.route)),
        Line("Does not count", "As a full dose" if dose.subpotent else "", reasons),
        Line("Given for", ", ".join(str(each) for each in dose.reasons.all())),
    ]


def _product(dose: m.Immunization, catalog: Catalog) -> list[Line]:
    vaccine, maker = catalog.vaccines.get(dose.cvx), catalog.manufacturers.get(dose.mvx)
    named = maker.name if maker else dose.manufacturer_text or _name(Organization, dose.manufacturer_id)
    return [
        Line("CVX", dose.cvx, vaccine.full if vaccine else ""),
        Line("NDC", dose.ndc),
        Line("Manufacturer", named or dose.mvx, f"MVX {dose.mvx}" if named and dose.mvx else ""),
        Line("Lot", dose.lot_number, f"expires {dose.expires}" if dose.expires else ""),
    ]


def _performer(each: m.ImmunizationPerformer) -> Line:
    found = (
        _name(Practitioner, each.practitioner_id)
        or _name(PractitionerRole, each.practitioner_role_id)
        or _name(Organization, each.organization_id)
    )
    return Line(labels.FUNCTION.get(each.function, "Performer"), found or each.display or "Not in the directory")


def _place(dose: m.Immunization) -> Line:
    return Line("Location", _name(Location, dose.location_id))


def _program(dose: m.Immunization) -> list[Line]:
    origin = labels.ORIGIN.get(dose.report_origin, dose.report_origin)
    eligible = ", ".join(labels.ELIGIBILITY.get(each.code, str(each)) for each in dose.eligibilities.all())
    return [
        Line("Recorded", SOURCE.get(dose.primary_source, "") if dose.primary_source is not None else "", origin),
        Line("Recorded on", dose.recorded[:10]),
        Line("Funding", labels.FUNDING.get(dose.funding_source, dose.funding_source)),
        Line("Eligibility", eligible),
    ]


def _education(each: m.ImmunizationEducation) -> Line:
    edition = f"edition {each.publication_date[:10]}" if each.publication_date else ""
    address = each.reference if each.reference.startswith("https://") else ""
    return Line(each.presentation_date[:10] or "Given", str(each), edition, address)


def _reaction(each: m.ImmunizationReaction) -> str:
    return {True: "Reported by the patient", False: "Seen by staff"}.get(bool(each.reported), "Recorded")


def _protocol(each: m.ImmunizationProtocol) -> Line:
    number = each.dose_number or each.dose_number_text
    of = each.series_doses or each.series_doses_text
    return Line(
        each.series or "Series", f"Dose {number}" + (f" of {of}" if of else "") if number else "Dose not numbered"
    )


def _name(model: Any, logical_id: str | None) -> str:
    found = model.objects.filter(logical_id=logical_id).first() if logical_id else None
    return str(found or "")
