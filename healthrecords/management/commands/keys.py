"""keys: the keys that values are sealed with, and the values under each."""

from collections import Counter
from typing import Annotated, Any

import typer
from django.core.exceptions import ImproperlyConfigured
from django_typer.management import command

from healthrecords.cli import Group, Result, counted, progress, verb
from healthrecords.crypto import keys as rings
from healthrecords.crypto import known, rotation
from healthrecords.crypto.columns import NO_ENVELOPE, census
from healthrecords.crypto.creation import create_key
from healthrecords.crypto.models import SealingKey
from healthrecords.crypto.verification import verify

All = Annotated[bool, typer.Option("--all", help="Open every value, not a sample of each column.")]
SHOWN = 20  # places that a verb names; more are counted


class Command(Group):
    help = "Keys of sealed values: status, create, rotate, verify."
    opens_sealed = False

    @command()
    @verb()
    def status(self) -> Result:
        """Show the keys by id, which one is current, and how many values are under each; never a key itself."""
        counts, ring = census(), rings.field_keys()
        current, held = ring.current.hex(), [key.hex() for key in ring.keys]
        columns = [
            {"column": place, "key": key or "no envelope", "values": number}
            for place, numbers in counts.items()
            for key, number in sorted(numbers.items())
        ]
        total = sum(counts.values(), Counter[str]())
        rows = [_row(key, total[key], held, current) for key in _in_order(held, total)]
        faults = _faults(total, held)
        summary = f"{counted(total.total(), 'value')} under {counted(len(held), 'key')}; {current} is current."
        return Result(" ".join([summary, *faults]), {"keys": rows, "columns": columns}, _outcome(faults))

    @command()
    @verb(changes=True)
    def create(self) -> Result:
        """Add a key to the field key file; new values are sealed with it from then on."""
        known.remember_keys()
        key_id = create_key(rings.FIELD)
        known.remember_keys()
        summary = (
            f"Created the key {key_id}; running processes follow within {rings.LOOK_EVERY:.0f} seconds. Copy "
            f"{rings.FIELD.path} to where its copies are kept now, then run keys rotate."
        )
        return Result(summary, {"key": key_id})

    @command()
    @verb(changes=True)
    def rotate(self) -> Result:
        """Put every value under the current key, while the server serves; run it again if it was stopped."""
        rotation.refuse_without_owner()
        known.remember_keys()
        current = rings.field_keys().current.hex()
        with progress("Re-sealing", rotation.left_over()) as advance:
            resealed, broken = rotation.rotate(advance)
        left = rotation.left_over()
        if not left:
            _retire_all_but(current)
        data = {"key": current, "resealed": resealed, "left": left, "broken": sorted(broken)[:SHOWN]}
        summary = f"Put {counted(resealed, 'value')} under the key {current}; {left} left under older keys."
        return Result(summary + _unopened(len(broken)), data, "problem" if left else "good")

    @command(name="verify")
    @verb()
    def verify_(self, everything: All = False) -> Result:
        """Open a sample of the sealed values, or all; find those that do not open or have no envelope."""
        with progress("Opening", _totals().total() if everything else None) as advance:
            opened, broken = verify(everything, advance)
        counts = _totals()  # afterwards, since values may have come while they were opened
        bare = counts[NO_ENVELOPE]
        summary = f"Opened {opened} of {counted(counts.total(), 'value')}; {bare} without an envelope."
        data = {"opened": opened, "values": counts.total(), "without_envelope": bare, "broken": broken[:SHOWN]}
        return Result(summary + _unopened(len(broken)), data, "problem" if broken or bare else "good")


def _totals() -> Counter[str]:
    """How many values are under each key, in all columns together."""
    return sum(census().values(), Counter[str]())


def _in_order(held: list[str], total: Counter[str]) -> list[str]:
    return [*held, *sorted(key for key in total if key not in held and key != NO_ENVELOPE)]


def _row(key: str, number: int, held: list[str], current: str) -> dict[str, Any]:
    row = SealingKey.objects.filter(purpose=rings.FIELD.purpose, key_id=key).first()
    state = "current" if key == current else "older" if key in held else "missing"
    return {"key": key, "state": state, "values": number, "first_used": row and row.first_used_at}


def _faults(total: Counter[str], held: list[str]) -> list[str]:
    """What is wrong, a sentence each."""
    found = []
    if missing := sum(number for key, number in total.items() if key not in (*held, NO_ENVELOPE)):
        found.append(f"{counted(missing, 'value')} cannot be opened: the key file lacks their key.")
    if total[NO_ENVELOPE]:
        found.append(f"{counted(total[NO_ENVELOPE], 'value')} without an envelope; keys verify names them.")
    try:
        known.compare_keys()
    except ImproperlyConfigured as fault:
        found.append(str(fault))
    return found


def _outcome(faults: list[str]) -> Any:
    return "problem" if faults else "good"


def _retire_all_but(current: str) -> None:
    older = SealingKey.objects.filter(purpose=rings.FIELD.purpose, retired_at=None).exclude(key_id=current)
    known.retire(list(older.values_list("key_id", flat=True)))


def _unopened(number: int) -> str:
    return f" {counted(number, 'value')} did not open." if number else ""
