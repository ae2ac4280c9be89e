"""The part of clamd's protocol that is needed: INSTREAM, with time limits, its answers taken by the letter.

Anything but `OK` and `NAME FOUND` is no verdict: an unknown answer, a size limit, a dropped connection, silence.
"""

import re
import socket
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Self

CONNECT = 2.0  # seconds
SEND = 10.0  # seconds for clamd to take a piece
ANSWER = 60.0  # seconds to look at what it was sent; clamd's own MaxScanTime is 120
_LONGEST = 512  # bytes of an answer
_FOUND = re.compile(r"stream: ([!-~]{1,200}) FOUND")


class ScannerFault(Exception):
    """There is no verdict; the text is one sentence that says why."""


class Unreachable(ScannerFault):
    """Nobody answers at the scanner's address."""


@dataclass(frozen=True)
class Verdict:
    """What clamd says of content: the name of what it found, or nothing."""

    threat: str = ""


class Stream(AbstractContextManager["Stream"]):
    """One content on its way to clamd at `unix:/path` or `tcp://host:port`; raises ScannerFault at every step."""

    def __init__(self, address: str) -> None:
        self._socket = _connected(address)
        self._put(b"zINSTREAM\0")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, piece: bytes) -> None:
        """Send some of the content."""
        if piece:  # a piece of no bytes is the end
            self._put(len(piece).to_bytes(4) + piece)

    def verdict(self) -> Verdict:
        """End the content and return what clamd says of it."""
        self._put(bytes(4))
        return _verdict(self._answer())

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _put(self, data: bytes) -> None:
        self._socket.settimeout(SEND)
        try:
            self._socket.sendall(data)
        except TimeoutError:
            raise ScannerFault("The virus scanner does not take the content in time.") from None
        except OSError:
            raise ScannerFault(self._last_words()) from None

    def _last_words(self) -> str:
        """Why clamd hung up in the middle, if it says so."""
        try:
            _verdict(self._answer())
        except ScannerFault as fault:
            return str(fault)
        return "The virus scanner answered before it had everything."

    def _answer(self) -> str:
        self._socket.settimeout(ANSWER)
        got = b""
        try:
            while not got.endswith(b"\0") and len(got) < _LONGEST and (more := self._socket.recv(_LONGEST)):
                got += more
        except TimeoutError:
            raise ScannerFault("The virus scanner gave no verdict in time.") from None
        except OSError:
            raise ScannerFault("The virus scanner hung up.") from None
        return got.decode("ascii", "replace")


def scan(address: str, pieces: Iterable[bytes]) -> Verdict:
    """Return what clamd says of a whole content; raise ScannerFault, and whatever the pieces raise."""
    with Stream(address) as stream:
        for piece in pieces:
            stream.send(piece)
        return stream.verdict()


def reach(address: str) -> None:
    """Raise ScannerFault unless clamd answers a PING with PONG."""
    connection = _connected(address)
    with connection:
        try:
            connection.settimeout(CONNECT)
            connection.sendall(b"zPING\0")
            answer = connection.recv(16)
        except OSError:
            raise Unreachable("The virus scanner does not answer.") from None
    if answer != b"PONG\0":
        raise Unreachable("What answers at HEALTHCARE_CLAMAV is no virus scanner.")


def _connected(address: str) -> socket.socket:
    kind, _, place = address.partition(":")
    try:
        if kind == "tcp":
            host, _, port = place.removeprefix("//").rpartition(":")
            return socket.create_connection((host.strip("[]"), int(port)), CONNECT)
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(CONNECT)
        connection.connect(place)
    except OSError:
        raise Unreachable("The virus scanner does not answer.") from None
    return connection


def _verdict(answer: str) -> Verdict:
    text = answer.removesuffix("\0")
    if not answer.endswith("\0"):
        raise ScannerFault("The virus scanner hung up." if not text else "The virus scanner's answer is cut off.")
    if text == "stream: OK":
        return Verdict()
    if found := _FOUND.fullmatch(text):
        return Verdict(found[1])
    if text.startswith("INSTREAM size limit exceeded"):
        raise ScannerFault("The content is larger than the virus scanner takes; raise its StreamMaxLength.")
    raise ScannerFault("The virus scanner gave an answer that is no verdict.")
