"""Makes `.venv` with the system's Python and hands over to it; standard library only.

The Makefile calls it with a goal: `run`, `test ARGUMENTS`, or `test-env`, which only installs what tests need.
"""

import fcntl
import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from .programs import PACKAGES, missing_programs

_CHECKOUT = Path(__file__).resolve().parents[2]
_VENV = _CHECKOUT / ".venv"
_MARKER = _VENV / "installed"
_PYTHON = _VENV / "bin" / "python"


def main(goal: str, arguments: list[str]) -> None:
    """Install what the goal needs and become it; exit code 2 if the installation fails."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        if goal == "run":
            install("requirements.txt")
            become(["-m", "healthrecords.embedded", "run"])
        install("requirements-dev.txt")
        install_programs()
        if goal == "test":
            become(["-m", "pytest", "-n", "2", *arguments])
    except KeyboardInterrupt:
        sys.exit(0)


def install(requirements: str) -> None:
    """Bring the virtual environment to `requirements`, unless it holds them already."""
    with _alone():
        base, wanted = _hash(f"{sys.version_info[:2]} {_VENV}".encode()), _file_hash(requirements)
        have = _MARKER.read_text().split() if _MARKER.is_file() else []
        if have[:1] == [base] and wanted in have:
            return
        if have[:1] != [base]:
            _create()
        _MARKER.unlink(missing_ok=True)  # an installation that is cut off leaves no marker and is done anew
        _say(f"Installing {requirements} into .venv, about 20 seconds")
        _pip(requirements)
        # The development requirements contain the server's.
        _MARKER.write_text("\n".join([base, *map(_file_hash, {"requirements.txt", requirements})]))


@contextmanager
def _alone() -> Iterator[None]:
    """Keep a second `make` in this checkout waiting while one installs."""
    folder = os.open(_CHECKOUT, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _file_hash(name: str) -> str:
    return _hash((_CHECKOUT / name).read_bytes())


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _create() -> None:
    shutil.rmtree(_VENV, ignore_errors=True)
    try:
        venv.create(_VENV, with_pip=True)
    except (OSError, subprocess.CalledProcessError):
        # Debian keeps ensurepip in python3-venv; without it, Python's own pip can install into the folder.
        venv.create(_VENV, with_pip=False, clear=True)


def _pip(requirements: str) -> None:
    options = ["-qq", "--disable-pip-version-check", "--no-input", "--require-hashes"]
    done = subprocess.run([*_pip_command(), "install", *options, "-r", requirements], cwd=_CHECKOUT, check=False)
    if done.returncode:
        _fail(f"Installing {requirements} failed; the lines above say why. The same command tries again.")


def _pip_command() -> list[str]:
    if (_VENV / "bin" / "pip").is_file():
        return [str(_PYTHON), "-m", "pip"]
    if not importlib.util.find_spec("pip"):
        _fail("This Python has neither ensurepip nor pip; install one of them (on Debian the package python3-venv).")
    return [sys.executable, "-m", "pip", "--python", str(_PYTHON)]


def install_programs() -> None:
    """Install the Debian packages that tests need, as root; the tests that miss theirs say so at the end."""
    packages = sorted({PACKAGES[name] for name in missing_programs()})
    if packages and os.geteuid() == 0 and shutil.which("apt-get"):
        _say(f"Installing {', '.join(packages)} for the tests")
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update", "-qq"], ["install", "-qq", "--no-install-recommends", *packages]):
            subprocess.run(["apt-get", *command], env=quiet, stdout=subprocess.DEVNULL, check=False)


def become(arguments: list[str]) -> None:
    """Replace this process, so that a signal to it reaches what it became."""
    os.chdir(_CHECKOUT)
    os.execv(_PYTHON, [str(_PYTHON), *arguments])  # noqa: S606


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


def _fail(text: str) -> NoReturn:
    print(text, file=sys.stderr, flush=True)  # noqa: T201
    sys.exit(2)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
