"""Scanners for tests: clamd itself with signatures of our own, and things that answer in its place."""

import shutil
import socket
import subprocess
import threading
import time
from contextlib import contextmanager

from documents.scanning import clamd

# The EICAR test file, put together here: a scanner that sees it whole would take this file for it.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-" + b"STANDARD-ANTIVIRUS-TEST-FILE" + b"!$H+H*"


SMALL = {"StreamMaxLength": "20M", "MaxScanSize": "20M", "MaxFileSize": "20M", "SelfCheck": "3600", "ExitOnOOM": "yes"}


@contextmanager
def clamd_running(folder, options=SMALL):
    """The address of a clamd that knows the EICAR file by its text, wherever in a file it stands."""
    signatures = folder / "signatures"
    signatures.mkdir(exist_ok=True)
    (signatures / "test.ndb").write_text(f"Eicar-Test-Signature:0:*:{EICAR.hex()}\n")
    for each in (folder, signatures):
        each.chmod(0o755)
    path = folder / "clamd.sock"
    config = folder / "clamd.conf"
    places = {"DatabaseDirectory": signatures, "LocalSocket": path, "TemporaryDirectory": folder, "Foreground": "yes"}
    config.write_text("".join(f"{name} {value}\n" for name, value in {**options, **places}.items()))
    process = subprocess.Popen(
        [shutil.which("clamd"), "--config-file", config], stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
    )
    try:
        _wait(process, f"unix:{path}")
        yield f"unix:{path}"
    finally:
        process.kill()
        process.wait()


def _wait(process, address):
    for _ in range(200):
        try:
            return clamd.reach(address)
        except clamd.ScannerFault:
            assert process.poll() is None, "clamd has ended"
            time.sleep(0.05)
    raise AssertionError("clamd does not answer")


@contextmanager
def answering(answer, after=None, ping=b"PONG\0"):
    """The address of a scanner that says `answer` to whatever it gets, once it got `after` bytes or the end.

    `answer` None: it says nothing at all and keeps the connection.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_serve, args=(server, answer, after, ping), daemon=True).start()
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"


def _serve(server, answer, after, ping):
    held = []
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        held.append(connection)
        said = ping if _read(connection, after).startswith(b"zPING") else answer
        if said is not None:
            connection.sendall(said)
            connection.close()


def _read(connection, after):
    got = b""
    while not got.startswith(b"zPING") and not got.endswith(bytes(4)) and not (after and len(got) >= after):
        piece = connection.recv(65536)
        if not piece:
            break
        got += piece
    return got


def nowhere():
    """An address at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"tcp://127.0.0.1:{server.getsockname()[1]}"
