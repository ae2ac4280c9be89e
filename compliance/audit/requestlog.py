"""Reads request logs: the server's own (JSON or as the embedded start writes it) and HAProxy's, rotated or not."""

import gzip
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from django.core.exceptions import ValidationError

STDIN = "-"
_OURS = "[healthrecords.requests]"
_PAIR = re.compile(r"(\w+)=('[^']*'|\S+)")
# deploy/haproxy/haproxy.cfg: [time] … status bytes ends method /first/second id
_PROXY = re.compile(
    r"\[(?P<time>\d\d/\w{3}/\d{4}:[\d:.]+)\] .* (?P<status>\d{3}) \d+ \S+ (?P<method>[A-Z]+) (?P<route>/\S*)"
    r" (?P<request_id>[0-9a-fA-F-]{36})\s*$"
)


@dataclass(frozen=True)
class Logged:
    """One request as a log tells it; `route` is the pattern, or from the proxy the first two parts of the path."""

    request: str
    method: str
    route: str
    status: int
    time: datetime


def read(sources: list[str]) -> Iterator[Logged]:
    """The requests of all files that the patterns name, oldest file first; `-` is standard input.

    A file that is rotated away meanwhile is left out. Raises ValidationError where a pattern names no file.
    """
    for source in sources:
        files = _files(source) if source != STDIN else []
        for line in sys.stdin if source == STDIN else _lines(files):
            if logged := parse(line):
                yield logged


def parse(line: str) -> Logged | None:
    """The request that a line tells of; None for lines about anything else, or cut off."""
    try:
        if line.lstrip().startswith("{"):
            return _from_json(orjson.loads(line))
        if _OURS in line:
            said = {name: value.strip("'") for name, value in _PAIR.findall(line)}
            return _logged({**said, "time": line.split(maxsplit=1)[0]})
        found = _PROXY.search(line)
        return _from_proxy(found.groupdict()) if found else None
    except (ValueError, KeyError):
        return None


def _from_json(said: Any) -> Logged | None:
    return _logged(said) if isinstance(said, dict) and said.get("event") == "request" else None


def _from_proxy(said: dict[str, str]) -> Logged:
    time = datetime.strptime(said["time"], "%d/%b/%Y:%H:%M:%S.%f").replace(tzinfo=UTC)
    return _logged({**said, "route": said["route"].lstrip("/").rstrip("/"), "time": time.isoformat()})


def _logged(said: dict[str, Any]) -> Logged:
    time = datetime.fromisoformat(said["time"])
    return Logged(said["request_id"], said["method"], said["route"], int(said["status"]), time)


def _files(pattern: str) -> list[Path]:
    place = Path(pattern)
    found = list(place.parent.glob(place.name))
    if not found:
        raise ValidationError(f"There is no request log at {pattern}.")
    return sorted(found, key=_changed)


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _lines(files: list[Path]) -> Iterator[str]:
    for path in files:
        try:
            with (
                gzip.open(path, "rt", errors="replace") if path.suffix == ".gz" else path.open(errors="replace") as file
            ):
                yield from file
        except FileNotFoundError:
            continue
        except (OSError, EOFError) as fault:
            raise ValidationError(f"{path} cannot be read ({fault}).") from None
