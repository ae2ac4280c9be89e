"""Looks through all keys of the cache: how many of each kind, how large, how long they live."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache

from .kinds import OTHER, Kind, owning
from .server import asked

_BATCH = 500


@dataclass(frozen=True)
class Entry:
    """One key. `left` is how many seconds it still lives; None: for ever."""

    key: str
    bytes: int
    left: int | None
    kind: Kind | None

    @property
    def stray(self) -> str:
        """Why it should not be here, or an empty text."""
        if self.kind is None:
            return "no part of the program owns it"
        if self.kind.longest is not None and (self.left is None or self.left > self.kind.longest):
            return "it lives longer than its kind may"
        return ""


def entries() -> Iterator[Entry]:
    """Every key, in no order; one that ends meanwhile is left out."""
    prefix = cache.make_key("")
    with asked() as client:
        cursor = None
        while cursor != 0:
            cursor, keys = client.scan(cursor or 0, count=_BATCH)
            yield from _looked_at(client, prefix, keys)


def _looked_at(client: Any, prefix: str, keys: list[bytes]) -> Iterator[Entry]:
    pipe = client.pipeline(transaction=False)
    for key in keys:
        pipe.memory_usage(key)
        pipe.ttl(key)
    told = iter(pipe.execute())
    for key in keys:
        size, left = next(told), next(told)
        if size is not None:
            name = key.decode(errors="replace")
            yield Entry(name, size, None if left < 0 else left, owning(name, prefix))


def patterns() -> list[dict[str, Any]]:
    """A row for each kind that there is: keys, bytes, the shortest and longest life left, keys that live for ever."""
    rows: dict[str, dict[str, Any]] = {}
    for each in entries():
        name = each.kind.name if each.kind else OTHER
        row = rows.setdefault(name, _empty(name, each.kind))
        row["keys"] += 1
        row["bytes"] += each.bytes
        row["strays"] += bool(each.stray)
        if each.left is None:
            row["for_ever"] += 1
        else:
            row["left_at_most"] = max(each.left, row["left_at_most"] or 0)
    return sorted(rows.values(), key=lambda row: -row["bytes"])


def _empty(name: str, kind: Kind | None) -> dict[str, Any]:
    return {
        "kind": name, "keys": 0, "bytes": 0, "left_at_most": None, "for_ever": 0, "strays": 0,
        "owner": kind.owner if kind else "", "why": kind.why if kind else "",
    }  # fmt: skip


def largest(number: int = 10) -> list[dict[str, Any]]:
    """The largest keys, by their kind; the rest of a key is nobody's name, and of no use."""
    found = sorted(entries(), key=lambda each: -each.bytes)[:number]
    return [
        {"kind": each.kind.name if each.kind else OTHER, "bytes": each.bytes, "seconds_left": each.left}
        for each in found
    ]


def clean(dry_run: bool) -> list[Entry]:
    """Remove what should not be here (Entry.stray) and return it; what expired the server removes by itself."""
    found = [each for each in entries() if each.stray]
    if not dry_run and found:
        with asked() as client:
            for each in found:
                client.unlink(each.key)
    return found
