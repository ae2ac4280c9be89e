"""The dump of an archive, loaded to prove it: each once."""

import shutil
from pathlib import Path

from django.conf import settings

from ops.backup.catalogue import DUMP, Entry, catalogue
from ops.backup.faults import BackupFault
from ops.backup.flow import CHUNK
from ops.backup.programs import run
from ops.backup.repository import Repository
from ops.backup.sealing import identities
from ops.restore.fetching import Source
from ops.restore.instance import Instance
from ops.restore.reloading import compare, rows_of

from . import proofs

_DATABASE = "dump_test"


def load_unproven(target: Repository, instance: Instance, folder: Path) -> tuple[str, list[str]]:
    """Load the newest archive's dump unless that was done before; return its id, and what is wrong."""
    archive = next((entry for entry in reversed(catalogue(target).entries) if entry.type == "archive"), None)
    last = proofs.newest(target)
    if not archive or (last and last.dump == archive.id):
        return (archive.id if archive else ""), []
    return archive.id, _load(target, instance, archive, folder / DUMP)


def _load(target: Repository, instance: Instance, archive: Entry, file: Path) -> list[str]:
    """Fetch the dump, load it into a database of its own beside the restored one, and compare the rows."""
    source = Source(target, identities(Path(settings.BACKUP_IDENTITY_FILE)))
    try:
        with source.part(archive.part(DUMP)) as content, file.open("wb") as out:
            shutil.copyfileobj(content, out, CHUNK)
        with instance.connect() as connection:
            connection.execute(f"CREATE DATABASE {_DATABASE} TEMPLATE template0")
        environment = instance.environment() | {"PGDATABASE": _DATABASE}
        run("pg_restore", "--exit-on-error", f"--dbname={_DATABASE}", str(file), environment=environment)
        with instance.connect(_DATABASE) as connection:
            compare(rows_of(file), connection)
    except BackupFault as fault:
        return [f"The dump of {archive.id}: {fault}"]
    return []
