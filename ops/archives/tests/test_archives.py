"""`backup config | logs | application` and their way back."""

import hashlib
import os
import subprocess
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from ops.archives import taking
from ops.archives.tasks import archive
from ops.runs import Run

APPLICATION = ["deploy/start.sh", "docker-compose.yml", "manage.py", "ops/a.py", "requirements.txt"]


def test_the_application_is_kept_once_and_comes_back_as_it_was(vault, answer):
    assert answer("backup", "application", "--dry-run")[1]["files"] == 5
    assert vault.objects("archives/*/*") == []
    code, said = answer("backup", "application")
    assert (code, said["files"]) == (0, 5)
    again = answer("backup", "application")[1]
    assert again["id"] == said["id"]
    assert "holds this application already" in again["summary"]
    vault.write("source/ops/a.py", "# another version\n")
    later = answer("backup", "application")[1]["id"]
    assert later != said["id"]
    target = vault.folder / "back"
    code, told = answer("restore", "application", said["id"], "--target", str(target))
    assert (code, told["files"]) == (0, 5)
    files = vault.files(target)
    first = hashlib.sha256(b"# deploy/start.sh\n").hexdigest()
    assert files.pop("SHA256SUMS").splitlines()[0] == f"{first}  deploy/start.sh"
    assert files == {name: f"# {name}\n" for name in APPLICATION}
    assert os.access(target / "deploy/start.sh", os.X_OK)


@pytest.mark.needs("git")
def test_the_commit_is_kept_and_whether_files_differ_from_it(vault, answer):
    def git(line):
        return subprocess.run(["git", *line.split()], cwd=vault.source, check=True, capture_output=True, text=True)

    for line in ("init -q", "add manage.py", "-c user.name=x -c user.email=x@example.org commit -qm one"):
        git(line)
    commit = git("rev-parse HEAD").stdout.strip()
    assert answer("backup", "application")[1]["commit"] == commit
    vault.write("source/manage.py", "# changed\n")
    assert answer("backup", "application")[1]["commit"] == f"{commit}-dirty"


def test_what_is_secret_in_the_configuration_is_sealed_to_the_offline_key_alone(vault, answer, settings):
    settings.BACKUP_CONFIG = [str(vault.write("elsewhere/haproxy.cfg", "listen\n").parent)]
    assert answer("backup", "config")[0] == 0
    target = vault.folder / "open"
    code, said = answer("restore", "config", "--target", str(target))
    assert (code, said["plan"]["stays sealed"]) == (0, "keys")
    assert "The keys stay sealed" in said["summary"]
    files = vault.files(target)
    assert {"settings/deploy/start.sh", "settings/docker-compose.yml", "settings/settings.env"} < set(files)
    assert "HEALTHCARE_SECRET_TOKEN=\n" in files["settings/settings.env"]
    assert "HEALTHCARE_DATA_DIR=/" in files["settings/settings.env"]
    assert not any("not for everybody" in text or "not the application's" in text for text in files.values())
    vault.offline()
    target = vault.folder / "shut"
    assert answer("restore", "config", "--target", str(target))[0] == 0
    files = vault.files(target)
    assert "HEALTHCARE_SECRET_TOKEN=not for everybody" in files["keys/settings.env"]
    assert files["keys/secrets/field.key"]
    assert files[f"keys/files{vault.source}/.env"] == "not the application's\n"
    assert files[f"keys/files{vault.folder}/elsewhere/haproxy.cfg"] == "listen\n"


def test_logs_are_kept_when_they_have_changed(vault, answer, settings):
    settings.BACKUP_LOGS = str(vault.folder / "logs")
    old, new = vault.write("logs/gunicorn.1.log", "old\n"), vault.write("logs/gunicorn.log", "new\n")
    assert answer("backup", "logs")[1]["files"] == 2
    for path in (old, new):
        os.utime(path, (1, 1))
    assert answer("backup", "logs")[1]["summary"].startswith("No log file has changed")
    vault.write("logs/gunicorn.log", "new\nnewer\n")
    said = answer("backup", "logs")[1]
    assert said["files"] == 1
    target = vault.folder / "back"
    assert answer("restore", "logs", "--target", str(target))[0] == 0
    assert vault.files(target)["gunicorn.log"] == "new\nnewer\n"


def test_what_is_there_is_kept_when_it_is_replaced(vault, answer, operate):
    answer("backup", "application")
    target = vault.write("live/mine", "here\n").parent
    assert operate("restore", "application", "--target", str(target)).refuses("is not empty; name another directory")
    code, said = answer("restore", "application", "--target", str(target), "--replace", "--dry-run")
    assert (code, said["plan"]["replaces"][:27]) == (0, "what is there now, kept as ")
    assert vault.files(target) == {"mine": "here\n"}
    assert answer("restore", "application", "--target", str(target), "--replace")[0] == 0
    (kept,) = vault.folder.glob("live.before-*")
    assert (vault.files(kept), "manage.py" in vault.files(target)) == ({"mine": "here\n"}, True)


def test_the_timetable_leaves_a_record_of_each_and_passes_over_logs_that_are_nowhere(vault, db, settings):
    settings.BACKUP_LOGS = ""
    for kind in ("config", "logs", "application"):
        archive(kind)
    assert list(Run.objects.order_by("ended").values_list("command", "outcome")) == [
        ("backup config", "good"),
        ("backup application", "good"),
    ]


@pytest.mark.needs("age")
@pytest.mark.needs("zstd")
def test_an_archive_is_opened_and_verified_by_hand(vault, answer):
    answer("backup", "application")
    (packed,) = vault.objects("archives/*/*.age")
    (vault.folder / "by-hand").mkdir()
    command = f"age -d -i {vault.folder}/offline {packed} | zstd -d | tar x && sha256sum -c --quiet SHA256SUMS"
    subprocess.run(["sh", "-euc", command], cwd=vault.folder / "by-hand", check=True)
    assert (vault.folder / "by-hand/manage.py").read_text() == "# manage.py\n"


def test_verification_reads_the_archives_too(vault, answer, settings):
    answer("backup", "application")
    assert answer("backup", "verify")[0] == 0
    (packed,) = vault.objects("archives/*/*.age")
    data = packed.read_bytes()
    packed.chmod(0o600)
    packed.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    code, said = answer("backup", "verify")
    assert (code, packed.name in said["findings"][0]) == (1, True)


def test_archives_are_listed_with_the_backups(vault, answer):
    made = answer("backup", "application")[1]["id"]
    assert [each["id"] for each in answer("backup", "list")[1]["archives"]] == [made]


def test_old_archives_go_and_the_newest_of_each_kind_stays(vault, answer, settings, monkeypatch):
    def made(kind, days):
        time = datetime(2026, 1, 31, tzinfo=UTC) - timedelta(days=days)
        monkeypatch.setattr(taking, "datetime", SimpleNamespace(now=lambda _: time))
        return answer("backup", kind)[1]["id"]

    application, old, older = made("application", 60), made("config", 31), made("config", 30)
    newest = made("config", 0)
    settings.BACKUP_ARCHIVE_DAYS = 30
    assert "1 old archive would be removed, too" in answer("backup", "retention", "--dry-run")[1]["summary"]
    answer("backup", "retention")
    left = {path.parent.name for path in vault.objects("archives/*/entry.json")}
    assert left == {application, older, newest}
    assert not vault.objects(f"archives/{old}/*")
