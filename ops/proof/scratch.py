"""The scratch instance of a test restore: a directory that is gone afterwards, also after a crash."""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from ops.backup.place import Place
from ops.restore.instance import SOCKETS

_PATIENCE = 20.0  # seconds


@contextmanager
def scratch(where: Place) -> Iterator[Path]:
    """An empty directory for one test, removed with whatever still runs in it; a leftover goes first."""
    folder = where.root / "test"
    remove(folder)
    folder.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700)
    try:
        yield folder
    finally:
        remove(folder)


def remove(folder: Path) -> None:
    """End every PostgreSQL that runs in the directory, then remove it and the sockets that they had."""
    for file in folder.glob("*/postmaster.pid"):
        lines = file.read_text().splitlines()
        _end(lines, file.parent)
        if len(lines) > 4 and Path(lines[4]).name.startswith(SOCKETS):
            shutil.rmtree(lines[4], ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def _end(lines: list[str], cluster: Path) -> None:
    """End the server that the file names, if it is one and its directory is this one: ids are given out again."""
    with suppress(psutil.Error, ValueError, IndexError):
        process = psutil.Process(int(lines[0]))
        if str(cluster) in process.cmdline():
            process.send_signal(signal.SIGQUIT)
            process.wait(_PATIENCE)
