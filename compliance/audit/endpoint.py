"""The witness as an HTTPS service: takes statements by POST and answers with a receipt, and shows them by GET.

docs/security/witness.py is such a service, and the description of what it must do. The address goes through
healthrecords.outgoing: a private one must be listed in HEALTHCARE_OUTGOING_ALLOW.
"""

from collections.abc import Iterable, Iterator
from hashlib import sha256
from urllib.parse import urlencode

import orjson
from django.conf import settings

from compliance.audit.heads import Head
from compliance.audit.places import Differs, PlaceFault
from healthrecords import outgoing

_PAGE = 500  # statements that are asked for at once, about half a megabyte


class Endpoint:
    """Statements go as lines, the same bytes that a directory would hold as files."""

    name, at_most_every = "witness", 0.0

    def __init__(self, url: str) -> None:
        self.url = url

    def put(self, statements: list[Head]) -> None:
        body = b"".join(head.document() for head in statements)
        reply = self._ask("POST", self.url, body)
        if reply.status == 409:
            raise Differs(f"It holds another statement than {statements[0].row.number} to {statements[-1].row.number}.")
        if reply.status not in (200, 201):
            raise PlaceFault(f"It answered with {reply.status} instead of a receipt.")
        if _receipt(reply.body) != sha256(body).hexdigest():
            raise PlaceFault("Its receipt is not for what was sent.")

    def held(self, statements: Iterable[Head]) -> Iterator[tuple[Head, bytes | None]]:
        """By pages where statements follow each other, one by one where they do not."""
        wanted = list(statements)
        numbers = {head.row.number for head in wanted}
        page: dict[int, bytes] = {}
        epoch = upto = 0
        for head in wanted:
            number = head.row.number
            if number > upto or head.row.epoch != epoch:
                most = _PAGE if number + 1 in numbers else 1
                epoch, upto = head.row.epoch, number + most - 1
                page = self._page(epoch, number - 1, most)
            yield head, page.get(number)

    def beyond(self, epoch: int, number: int) -> bool:
        return bool(self._page(epoch, number, 1))

    def _page(self, epoch: int, after: int, most: int) -> dict[int, bytes]:
        """The statements of an epoch after a number, at most so many, by number."""
        query = urlencode({"epoch": epoch, "after": after, "most": most})
        reply = self._ask("GET", f"{self.url}?{query}")
        if reply.status != 200:
            raise PlaceFault(f"It answered with {reply.status} when asked for statements.")
        try:
            return {_number(line): line for line in reply.body.splitlines(keepends=True)}
        except (ValueError, KeyError, TypeError):
            raise PlaceFault("It answered with something else than statements.") from None

    def _ask(self, method: str, url: str, body: bytes | None = None) -> outgoing.Reply:
        headers = {"Content-Type": "application/x-ndjson"} if body else {}
        if settings.AUDIT_WITNESS_TOKEN:
            headers["Authorization"] = f"Bearer {settings.AUDIT_WITNESS_TOKEN}"
        try:
            return outgoing.fetch(url, method=method, body=body, headers=headers, most=4 * outgoing.MOST)
        except outgoing.OutgoingError as fault:
            raise PlaceFault(str(fault)) from None


def _number(line: bytes) -> int:
    return int(orjson.loads(orjson.loads(line)["statement"])["number"])


def _receipt(body: bytes) -> str:
    """The hash that a receipt names."""
    try:
        return str(orjson.loads(body)["sha256"])
    except (ValueError, KeyError, TypeError):
        return ""
