"""Proves that one event stands in the trail as it was sealed, to somebody who has no access to the database.

The proof goes with docs/security/check_proof.py, which needs it and the statement that a witness holds.
"""

from typing import Any
from uuid import UUID

import orjson
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.core.exceptions import ValidationError
from django.db import transaction

from compliance.audit import heads, merkle
from compliance.audit.heads import Head
from compliance.audit.leaves import events, snapshot
from compliance.phi_access.models import AccessEvent
from healthrecords import trail
from healthrecords.access.request import AccessRequest


class Proof(dict[str, Any]):
    """What a stranger needs: the leaf as text, its place and path in the tree, and the signed statement."""

    def __str__(self) -> str:
        return orjson.dumps(self, option=orjson.OPT_INDENT_2).decode()


def prove(event: str, by: AccessRequest) -> Proof:
    """The inclusion proof of an event by its id; telling it leaves a row.

    Raises ValidationError for an event that is not there, not sealed yet, or no longer as it was sealed.
    """
    row = _row(event)
    head = heads.covering(row.epoch, row.txid, row.time)
    if head is None:
        raise ValidationError(f"Event {row.uuid} is not sealed yet; `audit seal` seals what is finished.")
    proof = _proof(str(row.uuid), head)
    with transaction.atomic():
        trail.record(by.to("read", "AccessEvent"), [trail.Fact("read", detail=f"proof of event {row.uuid}")])
    return proof


def _row(event: str) -> AccessEvent:
    try:
        row = AccessEvent.objects.filter(uuid=UUID(event)).first()
    except ValueError:
        raise ValidationError(f"'{event}' is no id of an event; `audit export` lists them.") from None
    if row is None:
        raise ValidationError(f"There is no event {event}.")
    return row


def _proof(event: str, head: Head) -> Proof:
    with snapshot() as cursor:
        batch = list(events(cursor, head.said["covers"], head.said["from"], head.said["to"]))
    hashes = [merkle.leaf_hash(each.line) for each in batch]
    if merkle.root(hashes).hex() != head.said["root"] or not heads.is_signed(head, heads.public_keys()):
        raise ValidationError(f"Statement {head.row.number}, which seals the event, does not verify; `audit verify`.")
    index = next(at for at, each in enumerate(batch) if each.uuid == event)
    public = heads.public_keys()[head.row.key].public_bytes(Encoding.Raw, PublicFormat.Raw)
    return Proof(
        event=event,
        leaf=batch[index].line.decode(),
        index=index,
        size=len(batch),
        path=[step.hex() for step in merkle.path(hashes, index)],
        statement=head.row.body,
        signature=bytes(head.row.signature).hex(),
        public_key=public.hex(),
        witness_file=head.name,
    )
