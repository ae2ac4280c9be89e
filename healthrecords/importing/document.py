"""One large JSON document, read member by member: a Bundle of any size at flat memory."""

from collections.abc import Callable, Iterator
from typing import Any

from healthrecords.jsontext import BadJSON, UnfinishedJSON, parse_next

_CHUNK = 1 << 20
_LONGEST = 64 * _CHUNK  # characters of one entry
_SPACE = " \t\r\n"


class _Text:
    """A window on a text that grows until it holds a whole value."""

    def __init__(self, read: Callable[[int], str]) -> None:
        self._read, self._buffer, self._at, self._ended = read, "", 0, False

    def peek(self) -> str:
        """The next character that is no white space; empty at the end."""
        while True:
            while self._at < len(self._buffer) and self._buffer[self._at] in _SPACE:
                self._at += 1
            if self._at < len(self._buffer) or self._ended:
                return self._buffer[self._at : self._at + 1]
            self._grow()

    def take(self, expected: str) -> str:
        """Consume the next character, which must be one of `expected`."""
        found = self.peek()
        if not found or found not in expected:
            raise BadJSON(f"Not JSON: one of {' '.join(expected)} is expected, but {'the file ends' * (not found)}.")
        self._at += 1
        return found

    def value(self) -> Any:
        """Consume the next value."""
        self.peek()
        while True:
            try:
                value, end = parse_next(self._buffer, self._at)
                if end < len(self._buffer) or self._ended:
                    self._at = end
                    return value
            except UnfinishedJSON:
                if self._ended or len(self._buffer) - self._at > _LONGEST:
                    raise
            self._grow()

    def _grow(self) -> None:
        rest = self._buffer[self._at :]
        more = self._read(max(_CHUNK, len(rest)))
        self._buffer, self._at, self._ended = rest + more, 0, not more


def members(read: Callable[[int], str]) -> Iterator[tuple[str, Any]]:
    """The members of the one JSON object that `read` gives; those of a list `entry` one by one; raise BadJSON."""
    text = _Text(read)
    text.take("{")
    more = text.peek() != "}" or text.take("}") != "}"
    while more:
        name = text.value()
        text.take(":")
        if name == "entry" and text.peek() == "[":
            yield from (("entry", value) for value in _items(text))
        else:
            yield name, text.value()
        more = text.take(",}") == ","
    if text.peek():
        raise BadJSON("Not JSON: more text follows the end of the object.")


def _items(text: _Text) -> Iterator[Any]:
    text.take("[")
    if text.peek() == "]":
        text.take("]")
        return
    yield text.value()
    while text.take(",]") == ",":
        yield text.value()
