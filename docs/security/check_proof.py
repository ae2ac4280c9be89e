"""Checks that an event stands in an audit trail as it was sealed, against the statement that a witness holds.

    python check_proof.py PROOF STATEMENT [PUBLIC_KEY]

PROOF is the output of `audit prove EVENT`. STATEMENT is the file that it names under `witness_file`, fetched from the
witness (for a mailbox: the line of the message that has its number). PUBLIC_KEY is the key that you were given on
another way, 64 hex digits; without it the key in PROOF is used and printed. Needs Python and `cryptography` alone.
"""

import json
import sys
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def root(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root of an RFC 6962 tree of `size` leaves in which `leaf` is number `index`."""
    at, last = sha256(b"\x00" + leaf).digest(), size - 1
    if not 0 <= index < size:
        raise ValueError("the tree has no such leaf")
    while last:
        if index % 2 or index < last:
            step = path.pop(0)
            at = sha256(b"\x01" + (step + at if index % 2 else at + step)).digest()
        index, last = index // 2, last // 2
    if path:
        raise ValueError("the path is too long")
    return at


def check(proof: dict, held: dict, key: str) -> None:
    """Raise ValueError with what is wrong."""
    if held["statement"] != proof["statement"]:
        raise ValueError("the witness holds another statement than the proof")
    Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(
        bytes.fromhex(held["signature"]), held["statement"].encode()
    )
    said = json.loads(held["statement"])
    found = root(proof["leaf"].encode(), proof["index"], proof["size"], [bytes.fromhex(each) for each in proof["path"]])
    if found.hex() != said["root"] or proof["size"] != said["count"]:
        raise ValueError("the event is not in the tree of the statement")
    if proof["event"] != proof["leaf"].split("\t")[3]:
        raise ValueError("the leaf is of another event")
    print(f"Event {proof['event']} stands as it was sealed at {said['time']} by statement {said['number']}.")
    print(f"Signed by the key {key}. As sealed: {proof['leaf']}")


try:
    proof = json.loads(Path(sys.argv[1]).read_text())
    proof = proof.get("proof", proof)
    check(proof, json.loads(Path(sys.argv[2]).read_text()), (sys.argv[3:] or [proof["public_key"]])[0])
except (OSError, ValueError, LookupError, TypeError, AttributeError, InvalidSignature) as fault:
    sys.exit(f"Not proven: {str(fault) or 'the signature is not of this key'}")
