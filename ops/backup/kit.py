"""The recovery kit: one file, sealed by a passphrase, with all that a recovery on a bare machine needs.

`age -d KIT | tar x` opens it. A stamp in the working directory tells which keys the last kit holds, so that a start
warns where there is none or a key has changed since.
"""

import io
import os
import tarfile
from pathlib import Path

import pyrage
from django.conf import settings

from healthrecords import __version__
from healthrecords.embedded.backups import KIT_STAMP, fingerprint, kit_wanted
from healthrecords.embedded.datadir import data_dir

from .faults import BackupFault
from .place import Place, place

_SHORTEST = 12  # characters of a passphrase
STEPS = """HealthRecords {version}: recovery on a bare machine

1. Install Python 3.11 or newer, get HealthRecords {version}, and run `make run` once in it; stop it with Ctrl-C.
   With compose, install the same version of the images instead, and put the files of `secrets/` in deploy/secrets.
2. Put the files of `secrets/` into the folder `secrets` of the data directory (HEALTHCARE_DATA_DIR), and the files of
   `keys/` where HEALTHCARE_BACKUP_RECIPIENTS_FILE, HEALTHCARE_BACKUP_IDENTITY_FILE and
   HEALTHCARE_BACKUP_DOCUMENTS_PASSWORD_FILE of `settings.env` say.
3. Set the names in `settings.env`: they hold the addresses and credentials of the repository and of the copy of the
   documents.
4. `.venv/bin/python manage.py backup list` shows what can be restored, and to which moments.
5. `.venv/bin/python manage.py restore database latest --dry-run`, read the plan, then run it without --dry-run.
6. `make run`, then `manage.py restore documents --dry-run`, and without --dry-run.
7. Sign in, look at a patient and at a document, and take a full backup: `manage.py backup database --type full`.

Without this program: `age -d -i keys/identity OBJECT | zstd -d | tar x` opens an object of the repository;
docs/runbooks/restore-by-hand.md has every step.
"""


def write(file: Path, passphrase: str) -> list[str]:
    """Write a new kit; return the names of what it holds. Raise BackupFault for a weak passphrase or a taken name."""
    if len(passphrase) < _SHORTEST:
        raise BackupFault(f"The passphrase is too short: at least {_SHORTEST} characters.")
    held = secrets() | {"STEPS.txt": STEPS.format(version=__version__).encode()}
    sealed = pyrage.passphrase.encrypt(_packed(held), passphrase)
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(sealed)
            os.fsync(out.fileno())
    except OSError as fault:
        raise BackupFault(f"{file} cannot be written ({fault.strerror}).") from None
    where = place()
    where.prepare()
    (where.root / KIT_STAMP).write_text(fingerprint(_sealed()))
    return sorted(held)


def missing(where: Place) -> str:
    """Why a kit should be made now, or an empty text."""
    return kit_wanted(where.root, _sealed())


def _sealed() -> list[Path]:
    """The keys whose rotation calls for a new kit."""
    return [*_key_files(), Path(settings.FIELD_KEY_FILE), Path(settings.INDEX_KEY_FILE)]


def secrets() -> dict[str, bytes]:
    """The settings with their values, and the files of keys and secrets that this process may read, by their names."""
    held = {"settings.env": _environment()}
    held |= {f"keys/{path.name}": path.read_bytes() for path in _key_files() if path.is_file()}
    return held | {f"secrets/{path.name}": path.read_bytes() for path in _secret_files() if path.is_file()}


def _environment() -> bytes:
    """Every HEALTHCARE_ name that this process knows, as lines of an environment file."""
    names = sorted(name for name in os.environ if name.startswith("HEALTHCARE_"))
    return "".join(f"{name}={os.environ[name]}\n" for name in names).encode()


def _key_files() -> list[Path]:
    password = os.environ.get("HEALTHCARE_BACKUP_DOCUMENTS_PASSWORD_FILE")
    named = [settings.BACKUP_RECIPIENTS_FILE, settings.BACKUP_IDENTITY_FILE, password]
    return [Path(name) for name in named if name]


def _secret_files() -> list[Path]:
    """The keys of sealed values, the passwords of a local server, and what NAME_FILE names."""
    named = [settings.FIELD_KEY_FILE, settings.INDEX_KEY_FILE, settings.AUDIT_KEY_FILE]
    named += [value for name, value in os.environ.items() if name.startswith("HEALTHCARE_") and name.endswith("_FILE")]
    local = data_dir() / "secrets"
    files = {Path(name) for name in named if name} | (set(local.glob("*")) if local.is_dir() else set())
    return sorted(files - set(_key_files()))


def _packed(held: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in sorted(held.items()):
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o600
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()
