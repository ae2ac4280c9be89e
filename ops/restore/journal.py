"""What restores did, one JSON line for each step, in a file of the working directory: the database may be gone."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from ops.backup.place import Place


@dataclass(frozen=True)
class Journal:
    """The file, to which lines are added and flushed to the disk at once."""

    path: Path

    def note(self, restore: str, event: str, **more: Any) -> None:
        """Add a line."""
        line = {"time": datetime.now(UTC), "restore": restore, "event": event, **more}
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(handle, orjson.dumps(line, default=str) + b"\n")
            os.fsync(handle)
        finally:
            os.close(handle)

    def lines(self) -> list[dict[str, Any]]:
        """All lines that can be read; one that was cut off by a crash is left out."""
        if not self.path.is_file():
            return []
        found = []
        for line in self.path.read_bytes().splitlines():
            try:
                found.append(orjson.loads(line))
            except orjson.JSONDecodeError:
                continue
        return found


def journal(where: Place) -> Journal:
    """The journal of restores of this host."""
    return Journal(where.root / "restores.jsonl")


def rate(where: Place, event: str = "done") -> float | None:
    """Bytes a second of the last restore that succeeded and whose line says `event`, or None."""
    done = [line for line in journal(where).lines() if line.get("event") == event and line.get("seconds")]
    return float(done[-1]["bytes"]) / float(done[-1]["seconds"]) if done else None
