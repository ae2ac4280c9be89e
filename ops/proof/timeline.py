"""The timeline of the backups as shapes: positions in a drawing of 1000 by 60, oldest on the left, now on the right."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

WIDTH = 1000.0
_LEAST = timedelta(hours=1)


def shown(found: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """What was published, as the page's template shows it."""
    times = [_time(link["stopped"]) for chain in found["chains"] for link in chain["links"]]
    since = min([*times, now - _LEAST])
    scale = _Scale(since, now)
    begin, until = _maybe(found["begin"]), _maybe(found["until"])
    return {
        **found,
        "time": _time(found["time"]),
        "begin": begin,
        "until": until,
        "since": since,
        "now": now,
        "band": (scale.at(begin), scale.at(until) - scale.at(begin)) if begin and until else None,
        "marks": list(_marks(found, scale)),
        "chains": [_chain(chain) for chain in found["chains"]],
        "points": [{**point, "time": _time(point["time"])} for point in reversed(found["points"])],
        "proof": {**found["proof"], "time": _time(found["proof"]["time"])} if found["proof"] else None,
    }


class _Scale:
    def __init__(self, since: datetime, now: datetime) -> None:
        self.since, self.span = since, (now - since).total_seconds()

    def at(self, time: datetime) -> float:
        """Where a time is; what is yet to come is at the right edge."""
        return round(WIDTH * min(1.0, max(0.0, (time - self.since).total_seconds() / self.span)), 1)


def _marks(found: Mapping[str, Any], scale: _Scale) -> Iterator[dict[str, Any]]:
    """One for each backup, tall for a full one, and one for each point."""
    for chain in found["chains"]:
        for number, link in enumerate(chain["links"]):
            kind = "proven" if link["proven"] else "full" if number == 0 else "step"
            yield {"x": scale.at(_time(link["stopped"])), "kind": kind, "tall": kind != "step"}
    for point in found["points"]:
        yield {"x": scale.at(_time(point["time"])), "kind": "point", "tall": False}


def _chain(chain: Mapping[str, Any]) -> dict[str, Any]:
    proven = [_time(link["proven"]) for link in chain["links"] if link["proven"]]
    return {
        **chain,
        "from": _time(chain["links"][0]["stopped"]),
        "to": _time(chain["links"][-1]["stopped"]),
        "count": len(chain["links"]),
        "proven": max(proven, default=None),
        "seconds": chain["links"][0]["seconds"],
    }


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _maybe(text: str | None) -> datetime | None:
    return _time(text) if text else None
