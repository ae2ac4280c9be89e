"""The accounting as a document that a patient is given."""

from pathlib import Path
from typing import Any

from django.conf import settings

from compliance.accounting.disclosures import Accounting, Line
from healthrecords import pdf

TEMPLATE = Path(__file__).with_name("accounting.typ")
TITLE = "Accounting of disclosures"
_LEFT_OUT = (
    "Disclosures for treatment, payment and health care operations, and those made to you yourself, are not listed; "
    "the rule does not ask for them (45 CFR 164.528(a)(1))."
)
_ONE_LINE = (
    "Several disclosures to the same recipient for the same purpose are one line, with the first and the last date and "
    "their number (45 CFR 164.528(b)(3))."
)
NOTES = (_LEFT_OUT, _ONE_LINE, "Where no address stands below a recipient, none is known to us.")


def as_pdf(accounting: Accounting) -> bytes:
    """Return the document."""
    return pdf.render(TEMPLATE, _said(accounting))


def _said(accounting: Accounting) -> dict[str, Any]:
    return {
        "title": TITLE,
        "organization": settings.ORGANIZATION_NAME,
        "patient": accounting.patient,
        "name": accounting.name,
        "birth_date": accounting.birth_date or "not recorded",
        "period": f"{accounting.since} to {accounting.until}",
        "prepared": str(accounting.until),
        "lines": [_line(line) for line in accounting.lines],
        "notes": NOTES,
    }


def _line(line: Line) -> dict[str, str]:
    more = f"{line.times} times, last on {line.last}" if line.times > 1 else ""
    return {
        "date": str(line.first), "times": more, "recipient": line.recipient, "address": line.address,
        "description": line.description, "purpose": line.purpose,
    }  # fmt: skip
