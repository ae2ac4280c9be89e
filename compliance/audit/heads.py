"""The signed statements of the chain: what is signed, by which key, and what holds between one and the next.

A statement is the JSON text that is signed (keys in order, no white space). Each names the SHA-256 of the one before,
so that a statement vouches for all before it.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from compliance.audit.models import AuditSeal
from healthrecords.crypto import keys

TYPE = "healthrecords audit statement 1"
NOTHING = "0" * 64  # what the first statement names as the one before
END = 2**63 - 1  # after every transaction
AHEAD = timedelta(seconds=5)  # how far an event's clock may be ahead of its seal's
SEAL, EPOCH, REMOVAL = "seal", "epoch", "removal"


@dataclass(frozen=True)
class Head:
    """A statement read back; `said` is what its body says, whatever the columns beside it claim."""

    row: AuditSeal
    said: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, row: AuditSeal) -> "Head":
        """Read a row; one whose body is no statement says nothing, and verification finds that."""
        try:
            said = orjson.loads(row.body)
        except orjson.JSONDecodeError:
            said = {}
        return cls(row, said if isinstance(said, dict) else {})

    @property
    def digest(self) -> str:
        """The hash of the statement, which the next one names."""
        return sha256(self.row.body.encode()).hexdigest()

    @property
    def name(self) -> str:
        """Where a place outside keeps the statement; a new epoch never meets the files of the one before."""
        return name(self.row.epoch, self.row.number)

    @property
    def begins(self) -> int:
        """The transaction at which the next batch begins; a new epoch starts over."""
        return 0 if self.said["kind"] == EPOCH else int(self.said["to"])

    def document(self) -> bytes:
        """What is shipped: the statement, its signature, and the public key that checks it."""
        shipped = {"statement": self.row.body, "signature": bytes(self.row.signature).hex(), "key": self.row.key}
        return orjson.dumps(shipped, option=orjson.OPT_SORT_KEYS) + b"\n"


def name(epoch: int, number: int) -> str:
    """The name of a statement at a place outside; such names sort as the statements do."""
    return f"{epoch:04d}/{number:012d}.json"


def private_keys() -> tuple[str, dict[str, Ed25519PrivateKey]]:
    """The id of the key that signs, and all keys by id; raise ImproperlyConfigured where this process has none."""
    if not settings.AUDIT_KEY_FILE:
        raise ImproperlyConfigured(
            "HEALTHCARE_AUDIT_KEY_FILE is not set; sealing and verifying need the key that signs the trail."
        )
    ring = keys.AUDIT.ring()
    return ring.current.hex(), {k.hex(): Ed25519PrivateKey.from_private_bytes(v) for k, v in ring.keys.items()}


def public_keys() -> dict[str, Ed25519PublicKey]:
    """The public keys by id, from the key file alone: what the database says of keys proves nothing."""
    return {name: key.public_key() for name, key in private_keys()[1].items()}


def signed(said: dict[str, Any], leaves: bytes = b"") -> AuditSeal:
    """The row of a new statement, signed with the current key."""
    current, known = private_keys()
    body = orjson.dumps({"type": TYPE, "key": current, **said}, option=orjson.OPT_SORT_KEYS).decode()
    return AuditSeal(
        number=said["number"],
        epoch=said["epoch"],
        kind=said["kind"],
        time=said["time"],
        count=said["count"],
        body=body,
        hash=sha256(body.encode()).digest(),
        key=current,
        signature=known[current].sign(body.encode()),
        leaves=leaves,
    )


def is_signed(head: Head, known: dict[str, Ed25519PublicKey]) -> bool:
    """Whether one of our keys has signed the statement."""
    key = known.get(head.row.key)
    if key is None:
        return False
    try:
        key.verify(bytes(head.row.signature), head.row.body.encode())
    except InvalidSignature:
        return False
    return True


def last() -> Head | None:
    """The newest statement."""
    row = AuditSeal.objects.using("sealer").defer("leaves").order_by("-number").first()
    return Head.of(row) if row else None


def covering(epoch: int, txid: int, time: datetime) -> Head | None:
    """The statement that seals an event of this transaction and time; None while there is none."""
    rows = AuditSeal.objects.using("sealer").defer("leaves").filter(time__gte=time - AHEAD).exclude(kind=REMOVAL)
    for head in map(Head.of, rows.order_by("number").iterator()):
        if head.said["covers"] == epoch and head.said["from"] <= txid < head.said["to"]:
            return head
    return None
