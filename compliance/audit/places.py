"""Where statements are kept outside the database: the object store, and the witness that HEALTHCARE_WITNESS names.

A place takes each statement once, under a name of its own, and is never asked to change one. What it holds can be
compared with the database later: whoever rewrites the database would have to rewrite every place as well.
"""

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage, get_connection

from compliance.audit import heads
from compliance.audit.heads import Head


class PlaceFault(Exception):
    """The place did not take or tell a statement; the text says why, in a sentence."""


class Differs(PlaceFault):
    """The place holds another statement under that name: one of the two histories is false."""


class Place(Protocol):
    """A keeper of statements."""

    name: str
    at_most_every: float  # seconds between two deliveries; 0: each statement at once

    def put(self, statements: list[Head]) -> None:
        """Keep statements; raise Differs where another is kept under the name, PlaceFault where it cannot be kept."""
        ...

    def held(self, statements: Iterable[Head]) -> Iterator[tuple[Head, bytes | None]]:
        """What the place holds for each statement, None for nothing; raise PlaceFault if it cannot tell."""
        ...

    def beyond(self, epoch: int, number: int) -> bool:
        """Whether it holds a statement of the epoch after this one."""
        ...


class Directory:
    """Files in a directory, best on another machine: each is created once and never written again."""

    name, at_most_every = "witness", 0.0

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, statements: list[Head]) -> None:
        for head in statements:
            path = self.folder / head.name
            try:
                path.parent.mkdir(exist_ok=True)
                _write_once(path, head.document())
            except FileExistsError:
                if path.read_bytes() != head.document():
                    raise Differs(f"{path} holds another statement {head.row.number}.") from None
            except OSError as fault:
                raise PlaceFault(f"{path} cannot be written ({fault.strerror}).") from None

    def held(self, statements: Iterable[Head]) -> Iterator[tuple[Head, bytes | None]]:
        if not self.folder.is_dir():
            raise PlaceFault(f"{self.folder} is not there.")
        for head in statements:
            path = self.folder / head.name
            yield head, path.read_bytes() if path.is_file() else None

    def beyond(self, epoch: int, number: int) -> bool:
        path = self.folder / heads.name(epoch, number)
        return path.parent.is_dir() and any(each.name > path.name for each in path.parent.glob("*.json"))


class Mailbox:
    """A mailbox that others keep: all statements since the last message in one, at most every quarter of an hour."""

    name, at_most_every = "witness", 900.0

    def __init__(self, address: str) -> None:
        self.address = address

    def put(self, statements: list[Head]) -> None:
        last = statements[-1]
        subject = f"Audit trail of {settings.ORGANIZATION_NAME}: statement {last.row.number}, {last.digest[:16]}"
        text = (
            "Keep this message. It proves what the audit trail was at this time: the last statement below names the "
            "hash of the one before, and so vouches for all before it.\n\n"
        )
        body = text + "".join(head.document().decode() for head in statements)
        try:
            EmailMessage(subject, body, to=[self.address], connection=get_connection(timeout=20)).send()
        except OSError as fault:  # SMTPException among them
            raise PlaceFault(f"The mail to the witness was not taken ({fault}).") from None

    def held(self, statements: Iterable[Head]) -> Iterator[tuple[Head, bytes | None]]:
        """A mailbox is read by people: docs/security/audit.md tells how to compare."""
        return iter(())

    def beyond(self, epoch: int, number: int) -> bool:
        return False


def witness() -> Place | None:
    """The witness that is configured; raise ImproperlyConfigured for an address of another kind."""
    if not settings.AUDIT_WITNESS:
        return None
    parts = urlsplit(settings.AUDIT_WITNESS)
    if parts.scheme == "file" and parts.path.startswith("/") and not parts.netloc:
        return Directory(Path(unquote(parts.path)))
    if parts.scheme == "mailto" and "@" in parts.path:
        return Mailbox(unquote(parts.path))
    if parts.scheme in ("https", "http") and parts.netloc and not parts.query:
        from compliance.audit.endpoint import Endpoint

        return Endpoint(settings.AUDIT_WITNESS)
    raise ImproperlyConfigured("HEALTHCARE_WITNESS must be file:///DIRECTORY, https://ADDRESS or mailto:ADDRESS.")


def places() -> list[Place]:
    """The object store, and the witness if there is one."""
    from compliance.audit.store import Store

    named = witness()
    return [Store(), *([named] if named else [])]


def _write_once(path: Path, content: bytes) -> None:
    """Create a file whole: a crash leaves none, and one that exists stays; raise FileExistsError."""
    new = path.with_name(f".{path.name}.new")
    with contextlib.suppress(FileNotFoundError):
        new.unlink()
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o440), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(new, path)
    finally:
        new.unlink()
