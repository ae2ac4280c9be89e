"""A start with keys that are not this database's ends with one sentence."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings as current_settings
from django.core.management import call_command
from django.core.management.base import CommandError

from healthrecords.crypto import keys, known
from healthrecords.crypto.models import SealingKey

CHECKOUT = Path(__file__).resolve().parents[3]
OTHER_KEY = "B" * 42 + "A="
SERVERS = {
    "web": ["-c", "import healthrecords.wsgi"],
    "worker": ["-m", "celery", "-A", "healthrecords.celery", "report"],
}


@pytest.fixture
def start(key_file):
    """Start a server's process as far as its keys; return its exit code and its last words."""

    def start(server="web"):
        url = os.environ["HEALTHCARE_DATABASE_URL"].rpartition("/")[0]
        name = current_settings.DATABASES["default"]["NAME"]
        addresses = {
            "HEALTHCARE_DATABASE_URL": f"{url}/{name}",
            "HEALTHCARE_DATABASE_OWNER_URL": "",
            "HEALTHCARE_FIELD_KEY_FILE": str(key_file),
            "HEALTHCARE_INDEX_KEY_FILE": str(current_settings.INDEX_KEY_FILE),
        }
        argv = [sys.executable, *SERVERS[server]]
        done = subprocess.run(
            argv, cwd=CHECKOUT, env={**os.environ, **addresses}, capture_output=True, text=True, timeout=60, check=False
        )
        return done.returncode, done.stderr

    return start


def refused(answer, *words):
    code, err = answer
    assert code != 0
    assert "Traceback" not in err
    last = err.strip().splitlines()[-1]
    assert last.startswith("Cannot start: HEALTHCARE_")
    assert all(word in last for word in words), last


def test_the_first_start_remembers_the_keys_and_not_their_values(start, key_file, db):
    assert start()[0] == 0
    rows = {row.purpose: row for row in SealingKey.objects.all()}
    assert set(rows) == {"field", "index"}
    assert rows["field"].key_id == key_file.read_text()[:8]
    assert bytes(rows["field"].fingerprint) not in keys.FIELD.ring().keys.values()
    assert start()[0] == 0


@pytest.mark.parametrize("server", SERVERS)
def test_another_key_by_the_same_id_is_refused(start, key_file, db, server):
    start()
    key_file.write_text(f"{key_file.read_text()[:8]}:{OTHER_KEY}\n")
    refused(start(server), "HEALTHCARE_FIELD_KEY_FILE", str(key_file), key_file.read_text()[:8], "is not the one")


@pytest.mark.parametrize("server", SERVERS)
def test_a_file_that_lacks_the_key_of_values_is_refused(start, key_file, clinician, server):
    start()
    clinician.create()
    lost = key_file.read_text()[:8]
    key_file.write_text(f"0badcafe:{OTHER_KEY}\n")
    refused(start(server), "HEALTHCARE_FIELD_KEY_FILE", "lacks the key", lost)
    assert not SealingKey.objects.filter(key_id="0badcafe").exists()


def test_a_lost_key_under_which_nothing_is_stops_nothing(start, key_file, db):
    start()
    key_file.write_text(f"0badcafe:{OTHER_KEY}\n")
    assert start()[0] == 0


def test_another_index_key_is_refused(start, settings, tmp_path, db):
    start()
    index = tmp_path / "index.key"
    index.write_text(f"0badcafe:{OTHER_KEY}\n")
    index.chmod(0o600)
    settings.INDEX_KEY_FILE = str(index)
    refused(start(), "HEALTHCARE_INDEX_KEY_FILE", "lacks the key")


def test_a_key_that_others_may_read_is_refused(start, key_file, db):
    key_file.chmod(0o640)
    refused(start(), "HEALTHCARE_FIELD_KEY_FILE", "others may read")


def test_two_lines_with_one_key_id_are_refused(start, key_file, db):
    key_file.write_text(f"{key_file.read_text()}{key_file.read_text()[:8]}:{OTHER_KEY}\n")
    refused(start(), "HEALTHCARE_FIELD_KEY_FILE", "two lines with one key id")


def test_a_database_that_does_not_answer_stops_no_start(key_file, db, monkeypatch, caplog):
    from django.db import OperationalError

    def fail(using):
        raise OperationalError("connection refused")

    monkeypatch.setattr(known, "remember_keys", fail)
    known.refuse_foreign_keys()
    assert "could not be compared" in caplog.text


def test_a_command_that_opens_values_refuses_foreign_keys_in_one_sentence(start, key_file, db, capsys):
    start()
    key_file.write_text(f"{key_file.read_text()[:8]}:{OTHER_KEY}\n")
    keys.FIELD.forget()
    with pytest.raises(CommandError) as end:
        call_command("documents", "holds", "--json")
    assert end.value.returncode == 2
    assert "is not the one that this database was sealed with" in capsys.readouterr().out
