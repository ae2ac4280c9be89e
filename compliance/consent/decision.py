"""What consents decide about one record and one request, in plain Python: for previews. Lists ask the predicate.

A provision decides when it and all around it match and none inside it does; since a denial wins at each level, one
deciding denial among all of a patient's consents is enough.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from healthrecords.access.request import AccessRequest

from .provisions import Node


@dataclass(frozen=True)
class Ask:
    """What of a request the provisions look at: whose it is, what for, and when."""

    actors: tuple[str, ...]
    purpose: str
    at: datetime
    kind: str = ""
    id: str = ""

    @classmethod
    def of(cls, request: AccessRequest, at: datetime) -> "Ask":
        """The facts of a request made at `at`."""
        actor = request.actor
        roles = tuple(f"role:{name}" for name in actor.roles)
        return cls((*actor.references, *roles), request.purpose, at, actor.kind, actor.id)


@dataclass(frozen=True)
class Shown:
    """What of a record the provisions look at."""

    type: str
    labels: frozenset[str] = frozenset()


def decide(consents: Iterable[Node], ask: Ask, record: Shown, default: bool) -> bool:
    """Whether a patient's active consents permit; `default` is that of the purpose, where none says anything."""
    said = {denies for root in consents for denies in _deciding(root, ask, record, listed=False)}
    return False if True in said else (default or False in said)


def _deciding(node: Node, ask: Ask, record: Shown, listed: bool) -> Iterator[bool]:
    """The types of the provisions that decide. A Patient record obeys only what lists the class Patient."""
    if not _matches(node, ask, record):
        return
    listed = listed or record.type != "Patient" or node.classes is not None
    inner = [child for child in node.children if _matches(child, ask, record)]
    for child in inner:
        yield from _deciding(child, ask, record, listed)
    if not inner and listed:
        yield node.denies


def _matches(node: Node, ask: Ask, record: Shown) -> bool:
    return (
        (node.actors is None or not node.actors.isdisjoint(ask.actors))
        and (node.purposes is None or ask.purpose in node.purposes)
        and (node.classes is None or record.type in node.classes)
        and (node.labels is None or not node.labels.isdisjoint(record.labels))
        and (node.starts_at is None or node.starts_at <= ask.at)
        and (node.ends_at is None or ask.at < node.ends_at)
    )
