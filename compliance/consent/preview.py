"""Who could then see what: the decision asked for each role, purpose and kind of record."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils import timezone

from compliance.consent import words
from compliance.consent.covering import nodes_of, person_of
from compliance.consent.decision import Ask, Shown, decide
from compliance.consent.models import Consent, PurposeDefault, Status
from compliance.consent.provisions import Node
from healthrecords.access.request import EMERGENCY
from healthrecords.accounts.models import Role
from healthrecords.jsontext import parse_json

KINDS = {"Patient": "Person", "Immunization": "Immunizations", "DocumentReference": "Documents"}


@dataclass(frozen=True)
class Seen:
    """What one role sees for one purpose: for each of KINDS, yes or no."""

    role: str
    purpose: str
    sees: tuple[bool, ...]


def preview(nodes: Iterable[Node]) -> list[Seen]:
    """The table for a patient with these active consents, now; records without a label."""
    consents, now = list(nodes), timezone.now()
    defaults = dict(PurposeDefault.objects.values_list("purpose", "permits"))
    rows = []
    for role in Role.objects.order_by("title"):
        opened = {kind for kind in KINDS if "r" in role.permissions.get(kind, "")}
        for purpose in role.purposes if opened else []:
            if purpose != EMERGENCY:
                ask = Ask((f"role:{role.name}",), purpose, now)
                permits = [
                    kind in opened and decide(consents, ask, Shown(kind), defaults.get(purpose, False))
                    for kind in KINDS
                ]
                rows.append(Seen(role.title, words.PURPOSES.get(purpose, purpose), tuple(permits)))
    return rows


def active(patient: str) -> list[tuple[Consent, Node]]:
    """The active consents of a person (logical id), those of merged records too, each with what it says."""
    found = Consent.objects.live().filter(patient_id__in=person_of([patient]), status=Status.ACTIVE)
    return [(each, nodes_of(each)) for each in found.select_related("current")]


def body_of(consent: Consent) -> dict[str, object]:
    """A stored consent as it went in."""
    assert consent.current is not None  # noqa: S101  # nosec B101  every stored record has its version
    body: dict[str, object] = parse_json(str(consent.current.content).encode())
    return body
