"""What each kind of archive holds, and to whom it is sealed."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from pyrage import x25519

from ops.backup import kit
from ops.backup.faults import BackupFault
from ops.backup.sealing import identities, recipients

from .entries import Archive, Kind
from .packing import Group, Member

_SECRET = re.compile(r"(KEY|PASSWORD|SECRET|TOKEN|PASSPHRASE|URL)$")
_LEFT_OUT = {"__pycache__", "var", "node_modules", "staticfiles", "secrets"}
_HIDDEN = {".ci", ".dockerignore", ".env.example", ".gitignore"}
_DEPLOYMENT = ("docker-compose.yml", "deploy")


@dataclass(frozen=True)
class Contents:
    """The groups of an archive, and what it is of."""

    groups: tuple[Group, ...]
    about: dict[str, str] = field(default_factory=dict)

    @property
    def files(self) -> int:
        """How many files it holds."""
        return sum(len(group.members) for group in self.groups)


def contents(kind: Kind, last: Archive | None) -> Contents:
    """What an archive would hold now, `last` being the newest of its kind; raise BackupFault."""
    return {"config": _config, "logs": _logs, "application": _application}[kind](last)


def _everybody() -> list[x25519.Recipient]:
    return recipients(Path(settings.BACKUP_RECIPIENTS_FILE))


def offline() -> list[x25519.Recipient]:
    """The recipients whose private key is not on this host; raise BackupFault where there is none."""
    here: set[str] = set()
    if settings.BACKUP_IDENTITY_FILE:
        here = {str(each.to_public()) for each in identities(Path(settings.BACKUP_IDENTITY_FILE))}
    found = [each for each in _everybody() if str(each) not in here]
    if not found:
        raise BackupFault(
            "Every private key of backups is on this host; add a recipient whose key is kept offline to "
            "HEALTHCARE_BACKUP_RECIPIENTS_FILE: the encryption keys are sealed to it alone."
        )
    return found


def _config(last: Archive | None) -> Contents:
    """Settings and deployment for all recipients; whatever is secret for the offline one alone."""
    names = {name: value for name, value in os.environ.items() if name.startswith("HEALTHCARE_")}
    public = "".join(f"{name}={'' if _SECRET.search(name) else names[name]}\n" for name in sorted(names))
    named = [settings.BASE_DIR / name for name in _DEPLOYMENT]
    open_ = [Member("settings.env", data=public.encode()), *_below(settings.BASE_DIR, named)]
    shut = [Member(name, data=data) for name, data in sorted(kit.secrets().items())]
    for path in (settings.BASE_DIR / ".env", *(Path(name).absolute() for name in settings.BACKUP_CONFIG)):
        shut += [Member(f"files{each.path}", each.path) for each in _below(path.parent, [path])]
    return Contents((Group("settings", open_, _everybody()), Group("keys", shut, offline())))


def _logs(last: Archive | None) -> Contents:
    """The log files that have changed since the last archive."""
    if not settings.BACKUP_LOGS:
        raise BackupFault("HEALTHCARE_BACKUP_LOGS is not set; name the folder in which the log files are.")
    folder = Path(settings.BACKUP_LOGS)
    if not folder.is_dir():
        raise BackupFault(f"HEALTHCARE_BACKUP_LOGS names {folder}, which is no folder.")
    since = datetime.fromisoformat(last.made).timestamp() if last else 0.0
    members = [each for each in _below(folder, [folder]) if each.path and each.path.stat().st_mtime >= since]
    newest = max((each.path.stat().st_mtime for each in members if each.path), default=since)
    return Contents(
        (Group("logs", members, _everybody()),),
        {"folder": str(folder), "until": datetime.fromtimestamp(newest, UTC).isoformat()},
    )


def _application(last: Archive | None) -> Contents:
    """The source of the version that runs, with its lock file."""
    members = [*_below(settings.BASE_DIR, [settings.BASE_DIR])]
    return Contents((Group("application", members, _everybody()),), {"commit": _commit()})


def _below(root: Path, paths: Sequence[Path]) -> Iterator[Member]:
    """The regular files at and below these paths, named from `root` on; links and what is made by machines are not."""
    for path in sorted(paths):
        if path.is_symlink():
            continue
        if path.is_file():
            yield Member(str(path.relative_to(root)), path)
        elif path.is_dir():
            yield from _below(root, [each for each in path.iterdir() if _is_source(each)])


def _is_source(path: Path) -> bool:
    if path in {settings.DATA_DIR, settings.BACKUP_WORK_DIR}:
        return False
    return path.name not in _LEFT_OUT and (not path.name.startswith(".") or path.name in _HIDDEN)


def _commit() -> str:
    """The commit of the checkout, with a mark where files differ from it; empty where there is none."""
    if not (settings.BASE_DIR / ".git").exists() or not shutil.which("git"):
        return ""
    asked = ["git", "-C", str(settings.BASE_DIR), "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
