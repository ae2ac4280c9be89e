"""`backup verify` finds whatever changed in the repository, without a key."""

import json
import random

from ops.backup.points import make

SPOT = random.SystemRandom()


def damaged(operate):
    said = operate("backup", "verify", "--json")
    found = json.loads(said.out)
    assert said.code == (1 if found["findings"] else 0)
    return found["findings"]


def flip(path):
    data = bytearray(path.read_bytes())
    data[SPOT.randrange(len(data))] ^= 1 << SPOT.randrange(8)
    path.chmod(0o600)
    path.write_bytes(data)


def a_full_repository(site):
    with site.receiving() as caught_up:
        caught_up()
        site.back_up()
        site.mark(1)
        site.back_up("incremental")
        make("point")
        site.mark(2)
        caught_up()


def test_fifty_flipped_bits_are_all_found_and_named(site, operate, settings):
    a_full_repository(site)
    settings.BACKUP_IDENTITY_FILE = ""
    assert damaged(operate) == []
    open_segment = set(site.cluster.repository.glob("open/*/*.zst.age"))  # lives for minutes and has no hash
    files = [path for path in site.cluster.repository.rglob("*") if path.is_file() and path not in open_segment]
    for path in (SPOT.choice(files) for _ in range(50)):
        before = path.read_bytes()
        flip(path)
        found = damaged(operate)
        assert any(path.name in sentence for sentence in found), path
        path.write_bytes(before)
    assert damaged(operate) == []


def test_what_is_missing_is_found(site, operate):
    with site.receiving() as caught_up:
        caught_up()
        site.back_up()
        for name in ("a", "b", "c"):
            make(name)
            caught_up()
    segments = sorted(site.cluster.repository.glob("wal/*/*"))
    segments[-2].unlink()
    (part,) = site.cluster.repository.glob("backups/*/base.tar.zst.age")
    part.unlink()
    found = damaged(operate)
    assert any("base.tar.zst.age is missing" in sentence for sentence in found)
    assert any(f"Segment {segments[-2].name[:24]} of the log is missing" in sentence for sentence in found)
