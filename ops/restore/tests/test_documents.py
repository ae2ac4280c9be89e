"""`restore documents`: what the store lost or damaged comes back as the records say; what is whole is left alone."""

import json
import os
import signal

import pytest

from documents import storage
from documents.contents import unguarded
from documents.models import Content
from ops.backup.place import place
from ops.copies import copying
from ops.restore import documents
from ops.restore.journal import journal


@pytest.fixture
def restore(operate):
    """Run `restore documents`; return its exit code and its answer."""

    def restore(*options):
        ended = operate("restore", "documents", "--json", *options)
        return ended.code, json.loads(ended.out)

    return restore


def content(name):
    return b"".join(unguarded(Content.objects.get(object_name=name)))


def copied(archive, *letters):
    names = [archive.add(letter) for letter in letters]
    copying.copy("copy")
    return names


def test_a_store_that_was_emptied_is_filled_again(archive, restore):
    names = copied(archive, b"one", b"two", b"x" * 200_000)
    for name in names:
        storage.remove(name)
    code, said = restore("--dry-run")
    assert (code, said["plan"]["restores"]) == (0, "3 documents, 0 of them from what was deleted")
    assert list(storage.sizes()) == []
    code, said = restore()
    assert (code, said["restored"], [content(name) for name in names]) == (0, 3, [b"one", b"two", b"x" * 200_000])
    assert restore()[1]["restored"] == 0


def test_a_store_is_filled_from_a_bucket(in_a_bucket, restore):
    (name,) = copied(in_a_bucket, b"one")
    storage.remove(name)
    assert (restore()[0], content(name)) == (0, b"one")


@pytest.mark.parametrize("options", [[], ["--quick"]])
def test_what_is_damaged_is_replaced_and_kept_and_what_is_whole_is_left_alone(archive, restore, options):
    longer, rotten, sound = copied(archive, b"one", b"two", b"three")
    rot = bytes([archive.sealed(rotten)[0] ^ 1]) + archive.sealed(rotten)[1:]
    archive.overwrite(longer, b"longer than it was, by far and wide, and nothing like it" * 9)
    archive.overwrite(rotten, rot)
    code, said = restore(*options)
    assert (code, said["restored"], content(longer), content(sound)) == (0, 1 if options else 2, b"one", b"three")
    (kept,) = place().root.glob("documents-before-*")
    assert (kept / longer).read_bytes().startswith(b"longer than it was")
    if not options:
        assert content(rotten) == b"two"
        assert (kept / rotten).read_bytes() == rot
    assert str(kept) in said["summary"]


def test_what_was_deleted_since_comes_back_for_an_older_database(archive, restore):
    """The database was restored to a time when the document was there."""
    (name,) = copied(archive, b"one")
    row = Content.objects.get()
    storage.remove(name)
    archive.forget(name)
    copying.copy("compare")
    assert archive.copies() == []
    row.save(force_insert=True)
    code, said = restore()
    assert (code, said["plan"]["restores"]) == (0, "1 document, 1 of them from what was deleted")
    assert content(name) == b"one"


def test_a_copy_that_is_damaged_is_never_put_in_place(archive, restore):
    wrong, other, good = copied(archive, b"one", b"two", b"six")
    archive.path(wrong).write_bytes(archive.path(other).read_bytes())  # of the right size, and of another document
    rotten = bytearray(archive.path(other).read_bytes())
    rotten[-1] ^= 1
    archive.path(other).write_bytes(rotten)
    for name in (wrong, other, good):
        storage.remove(name)
    code, said = restore()
    assert (code, said["restored"], sorted(said["failed"])) == (1, 1, sorted([wrong, other]))
    assert [name for name, _ in storage.sizes()] == [good]


def test_a_document_that_is_nowhere_is_named(archive, restore):
    name = archive.add()
    storage.remove(name)
    for options in (["--dry-run"], []):
        code, said = restore(*options)
        assert (code, said["lost"]) == (1, [name])
    assert said["failed"] == {name: "neither the store nor the copy has it"}


def test_a_restore_that_is_killed_goes_on_where_it_ended(archive, restore, monkeypatch):
    names = copied(archive, b"one", b"two", b"six")
    for name in names:
        storage.remove(name)
    if not (child := os.fork()):
        put = storage.put

        def once(name, pieces):
            put(name, pieces)
            os.kill(os.getpid(), signal.SIGKILL)

        storage.put = once
        try:
            documents.restore(documents.make())
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert len(list(storage.sizes())) == 1
    assert restore()[1]["restored"] == 2
    assert [content(name) for name in names] == [b"one", b"two", b"six"]
    assert [line["event"] for line in journal(place()).lines()] == ["planned", "planned", "documents done"]


def test_what_is_in_the_way_is_said(archive, operate, settings, monkeypatch):
    (name,) = copied(archive, b"one")
    storage.remove(name)
    with place().locked(copying.LOCK):
        assert operate("restore", "documents").refuses("A document-copy runs already")
    settings.BACKUP_DOCUMENTS_PASSWORD = "another-correct-horse-battery-staple"
    assert operate("restore", "documents").refuses("was made with another password")
    assert list(storage.sizes()) == []
