"""Ports on 127.0.0.1: the one that is asked for, and free ones for the stores, kept from start to start."""

import errno
import json
import random
import socket
from pathlib import Path

from .faults import CannotStart

# Below the range that outgoing connections draw from, so that a port stays free between a stop and a start.
_RANGE = range(20000, 32000)


def web_port(text: str) -> int:
    """Return HEALTHCARE_PORT as a number; raise CannotStart if it is none."""
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise CannotStart(f"HEALTHCARE_PORT is {text!r}; it must be a number from 1 to 65535.")
    return int(text)


def refuse_taken(port: int) -> None:
    """Raise CannotStart if the server could not listen on `port`."""
    fault = _bind_fault(port)
    if fault == errno.EADDRINUSE:
        raise CannotStart(f"Port {port} is in use; stop what listens there or choose another with HEALTHCARE_PORT.")
    if fault:
        raise CannotStart(
            f"Port {port} cannot be used ({errno.errorcode[fault]}); choose another with HEALTHCARE_PORT."
        )


def kept_ports(file: Path, names: tuple[str, ...]) -> dict[str, int]:
    """Return a free port for each name: the one in `file` if it is still free, else a new one, which is kept."""
    before = json.loads(file.read_text()) if file.is_file() else {}
    ports: dict[str, int] = {}
    for name in names:
        kept = before.get(name)
        ports[name] = kept if kept and not _bind_fault(kept) else _free_port(set(ports.values()))
    file.write_text(json.dumps(ports, indent=1))
    return ports


def _free_port(taken: set[int]) -> int:
    tried = random.sample(_RANGE, len(_RANGE))  # nosec B311  a free port is no secret
    return next(port for port in tried if port not in taken and not _bind_fault(port))


def _bind_fault(port: int) -> int:
    """Return the errno that listening on `port` meets, 0 for none."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError as fault:
            return fault.errno or errno.EINVAL
    return 0
