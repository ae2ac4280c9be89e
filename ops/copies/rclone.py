"""Runs rclone: no configuration file, no secret among its arguments; it ends with us, and its log is understood."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any

from healthrecords.embedded.process import die_with_parent
from ops.backup.faults import BackupFault, DiskFull, RepositoryDown

Advance = Callable[[float], None]
_MANNERS = (
    "--use-json-log",
    "--stats=1s",
    "--stats-log-level=NOTICE",
    "--retries=2",
    "--low-level-retries=3",
    "--contimeout=5s",
    "--timeout=60s",
)
_UMASK = 0o077
_NO_ROOM = (
    "no space left",
    "file too large",
    "quota exceeded",
    "insufficientstorage",
    "storagefull",
    "statuscode: 507",
)
_REFUSED = ("statuscode: 403", "statuscode: 401", "invalidaccesskeyid", "signaturedoesnotmatch", "accessdenied")
_DOWN = ("connection refused", "no such host", "timeout", "deadline exceeded", "connection reset", "unreachable")


@dataclass(frozen=True)
class Trouble:
    """Something that rclone could not do: with which object, and why. No object: it concerns the whole run."""

    name: str
    why: str


@dataclass(frozen=True)
class Ended:
    """How rclone ended: 0 is good."""

    code: int
    output: str
    troubles: tuple[Trouble, ...]

    @property
    def absent(self) -> bool:
        """Whether what was asked for is not there."""
        return self.code in {3, 4}


def run(*arguments: str, environment: Mapping[str, str], advance: Advance = lambda _: None, given: str = "") -> Ended:
    """Run rclone to its end, with `given` as its input; raise BackupFault where a store or the disk failed it."""
    with tempfile.TemporaryFile("w+") as source, tempfile.TemporaryFile("w+") as output:
        source.write(given)
        source.seek(0)
        child = subprocess.Popen(
            [program(), *arguments, *_MANNERS],
            env={"PATH": os.defpath, "RCLONE_CONFIG": os.devnull, "HOME": os.devnull, **environment},
            stdin=source,
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            umask=_UMASK,
            preexec_fn=die_with_parent(signal.SIGKILL),  # noqa: PLW1509
        )
        with _ended(child):
            assert child.stderr  # noqa: S101  # nosec B101
            troubles = tuple(_read(child.stderr, advance))
        output.seek(0)
        ended = Ended(child.returncode, output.read(), troubles)
    _refuse(ended)
    return ended


@contextmanager
def _ended(child: "subprocess.Popen[str]") -> Iterator[None]:
    try:
        yield
        child.wait()
    except BaseException:
        child.kill()
        child.communicate()
        raise


def _read(log: IO[str], advance: Advance) -> Iterator[Trouble]:
    """Follow its log, tell of progress in bytes, and give what it calls errors."""
    done = 0
    for line in log:
        said = _parsed(line)
        if "stats" in said:
            advance(said["stats"]["bytes"] - done)
            done = said["stats"]["bytes"]
        elif said.get("level") in {"error", "critical"}:
            yield Trouble(said.get("object", ""), said.get("msg", "").strip())


def _parsed(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {"level": "error", "msg": line}
    return found if isinstance(found, dict) else {}


def _refuse(ended: Ended) -> None:
    """Raise what concerns the surroundings; troubles with single objects are left to the caller."""
    said = " ".join(trouble.why for trouble in ended.troubles).lower()
    if ended.code == 0:
        return
    if ended.code < 0:
        raise BackupFault(f"rclone was ended by signal {-ended.code}; run this again.")
    if any(words in said for words in _NO_ROOM):
        raise DiskFull("There is no room left where the documents are copied to; make room there, then run this again.")
    if any(words in said for words in _REFUSED):
        raise RepositoryDown("A store refused the credentials in the middle of the copy; correct them, then run again.")
    if any(words in said for words in _DOWN):
        raise RepositoryDown("A store stopped answering in the middle of the copy; run this again when it is back.")


def failed(ended: Ended) -> BackupFault:
    """What a run that ended with a code of its own meant."""
    why = ended.troubles[0].why if ended.troubles else f"exit code {ended.code}"
    return BackupFault(f"rclone failed: {why.rstrip('.')}.")


@cache
def program() -> str:
    """The rclone of this installation; raise BackupFault."""
    path = Path(sys.executable).with_name("rclone")
    if not path.is_file():
        raise BackupFault("There is no rclone for this system; documents are copied where its wheel exists.")
    return str(path)


@cache
def obscured(password: str) -> str:
    """A password in the form in which rclone takes it."""
    done = subprocess.run([program(), "obscure", "-"], input=password, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@contextmanager
def listed(names: Iterable[str]) -> Iterator[Sequence[str]]:
    """Options that limit a run to these objects."""
    with tempfile.NamedTemporaryFile("w", prefix="healthrecords-names-") as file:
        file.writelines(f"{name}\n" for name in names)
        file.flush()
        yield (f"--files-from-raw={file.name}", "--no-traverse")
