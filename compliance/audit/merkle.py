"""The Merkle tree of RFC 6962 §2.1 with SHA-256: roots, inclusion paths, and their check."""

from collections.abc import Iterable, Sequence
from hashlib import sha256

EMPTY = sha256().digest()


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of a leaf, apart from that of any node."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees."""
    return sha256(b"\x01" + left + right).digest()


def root(hashes: Sequence[bytes]) -> bytes:
    """The root over leaf hashes; a node without a partner rises as it is, which is the RFC's split."""
    level = list(hashes)
    while len(level) > 1:
        odd = [level[-1]] if len(level) % 2 else []
        pairs: Iterable[tuple[bytes, bytes]] = zip(level[::2], level[1::2], strict=False)
        level = [sha256(b"\x01" + left + right).digest() for left, right in pairs] + odd
    return level[0] if level else EMPTY


def path(hashes: Sequence[bytes], index: int) -> list[bytes]:
    """The audit path of the leaf at `index`, from its neighbor upwards (§2.1.1)."""
    level, found = list(hashes), []
    while len(level) > 1:
        neighbor = index ^ 1
        if neighbor < len(level):
            found.append(level[neighbor])
        odd = [level[-1]] if len(level) % 2 else []
        level = [node_hash(*pair) for pair in zip(level[::2], level[1::2], strict=False)] + odd
        index //= 2
    return found


def root_by_path(leaf: bytes, index: int, size: int, steps: Sequence[bytes]) -> bytes:
    """The root that a leaf hash and its path lead to in a tree of `size` leaves; raise ValueError if they cannot."""
    if not 0 <= index < size:
        raise ValueError(f"There is no leaf {index} in a tree of {size}.")
    at, last, steps = leaf, size - 1, list(steps)
    while last:
        if index % 2 or index < last:
            if not steps:
                raise ValueError("The path is too short.")
            step = steps.pop(0)
            at = node_hash(step, at) if index % 2 else node_hash(at, step)
        index, last = index // 2, last // 2
    if steps:
        raise ValueError("The path is too long.")
    return at
