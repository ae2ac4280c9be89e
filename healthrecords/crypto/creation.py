"""Adds a key to a key file, whole or not at all."""

import base64
import fcntl
import os
import secrets
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from .keys import KeyFile, KeyRing


def create_key(file: KeyFile) -> str:
    """Put a new key on the first line of `file` and return its id; raise ImproperlyConfigured if that cannot be.

    From then on new values are sealed with it; the older keys stay, and open what they have sealed.
    """
    key_id, line = _new_line(file)
    _rewrite(file, lambda lines: [line, *lines])
    return key_id


def announce_key(file: KeyFile) -> str:
    """Put a new key on the last line of `file` and return its id: lookups try it, nothing is written with it yet."""
    key_id, line = _new_line(file)
    _rewrite(file, lambda lines: [*lines, line])
    return key_id


def promote_key(file: KeyFile, key_id: str) -> None:
    """Move a key to the first line of `file`, so that new values are written with it."""
    _rewrite(file, lambda lines: sorted(lines, key=lambda line: not line.startswith(f"{key_id}:")))


def _new_line(file: KeyFile) -> tuple[str, str]:
    file.forget()
    key_id = _unused_id(file.ring())  # refuses a file that is malformed or that others may read
    return key_id, f"{key_id}:{base64.b64encode(secrets.token_bytes(32)).decode()}"


def _rewrite(file: KeyFile, change: Callable[[list[str]], list[str]]) -> None:
    path = file.path.resolve()
    try:
        with _alone_in(path.parent):
            lines = [line for line in path.read_text(encoding="ascii").splitlines() if line.strip()]
            _replace(path, "".join(f"{line}\n" for line in change(lines)))
    except OSError as fault:
        raise ImproperlyConfigured(
            f"{file.setting} names {file.path}, which cannot be written here ({fault.strerror}); "
            "docs/security/keys.md says how to add a key on the host."
        ) from None
    file.forget()


def _unused_id(ring: KeyRing) -> str:
    while bytes.fromhex(key_id := secrets.token_hex(4)) in ring.keys:
        pass
    return key_id


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Two that add a key at once would lose one of the two."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
        os.fsync(handle)
    finally:
        os.close(handle)


def _replace(path: Path, text: str) -> None:
    """Write a new file beside `path`, with its owner and mode, and let it take the place."""
    facts = path.stat()
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as new:
            os.fchown(new.fileno(), facts.st_uid, facts.st_gid)
            os.fchmod(new.fileno(), stat.S_IMODE(facts.st_mode))
            new.write(text)
            new.flush()
            os.fsync(new.fileno())
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
