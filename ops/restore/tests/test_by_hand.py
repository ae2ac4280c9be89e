"""docs/runbooks/restore-by-hand.md, followed with the system's own age, zstd and tar: none of our code."""

import subprocess

import orjson
import pytest

from ops.restore.fetching import give

pytestmark = [pytest.mark.needs("age"), pytest.mark.needs("zstd")]


def by_hand(command, folder):
    done = subprocess.run(["sh", "-euc", command], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_chain_is_restored_by_hand(site):
    site.mark(1)
    site.back_up()
    site.mark(2)
    site.back_up("incremental")
    folder = site.cluster.folder / "restored-by-hand"
    folder.mkdir()
    links = [orjson.loads(path.read_bytes())["document"] for path in (site.cluster.repository / "catalogue").iterdir()]
    links.sort(key=lambda link: link["parent"] or "")
    opened = f"age -d -i {site.cluster.folder}/identity {site.cluster.repository}/backups"
    for link in (link["id"] for link in links):
        by_hand(
            f"mkdir {link} {link}/pg_wal\n"
            f"{opened}/{link}/base.tar.zst.age | zstd -d | tar x -C {link}\n"
            f"{opened}/{link}/pg_wal.tar.zst.age | zstd -d | tar x -C {link}/pg_wal\n"
            f"{opened}/{link}/backup_manifest.zst.age | zstd -d > {link}/backup_manifest\n"
            f"{site.cluster.postgres.programs}/pg_verifybackup {link}",
            folder,
        )
    names = " ".join(link["id"] for link in links)
    by_hand(f"{site.cluster.postgres.programs}/pg_combinebackup --output=cluster {names}", folder)
    if site.cluster.postgres.account:
        folder.chmod(0o711)
        give(folder / "cluster", site.cluster.postgres.account.uid, site.cluster.postgres.account.gid)
    assert site.read(folder / "cluster") == [1, 2]


def test_a_kit_is_opened_by_hand_and_holds_the_keys(site, operate, tmp_path, monkeypatch):
    monkeypatch.setenv("HEALTHCARE_KIT_PASSPHRASE", "four words in a row")
    assert "There is no recovery kit" in operate("backup", "list").out
    kit = tmp_path / "kit.age"
    assert operate("backup", "kit", str(kit)).code == 0
    assert "recovery kit" not in operate("backup", "list").out
    # age asks for a passphrase at a terminal alone: `script` gives it one.
    typed = f"(sleep 1; echo 'four words in a row') | script -qec 'age -d -o {tmp_path}/kit.tar {kit}' /dev/null"
    by_hand(f"{typed} >/dev/null; tar xf kit.tar", tmp_path)
    assert (tmp_path / "keys/identity").read_text() == f"{site.cluster.identity}\n"
    assert "HEALTHCARE_FIELD_KEY_FILE=" in (tmp_path / "settings.env").read_text()
    assert (tmp_path / "secrets/field.key").read_bytes()
    assert "HEALTHCARE_BACKUP_DOCUMENTS=file:///" in (tmp_path / "settings.env").read_text()
    assert len((tmp_path / "keys/documents-password").read_text()) > 32
    assert "restore database latest" in (tmp_path / "STEPS.txt").read_text()
    rotated = site.cluster.folder / "identity"
    before = rotated.read_text()
    rotated.write_text(f"{before}{before}")
    try:
        assert "Keys have changed since the last recovery kit" in operate("backup", "list").out
    finally:
        rotated.write_text(before)
    assert operate("backup", "kit", str(kit)).refuses("cannot be written (File exists)")
