"""The printed form of a consent: the words of the screen, with lines to sign on."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from compliance.consent import words
from compliance.consent.covering import nodes_of
from compliance.consent.models import Consent
from healthrecords import pdf
from patients.models import Patient

TEMPLATE = Path(__file__).with_name("consent.typ")


def printed(consent: Consent, patient: Patient) -> bytes:
    """The consent as PDF (PDF/UA-1)."""
    return pdf.render(TEMPLATE, facts(consent, patient))


def facts(consent: Consent, patient: Patient) -> dict[str, Any]:
    """What the form says."""
    return {
        "title": "Consent to the use of health records",
        "organization": settings.ORGANIZATION_NAME,
        "patient": str(patient),
        "born": patient.birth_date or "",
        "given": consent.date,
        "said": words.say(nodes_of(consent)).as_data(),
        "reference": f"Consent/{consent.logical_id}, version {consent.version}",
        "printed": f"{timezone.localtime():%Y-%m-%d %H:%M}",
    }
