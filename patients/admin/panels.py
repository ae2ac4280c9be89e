"""The socket for what other apps show on a patient's page: they depend on patients, never the other way round."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from patients.models import Patient


@dataclass(frozen=True)
class Panel:
    """A part of the page: its template, which gets `context` as `panel`, and the style sheets that it needs."""

    template: str
    context: dict[str, Any]
    styles: tuple[str, ...] = ()


# Answers the panel for a patient, having noted all that it discloses; None where nothing is open to the person.
Provider = Callable[[HttpRequest, Patient], Panel | None]
_providers: list[Provider] = []


def on_patient_page(provider: Provider) -> Provider:
    """Decorator: ask `provider` for a panel whenever a patient's page is made."""
    _providers.append(provider)
    return provider


def panels_for(request: HttpRequest, patient: Patient) -> list[Panel]:
    """The panels that are open to the person, in the order of their apps."""
    return [panel for provider in _providers if (panel := provider(request, patient))]
