"""The two stores as rclone knows them: the one of the documents, and the place of their copy, encrypted on the way.

objects/NAME.bin           a copy; names are random and say nothing
deleted/YYYY-MM-DD/NAME.bin  what was deleted, by the day on which that was found
key-check.bin              opens by the right password alone
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from django.conf import settings

from documents.storage import StoreFault
from healthrecords import objectstore
from healthrecords.objectstore import Account
from ops.backup.faults import BackupFault, RepositoryDown
from ops.backup.repository import Repository, repository_at

from . import rclone

SOURCE, COPY, OBJECTS, DELETED = "source:", "copy:", "copy:objects", "copy:deleted"
_CHECK = "key/check"
_PLAIN = "HealthRecords documents\n"
_HALF = ".partial.bin"  # how rclone names what it is writing
_WHOLE = "5Gi"  # the largest upload in one part: its checksum is the store's own ETag


class WrongPassword(BackupFault):
    """The password that is here does not open the copy."""


@dataclass(frozen=True)
class Stores:
    """Both stores. `place` is the copy's raw side."""

    place: Repository
    environment: Mapping[str, str]

    def unlock(self) -> None:
        """Raise BackupFault unless the copy's place answers and the password is the one it was made with."""
        self.place.check()
        found = rclone.run("cat", f"{COPY}{_CHECK}", environment=self.environment)
        if found.output == _PLAIN:
            return
        nothing = found.absent or (found.code == 0 and not found.output)  # a bucket calls it an empty folder
        if not nothing or next(iter(self.place.names("objects/")), None):
            raise WrongPassword(
                f"The copy of the documents in {self.place.address} was made with another password; give that one in "
                "HEALTHCARE_BACKUP_DOCUMENTS_PASSWORD, or name an empty place in HEALTHCARE_BACKUP_DOCUMENTS."
            )

    def found(self) -> None:
        """Leave the mark of the password in a new copy; one that is there stays."""
        if not next(iter(self.place.names("key/")), None):
            done = rclone.run("rcat", f"{COPY}{_CHECK}", environment=self.environment, given=_PLAIN)
            if done.code:
                raise rclone.failed(done)

    def sizes(self, folder: str) -> dict[str, int]:
        """What lies below a folder of the copy: names and their sizes before they were encrypted, in bytes."""
        listed = rclone.run("lsf", "-R", "--files-only", "--format=sp", folder, environment=self.environment)
        if listed.absent:
            return {}
        if listed.code:
            raise rclone.failed(listed)
        rows = (line.partition(";") for line in listed.output.splitlines())
        return {name: int(size) for size, _, name in rows}

    def sweep(self) -> None:
        """Remove what a run that was killed left half written."""
        for each in list(self.place.names("objects/")):
            if each.name.endswith(_HALF):
                self.place.remove(each.name)


@contextmanager
def told_by_store() -> Iterator[None]:
    """Turn a fault of the documents' own store into one that a backup tells."""
    try:
        yield
    except StoreFault as fault:
        raise RepositoryDown(fault.issues[0].text) from None


def stores() -> Stores:
    """The stores that the settings name; raise BackupFault where they name no copy or no password."""
    if not settings.BACKUP_DOCUMENTS:
        raise BackupFault("HEALTHCARE_BACKUP_DOCUMENTS is not set; name a file:///directory or an s3://bucket/prefix.")
    if not settings.BACKUP_DOCUMENTS_PASSWORD:
        raise BackupFault("HEALTHCARE_BACKUP_DOCUMENTS_PASSWORD is not set; the copy of the documents is encrypted.")
    place = repository_at(settings.BACKUP_DOCUMENTS)
    return Stores(place, _environment(place))


def _environment(place: Repository) -> dict[str, str]:
    backups = Account(settings.BACKUP_S3_ENDPOINT or None, settings.BACKUP_S3_ACCESS_KEY, settings.BACKUP_S3_SECRET_KEY)
    return {
        **_s3("BUCKETS", objectstore.application()),
        **_s3("PLACE", backups),
        **_remote("SOURCE", type="alias", remote=f"buckets:{settings.S3_BUCKET}"),
        **_remote(
            "COPY",
            type="crypt",
            remote=_raw(place),
            password=rclone.obscured(settings.BACKUP_DOCUMENTS_PASSWORD),
            filename_encryption="off",
            directory_name_encryption="false",
        ),
    }


def _raw(place: Repository) -> str:
    parts = urlsplit(settings.BACKUP_DOCUMENTS)
    return f"place:{parts.netloc}{parts.path}".rstrip("/") if parts.scheme == "s3" else unquote(parts.path)


def _s3(name: str, account: Account) -> dict[str, str]:
    return _remote(
        name,
        type="s3",
        provider="Other" if account.endpoint else "AWS",
        endpoint=account.endpoint or "",
        access_key_id=account.access_key,
        secret_access_key=account.secret_key,
        region="us-east-1",
        no_check_bucket="true",
        upload_cutoff=_WHOLE,
    )


def _remote(name: str, **options: str) -> dict[str, str]:
    return {f"RCLONE_CONFIG_{name}_{option.upper()}": value for option, value in options.items() if value}
