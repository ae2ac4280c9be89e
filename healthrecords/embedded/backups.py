"""The backups of a local server: repository, working directory and keys, in a folder beside the data directory.

Another disk is better, which HEALTHCARE_BACKUP_WORK_DIR names: what lies on the disk of the data is lost with it.
"""

import hashlib
import json
import os
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pyrage import x25519

from .backup_state import PUBLISHED, concerns, limits
from .home import Home, write_private
from .postgres import Postgres

KIT_STAMP = "kit.stamp"


class Backups:
    """Where the backups of one data directory go, and their keys."""

    def __init__(self, home: Home, root: Path | None = None) -> None:
        self.home, self.root = home, root or backups_dir(home.root)
        self.keys = self.root / "keys"

    def prepare(self) -> None:
        """Make the folders and, once, two keys: one that opens backups here, one to be moved away."""
        self._make_folders()
        if os.geteuid() == 0:
            self.root.chmod(0o711)  # a way through for the account that runs a restored PostgreSQL
        if not (self.keys / "recipients").is_file():
            make_keys(self.keys)

    def _make_folders(self) -> None:
        for folder in (self.root, self.keys, self.root / "repository", self.root / "documents"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def environment(self, postgres: Postgres) -> dict[str, str]:
        """Return the HEALTHCARE_ names of backups; what the surroundings name wins."""
        ours = {
            "HEALTHCARE_BACKUP_DATABASE_URL": postgres.url("healthrecords_backup", "database_backup"),
            "HEALTHCARE_BACKUP_WORK_DIR": str(self.root),
            "HEALTHCARE_BACKUP_REPOSITORY": f"file://{self.root / 'repository'}",
            "HEALTHCARE_BACKUP_DOCUMENTS": f"file://{self.root / 'documents'}",
            "HEALTHCARE_BACKUP_DOCUMENTS_PASSWORD_FILE": str(self._documents_password),
            "HEALTHCARE_BACKUP_RECIPIENTS_FILE": str(self.keys / "recipients"),
            "HEALTHCARE_BACKUP_IDENTITY_FILE": str(self.keys / "identity"),
        }
        return ours | {name: os.environ[name] for name in ours if os.environ.get(name)}

    def warnings(self) -> list[str]:
        """What a start says about them, one sentence each."""
        sealed = [self.keys / "recipients", self.keys / "identity", self._documents_password, *self._secrets]
        found = [kit_wanted(self.root, sealed)]
        if self.root.stat().st_dev == self.home.root.stat().st_dev:
            found.append(
                f"The backups in {self.root} are on the disk of the data and would be lost with it; name another disk "
                "with HEALTHCARE_BACKUP_WORK_DIR."
            )
        now = datetime.now(UTC)
        return [*(text for text in found if text), *concerns(self._published(), now, limits())]

    def _published(self) -> dict[str, Any] | None:
        """What was last published of the backups, without what is said by `warnings` as it is now."""
        try:
            found: dict[str, Any] = json.loads((self.root / PUBLISHED).read_text())
        except (OSError, ValueError):
            return None
        return {**found, "time": datetime.now(UTC).isoformat(), "warnings": []}

    @property
    def _documents_password(self) -> Path:
        """Made when it is first asked for, and never again: the copy of the documents is encrypted with it."""
        file = self.keys / "documents-password"
        if not file.is_file():
            self._make_folders()
            write_private(file, secrets.token_urlsafe(32))
        return file

    @property
    def _secrets(self) -> list[Path]:
        return [self.home / "secrets" / "field.key", self.home / "secrets" / "index.key"]


def backups_dir(data: Path) -> Path:
    """The folder that HEALTHCARE_BACKUP_WORK_DIR names, or one beside the data directory."""
    return Path(os.environ.get("HEALTHCARE_BACKUP_WORK_DIR") or data.with_name(f"{data.name}-backups")).absolute()


def make_keys(folder: Path) -> None:
    """Make two age identities and the file of their public keys; one identity is to be kept away from the server."""
    made = {name: x25519.Identity.generate() for name in ("identity", "offline-identity")}
    for name, identity in made.items():
        write_private(folder / name, f"{identity}\n")
    write_private(folder / "recipients", "".join(f"{identity.to_public()}\n" for identity in made.values()))


def kit_wanted(work: Path, keys: Sequence[Path]) -> str:
    """Why a recovery kit should be made now, or an empty text; a stamp tells which keys the last one holds."""
    stamp = work / KIT_STAMP
    if not stamp.is_file():
        return "There is no recovery kit: make one with `backup kit FILE` and keep it away from this machine."
    if stamp.read_text() != fingerprint(keys):
        return "Keys have changed since the last recovery kit: make a new one with `backup kit FILE`."
    return ""


def fingerprint(keys: Sequence[Path]) -> str:
    """A hash of the key files: it changes when one is rotated."""
    digest = hashlib.sha256()
    for path in keys:
        digest.update(path.read_bytes() if path.is_file() else b"")
    return digest.hexdigest()
