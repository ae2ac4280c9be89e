"""keys: the keys that values are sealed with, and the values under each."""

import time
from collections import Counter
from typing import Annotated, Any

import typer
from django.core.exceptions import ImproperlyConfigured
from django_typer.management import command

from healthrecords.cli import Group, Result, counted, progress, verb
from healthrecords.crypto import keys as rings
from healthrecords.crypto import known, rotation
from healthrecords.crypto.columns import NO_ENVELOPE, census
from healthrecords.crypto.creation import announce_key, create_key, promote_key
from healthrecords.crypto.models import SealingKey
from healthrecords.crypto.verification import verify, wrong_indexes

All = Annotated[bool, typer.Option("--all", help="Open every value, not a sample of each column.")]
Index = Annotated[bool, typer.Option("--index", help="The index key file: what sealed values are looked up by.")]
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
        rows = [_row(key, total[key], held, current, rings.FIELD) for key in _in_order(held, total)]
        indexes, faults = _index_rows(), _faults(total, held)
        summary = f"{counted(total.total(), 'value')} under {counted(len(held), 'key')}; {current} is current."
        data = {"keys": rows, "index_keys": indexes, "columns": columns}
        return Result(" ".join([summary, *faults]), data, _outcome(faults))

    @command()
    @verb(changes=True)
    def create(self, index: Index = False) -> Result:
        """Add a key to the field key file; new values are sealed with it from then on. With --index likewise."""
        known.remember_keys()
        file = rings.INDEX if index else rings.FIELD
        key_id = _introduced(file) if index else create_key(file)
        known.remember_keys()
        summary = (
            f"Created the key {key_id}; running processes follow within {rings.LOOK_EVERY:.0f} seconds. Copy "
            f"{file.path} to where its copies are kept now, then run keys rotate{' --index' if index else ''}."
        )
        return Result(summary, {"key": key_id})

    @command()
    @verb(changes=True)
    def rotate(self, index: Index = False) -> Result:
        """Put every value under the current key, while the server serves; run it again if it was stopped."""
        rotation.refuse_without_owner()
        known.remember_keys()
        file = rings.INDEX if index else rings.FIELD
        current = file.ring().current.hex()
        with progress("Renewing", rotation.left_over(file)) as advance:
            resealed, broken = rotation.rotate(advance, file)
        left = rotation.left_over(file)
        if not left and not index:  # searches in the trail are proven by older index keys
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
        wrong = wrong_indexes(everything)
        counts = _totals()  # afterwards, since values may have come while they were opened
        bare = counts[NO_ENVELOPE]
        summary = f"Opened {opened} of {counted(counts.total(), 'value')}; {bare} without an envelope."
        data = {"opened": opened, "values": counts.total(), "without_envelope": bare, "broken": broken[:SHOWN]}
        data |= {"wrong_index": wrong[:SHOWN]}
        unfound = f" {counted(len(wrong), 'value')} with a wrong index: nobody finds them." if wrong else ""
        return Result(
            summary + _unopened(len(broken)) + unfound, data, "problem" if broken or bare or wrong else "good"
        )


def _totals() -> Counter[str]:
    """How many values are under each key, in all columns together."""
    return sum(census().values(), Counter[str]())


def _in_order(held: list[str], total: Counter[str]) -> list[str]:
    return [*held, *sorted(key for key in total if key not in held and key != NO_ENVELOPE)]


def _introduced(file: rings.KeyFile) -> str:
    """Let every process look values up by a new key before the first writes with it, so that no lookup fails."""
    key_id = announce_key(file)
    time.sleep(2 * rings.LOOK_EVERY)
    promote_key(file, key_id)
    return key_id


def _index_rows() -> list[dict[str, Any]]:
    """The index keys; what no key of the file begins was written before an index named its key."""
    ring, total = rings.index_keys(), sum(census(file=rings.INDEX).values(), Counter[str]())
    current, held = ring.current.hex(), [key.hex() for key in ring.keys]
    rows = [_row(key, total[key], held, current, rings.INDEX) for key in held]
    unnamed = sum(number for key, number in total.items() if key not in held)
    return [*rows, {"key": "none named", "state": "older", "values": unnamed, "first_used": None}] if unnamed else rows


def _row(key: str, number: int, held: list[str], current: str, file: rings.KeyFile) -> dict[str, Any]:
    row = SealingKey.objects.filter(purpose=file.purpose, key_id=key).first()
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
