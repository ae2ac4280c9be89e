"""What is to become of one resource: facts in, decision out."""

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["created", "updated", "unchanged", "kept", "failed"]
OUTCOMES: tuple[Outcome, ...] = ("created", "updated", "unchanged", "kept", "failed")


@dataclass(frozen=True)
class Stored:
    """What is known of the record that holds an id: who brought it, with what content, and its version then and now."""

    source: str
    digest: bytes | None
    imported_version: int | None
    version: int


def decide(source: str, digest: bytes, stored: Stored | None, replaced: bool, overwrite: bool) -> tuple[Outcome, str]:
    """Return the outcome of an import, and why where it is a failure.

    An id of another source is never taken over. A content that the import brought before changes nothing, also when
    a later one replaced it (`replaced`), so that the same files twice leave everything as it is. A record that was
    edited here since is not overwritten in silence. `overwrite` sets the last two aside.
    """
    if stored is None:
        return "created", ""
    if stored.source != source:
        return "failed", f"The id is held by a record of another source ({stored.source.partition(':')[0]})."
    if stored.digest == digest and not (overwrite and stored.version != stored.imported_version):
        return "unchanged", ""
    if replaced and not overwrite:
        return "unchanged", ""
    if stored.version != stored.imported_version and not overwrite:
        return "failed", "The record was changed here since it was imported; --overwrite replaces it."
    return "updated", ""
