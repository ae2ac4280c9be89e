"""A process that runs follows its key file, and keeps what it has where the file went wrong."""

import pytest

from healthrecords.crypto import keys
from healthrecords.crypto.creation import create_key
from healthrecords.crypto.envelope import CannotOpen, open_sealed, seal

OTHER = "0badcafe:" + "A" * 43 + "="


@pytest.fixture
def seldom(key_file, monkeypatch):
    """A process that has just looked at its key file and will not look again soon."""
    monkeypatch.setattr(keys, "LOOK_EVERY", 3600)
    keys.FIELD.ring()
    return key_file


def elsewhere(monkeypatch, work):
    """Do `work` as another process, which has read the key file by itself."""
    with monkeypatch.context() as patch:
        patch.setattr(keys, "FIELD", keys.KeyFile("field"))
        return work()


def test_a_value_under_a_key_that_came_since_the_last_look_opens_at_once(seldom, monkeypatch):
    key_id = elsewhere(monkeypatch, lambda: create_key(keys.FIELD))
    assert keys.field_keys().current.hex() != key_id
    envelope = elsewhere(monkeypatch, lambda: seal(b"hello", "here"))
    assert envelope[1:5].hex() == key_id
    assert open_sealed(envelope, "here") == b"hello"


def test_new_values_go_under_the_new_key_after_the_next_look(key_file, monkeypatch):
    keys.FIELD.ring()
    key_id = elsewhere(monkeypatch, lambda: create_key(keys.FIELD))
    monkeypatch.setattr(keys, "monotonic", lambda: keys.FIELD._next_look)
    assert seal(b"hello", "here")[1:5].hex() == key_id


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda file: file.write_text(OTHER + "\n"), "lost the key"),
        (lambda file: file.write_text(""), "holds no key"),
        (lambda file: file.write_text("half a li"), "malformed"),
        (lambda file: file.chmod(0o644), "others may read"),
        (lambda file: file.unlink(), "cannot be read"),
    ],
)
def test_a_file_that_went_wrong_is_told_and_not_followed(key_file, change, sentence, caplog):
    before = keys.FIELD.ring()
    change(key_file)
    assert keys.FIELD.ring(look=True) == before
    assert sentence in caplog.text
    assert "stay in use" in caplog.text


def test_a_key_that_is_nowhere_opens_nothing(key_file):
    envelope = seal(b"hello", "here")
    with pytest.raises(CannotOpen, match="No key 00000000"):
        open_sealed(envelope[:1] + bytes(4) + envelope[5:], "here")
