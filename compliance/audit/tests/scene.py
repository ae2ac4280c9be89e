"""A server that is attacked, the hands that do it, and the table that every attack is a row of."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
from django.db import connections
from django.utils import timezone

from compliance.audit import heads, merkle, shipping
from compliance.audit.leaves import entry, events, snapshot
from compliance.audit.models import AuditSeal
from compliance.audit.tests.hands import sealed, superuser

EVENTS, SEALS = "compliance_accessevent", "compliance_auditseal"
# What becomes of an attack, where it is not the name of the check that finds it.
BLOCKED, IGNORED, NOTED = "blocked", "without effect", "noted"
APP, SEALER, OWNER, TRAIL, SUPER = "application", "sealer", "owner", "owner as the trail's role", "superuser"
ATTACKS: list["Attack"] = []


@dataclass(frozen=True)
class Attack:
    """`rights` names whose; `outcome` is BLOCKED, IGNORED, NOTED or the check that finds it, `says` what is told."""

    title: str
    rights: str
    outcome: str
    says: str
    act: Callable[["Scene"], None]


def attack(title: str, rights: str, outcome: str, says: str) -> Callable[[Callable[["Scene"], None]], None]:
    """Add a function to the table."""
    return lambda act: ATTACKS.append(Attack(title, rights, outcome, says, act))


def statement(title: str, rights: str, outcome: str, says: str, *sql: str) -> None:
    """Add an attack that is SQL alone."""
    attack(title, rights, outcome, says)(lambda scene: scene.run(rights, *sql))


class Scene:
    """A server on which things happened; they were sealed and shipped to the store and to a directory as witness."""

    def __init__(self, api: Any, witness: Path) -> None:
        self.api, self.witness = api, witness
        for _ in range(2):
            api.create()
            api.get("Patient?name=jansen")
            self.sealed()

    def sealed(self) -> None:
        """Seal all and ship it."""
        sealed()
        self.shipped = shipping.ship()

    def run(self, rights: str, *sql: str) -> None:
        """Execute statements with the rights of a role, one after the other."""
        with self.hands(rights) as cursor:
            for each in sql:
                cursor.execute(each.format(events=EVENTS, seals=SEALS, month=f"{EVENTS}_{timezone.now():%Y_%m}"))

    @contextmanager
    def hands(self, rights: str) -> Iterator[Any]:
        """A cursor with the rights of a role."""
        alias = {APP: "default", SEALER: "sealer", OWNER: "owner"}.get(rights)
        if alias:
            with connections[alias].cursor() as cursor:
                yield cursor
            return
        with superuser() as cursor:
            if rights == TRAIL:
                cursor.execute("SET SESSION AUTHORIZATION healthrecords_owner; SET ROLE healthrecords_trail")
            yield cursor

    def unguarded(self, *sql: str) -> None:
        """Execute statements while the triggers are off, and put them back as they were."""
        off = [f"ALTER TABLE {t} DISABLE TRIGGER audit_refuse" for t in (EVENTS, SEALS)]
        on = [f"ALTER TABLE {t} ENABLE ALWAYS TRIGGER audit_refuse" for t in (EVENTS, SEALS)]
        self.run(SUPER, *off, *sql, *on)

    def cut(self, head: heads.Head) -> None:
        """Remove a statement, what comes after it, and all their events."""
        events_of = f"DELETE FROM {{events}} WHERE txid >= {head.said['from']}"  # noqa: S608
        self.unguarded(events_of, f"DELETE FROM {{seals}} WHERE number >= {head.row.number}")  # noqa: S608

    def rebuild(self, first: int, signed: bool, last: int | None = None, **changes: Any) -> None:
        """Rewrite statements from `first` to `last` so that roots and links fit the events as they are now."""
        rows = list(AuditSeal.objects.using("sealer").order_by("number"))
        before = next((heads.Head.of(row).digest for row in rows if row.number == first - 1), heads.NOTHING)
        for row in rows[first - 1 : last]:
            said = heads.Head.of(row).said | changes
            with snapshot() as cursor:
                found = list(events(cursor, 1, said["from"], said["to"]))
            hashes = [merkle.leaf_hash(event.line) for event in found]
            said |= {"root": merkle.root(hashes).hex(), "previous": before, "count": len(hashes)}
            made = heads.signed({name: value for name, value in said.items() if name not in ("type", "key")})
            body, signature = made.body, bytes(made.signature) if signed else bytes(row.signature)
            self._replace(row.number, body, signature, b"".join(map(entry, found, hashes)))
            before = sha256(body.encode()).hexdigest()

    def _replace(self, number: int, body: str, signature: bytes, leaves: bytes) -> None:
        with superuser() as cursor:
            cursor.execute(f"ALTER TABLE {SEALS} DISABLE TRIGGER audit_refuse")
            cursor.execute(
                "UPDATE compliance_auditseal SET body = %s, hash = %s, signature = %s, leaves = %s, count = %s "
                "WHERE number = %s",
                [body, sha256(body.encode()).digest(), signature, leaves, orjson.loads(body)["count"], number],
            )
            cursor.execute(f"ALTER TABLE {SEALS} ENABLE ALWAYS TRIGGER audit_refuse")


@contextmanager
def clock(module: Any, **ahead: float) -> Iterator[None]:
    """Let a module's clock stand so far ahead (or behind, where negative)."""

    class Clock:
        @staticmethod
        def now() -> Any:
            return timezone.now() + timedelta(**ahead)

    module.timezone = Clock
    try:
        yield
    finally:
        module.timezone = timezone
