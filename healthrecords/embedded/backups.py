"""The backups of a local server: repository, working directory and keys, in a folder beside the data directory.

Another disk is better, which HEALTHCARE_BACKUP_WORK_DIR names: what lies on the disk of the data is lost with it.
"""

import os
from pathlib import Path

from pyrage import x25519

from .home import Home, write_private
from .postgres import Postgres


class Backups:
    """Where the backups of one data directory go, and their keys."""

    def __init__(self, home: Home, root: Path | None = None) -> None:
        self.home, self.root = home, root or backups_dir(home.root)
        self.keys = self.root / "keys"

    def prepare(self) -> None:
        """Make the folders and, once, two keys: one that opens backups here, one to be moved away."""
        for folder in (self.root, self.keys, self.root / "repository"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.geteuid() == 0:
            self.root.chmod(0o711)  # a way through for the account that runs a restored PostgreSQL
        if not (self.keys / "recipients").is_file():
            made = {name: x25519.Identity.generate() for name in ("identity", "offline-identity")}
            for name, identity in made.items():
                write_private(self.keys / name, f"{identity}\n")
            recipients = "".join(f"{identity.to_public()}\n" for identity in made.values())
            write_private(self.keys / "recipients", recipients)

    def environment(self, postgres: Postgres) -> dict[str, str]:
        """Return the HEALTHCARE_ names of backups; what the surroundings name wins."""
        ours = {
            "HEALTHCARE_BACKUP_DATABASE_URL": postgres.url("healthrecords_backup", "database_backup"),
            "HEALTHCARE_BACKUP_WORK_DIR": str(self.root),
            "HEALTHCARE_BACKUP_REPOSITORY": f"file://{self.root / 'repository'}",
            "HEALTHCARE_BACKUP_RECIPIENTS_FILE": str(self.keys / "recipients"),
            "HEALTHCARE_BACKUP_IDENTITY_FILE": str(self.keys / "identity"),
        }
        return ours | {name: os.environ[name] for name in ours if os.environ.get(name)}

    def on_data_disk(self) -> bool:
        """Whether the backups would be lost with the disk of the data."""
        return self.root.stat().st_dev == self.home.root.stat().st_dev


def backups_dir(data: Path) -> Path:
    """The folder that HEALTHCARE_BACKUP_WORK_DIR names, or one beside the data directory."""
    return Path(os.environ.get("HEALTHCARE_BACKUP_WORK_DIR") or data.with_name(f"{data.name}-backups")).absolute()
