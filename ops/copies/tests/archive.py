"""A store with documents, and a place for their copy."""

import shutil
from contextlib import contextmanager, suppress
from datetime import timedelta
from uuid import uuid4

from botocore.exceptions import ClientError

from documents import storage
from documents.contents import kept
from documents.models import Content
from healthrecords import objectstore
from healthrecords.access.request import Actor
from ops.copies import comparing

PASSWORD = "correct-horse-battery-staple-0123456789"
AUTHOR = Actor("host", "0", "tests", ("host",), (), ("HSYSADMIN",))


class Archive:
    """Documents in the store, with their rows, and what somebody with the disk of the copy sees."""

    def __init__(self, folder):
        self.folder = folder

    @staticmethod
    def add(content=b"a letter"):
        """Store content with its row; return the object's name."""
        with kept([content], "text/plain", AUTHOR) as row:
            row.save()
        return row.object_name

    @staticmethod
    def forget(name):
        """Remove the row, as a disposal of the document does."""
        Content.objects.filter(object_name=name).delete()

    @staticmethod
    def overwrite(name, sealed):
        """Put other bytes in the place of an object, past the application."""
        storage.client().put_object(Bucket=storage.settings.S3_BUCKET, Key=name, Body=sealed)

    @staticmethod
    def sealed(name):
        return b"".join(storage.get(name))

    def path(self, name, folder="objects"):
        return self.folder / folder / f"{name}.bin"

    def copies(self, folder="objects"):
        """The names of the copies."""
        return sorted(path.name.removesuffix(".bin") for path in (self.folder / folder).glob("*"))


@contextmanager
def archive_in(settings, tmp_path, monkeypatch):
    """An empty store, seen by this test alone, whose rows are settled at once. What is locked stays in the real one."""
    mine = uuid4().hex[:8]
    new_name, sizes, names = storage.new_name, storage.sizes, storage.names
    monkeypatch.setattr(storage, "new_name", lambda: mine + new_name()[len(mine) :])
    monkeypatch.setattr(storage, "sizes", lambda: (each for each in sizes() if each[0].startswith(mine)))
    monkeypatch.setattr(storage, "names", lambda: (each for each in names() if each[0].startswith(mine)))
    monkeypatch.setattr(comparing, "UNDERWAY", timedelta(seconds=-60))
    folder = tmp_path / "documents"
    folder.mkdir()
    settings.BACKUP_DOCUMENTS, settings.BACKUP_DOCUMENTS_PASSWORD = f"file://{folder}", PASSWORD
    settings.BACKUP_WORK_DIR = tmp_path / "work"
    yield Archive(folder)
    for name, _ in list(storage.sizes()):
        with suppress(storage.Locked):
            storage.remove(name)
    shutil.rmtree(tmp_path, ignore_errors=True)


def move_to_a_bucket(settings):
    """Lead the copy to a bucket instead, below a prefix of its own."""
    store = objectstore.connect(objectstore.application(), connecting=3, reading=30)
    with suppress(ClientError):  # it is there already
        objectstore.make_bucket(store, settings.S3_AUDIT_BUCKET)
    settings.BACKUP_DOCUMENTS = f"s3://{settings.S3_AUDIT_BUCKET}/copies-{uuid4()}"
    settings.BACKUP_S3_ENDPOINT = settings.S3_ENDPOINT
    settings.BACKUP_S3_ACCESS_KEY, settings.BACKUP_S3_SECRET_KEY = settings.S3_ACCESS_KEY, settings.S3_SECRET_KEY
