"""`backup documents`: what is new is copied, what is there stays, and every difference is found."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from documents import storage
from ops.copies import comparing, stores
from ops.copies.comparing import Sorted, sort


@pytest.fixture
def backup(operate):
    """Run `backup documents`; return its exit code and its answer."""

    def backup(*options):
        ended = operate("backup", "documents", "--json", *options)
        return ended.code, json.loads(ended.out)

    return backup


def test_what_is_new_is_copied_encrypted_and_only_once(archive, backup):
    names = sorted(archive.add(b"letter %d" % number) for number in range(3))
    assert backup("--dry-run")[1]["new"] == 3
    assert archive.copies() == []
    code, said = backup()
    assert (code, said["copied"], archive.copies()) == (0, 3, names)
    assert archive.path(names[0]).read_bytes().startswith(b"RCLONE\0\0")
    code, said = backup("--type", "read")
    assert (code, said["copied"], said["objects"]) == (0, 0, 3)


def test_a_copy_in_a_bucket_is_kept_compared_and_read(in_a_bucket, backup):
    name = in_a_bucket.add(b"x" * 3_000_000)
    assert backup("--type", "read")[0] == 0
    assert stores.stores().sizes(stores.OBJECTS) == {name: len(in_a_bucket.sealed(name))}
    sealed = in_a_bucket.sealed(name)
    in_a_bucket.overwrite(name, sealed[:-1] + bytes([sealed[-1] ^ 1]))
    code, said = backup()
    assert (code, said["different"]) == (1, [name])


def test_an_object_that_was_changed_does_not_replace_its_copy(archive, backup):
    name = archive.add()
    backup()
    before = archive.path(name).read_bytes()
    archive.overwrite(name, b"longer than it was before, by far and wide, and nothing like it" * 9)
    code, said = backup("--type", "copy")
    assert (code, said["changed"]) == (1, [name])
    assert "the copy was kept: stored objects never change" in said["summary"]
    assert archive.path(name).read_bytes() == before


def test_an_object_that_rotted_at_its_size_is_found_by_its_checksum(archive, backup):
    name, sound = archive.add(), archive.add(b"sound")
    backup()
    sealed = archive.sealed(name)
    archive.overwrite(name, bytes([sealed[0] ^ 1]) + sealed[1:])
    assert backup("--type", "copy")[0] == 0
    code, said = backup()
    assert (code, said["different"]) == (1, [name])
    assert sound not in said["different"]


def test_a_copy_that_rotted_is_found_by_reading_it(archive, backup):
    name = archive.add()
    backup()
    data = bytearray(archive.path(name).read_bytes())
    data[-1] ^= 1
    archive.path(name).write_bytes(data)
    code, said = backup("--type", "read")
    assert (code, said["wrong"], said["different"]) == (1, [name], [name])


def test_a_copy_of_something_else_is_found_by_the_records(archive, backup):
    """Store and copy agree; only the record's hash tells that they are wrong."""
    name = archive.add()
    archive.overwrite(name, archive.sealed(archive.add(b"b letter")))
    code, said = backup("--type", "read")
    assert (code, said["wrong"]) == (1, [name])
    assert "different" not in said


def test_what_was_deleted_is_dated_and_goes_when_its_time_is_over(archive, backup, settings):
    name = archive.add()
    backup()
    storage.remove(name)
    archive.forget(name)
    code, said = backup()
    today = datetime.now(UTC).date()
    assert (code, said["deleted"], archive.copies()) == (0, [name], [])
    assert archive.copies(f"deleted/{today}") == [name]
    settings.BACKUP_DELETED_DAYS = 30
    for days, stays in ((30, True), (31, False)):
        (archive.folder / "deleted" / str(today)).rename(archive.folder / f"deleted/{today - timedelta(days=days)}")
        assert "expired" in backup()[1] or stays
        assert (archive.copies(f"deleted/{today - timedelta(days=days)}") == [name]) is stays
        today -= timedelta(days=days)
        settings.BACKUP_DELETED_DAYS = 30 + days if stays else 30


def test_a_store_that_was_emptied_does_not_empty_the_copy(archive, backup):
    names = sorted(archive.add() for _ in range(2))
    backup()
    for name in names:
        storage.remove(name)
    code, said = backup()
    assert (code, said["gone"], archive.copies()) == (1, names, names)
    assert "`restore documents` brings it back from the copy" in said["summary"]


def test_an_object_without_row_is_copied_and_told(archive, backup):
    name = storage.new_name()
    storage.put(name, [b"nobody's"])
    code, said = backup()
    assert (code, said["without_row"], archive.copies()) == (0, [name], [name])


def test_a_row_without_object_anywhere_is_told(archive, backup):
    name = archive.add()
    storage.remove(name)
    code, said = backup()
    assert (code, said["lost"]) == (1, [name])
    assert "neither in the store nor in the copy" in said["summary"]


def test_a_row_that_is_young_may_still_wait_for_its_copy(archive, backup, monkeypatch):
    monkeypatch.setattr(comparing, "UNDERWAY", timedelta(hours=1))
    storage.remove(archive.add())
    assert backup()[0] == 0


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("copied stored row settled", ""),
        ("copied stored row", ""),
        ("copied row settled", "gone"),
        ("copied row", "gone"),
        ("row settled", "lost"),
        ("row", ""),
        ("stored row settled", ""),
        ("stored row", ""),
        ("copied stored", "without_row"),
        ("copied", "deleted"),
        ("stored", ""),
    ],
)
def test_each_name_is_sorted_by_where_it_is_known(where, expected):
    known = [{"x"} if word in where.split() else set() for word in ("copied", "stored", "row", "settled")]
    found = sort(*known)
    assert found == Sorted(**{name: ("x",) if name == expected else () for name in Sorted.__dataclass_fields__})
