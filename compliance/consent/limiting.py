"""Whether a patient's consents keep anything from whoever asks, whether or not there is a record of that kind."""

from collections.abc import Iterable, Iterator

from django.utils import timezone

from compliance.consent.covering import nodes_of
from compliance.consent.decision import Ask, Shown, decide
from compliance.consent.models import Consent
from compliance.consent.predicate import BY_ROLE_ALONE, EMERGENCY
from compliance.consent.provisions import Node
from healthrecords.access.request import AccessRequest
from healthrecords.fhir.resource import registry


def limited(patient: str, asked: AccessRequest) -> list[str]:
    """The types of records, sorted, of which a consent keeps some or all from the asker now.

    An emergency is limited only by what binds by law.
    """
    rows = Consent.objects.filter(coverage__patient=patient)
    if asked.purpose == EMERGENCY:
        rows = rows.filter(absolute__isnull=False)
    nodes, ask = [nodes_of(consent) for consent in rows], Ask.of(asked, timezone.now())
    return [kind for kind in _types() if any(not decide(nodes, ask, each, True) for each in _kinds(kind, nodes))]


def _types() -> list[str]:
    return sorted(name for name, each in registry().items() if not each.directory and name not in BY_ROLE_ALONE)


def _kinds(kind: str, nodes: Iterable[Node]) -> Iterator[Shown]:
    """What a record of a type may be like, as far as these provisions can tell: without a label, or with one."""
    yield Shown(kind)
    for label in {label for node in nodes for label in _labels(node)}:
        yield Shown(kind, frozenset({label}))


def _labels(node: Node) -> Iterator[str]:
    yield from node.labels or ()
    for child in node.children:
        yield from _labels(child)
