"""Full and incremental backups and a restore, beside plain `pg_basebackup` and `cp` in the same run.

    python -m benchmarks.backup [--megabytes 1500] [--directory DIR]

Aim: a full backup (verified, compressed, encrypted, uploaded) and a restore (verified, recovered, checked) each within
twice what pg_basebackup and cp together need for the same bytes.
"""

import argparse
import os
import shutil
import subprocess
import time
from collections.abc import Callable

import django

from healthrecords.embedded.throwaway import Throwaway

_ROW = 1000  # bytes of text in a row, of which about half is compressible


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1500)
    parser.add_argument("--directory", help="where everything is; in memory unless said otherwise")
    wanted = parser.parse_args()
    os.environ.update(Throwaway().environment(), DJANGO_SETTINGS_MODULE="healthrecords.settings")
    django.setup()
    from ops.backup.tests.cluster import Cluster

    cluster = Cluster(wanted.directory, shared_buffers="256MB", max_wal_size="4GB")
    try:
        cluster.start()
        os.environ["HEALTHCARE_POSTGRES_BIN"] = str(cluster.postgres.programs)
        measure(cluster, wanted.megabytes * 1_000_000 // _ROW)
    finally:
        cluster.remove()


def measure(cluster, rows: int) -> None:
    from django.conf import settings

    from ops.backup.place import place
    from ops.backup.repository import repository
    from ops.backup.taking import take
    from ops.restore import plan as plans
    from ops.restore.restoring import restore
    from ops.restore.target import target

    for name, value in cluster.settings().items():
        setattr(settings, name, value)
    fill(cluster, rows)
    baseline = timed("pg_basebackup alone", lambda: base_backup(cluster))
    copy = timed("cp -r of that copy", lambda: cp(cluster.folder / "base", cluster.folder / "copy"))
    for name in ("base", "copy"):
        shutil.rmtree(cluster.folder / name)
    full = timed("full backup", lambda: take("full"))
    for number in range(2):
        change(cluster, rows, number)
        timed("incremental backup, 1 % of the rows", lambda: take("incremental"))
    sizes = [entry.size / 1e6 for entry in plans.catalogue(repository()).entries]
    print(f"sealed: {', '.join(f'{size:.1f} MB' for size in sizes)}")
    plan = plans.make(plans.Wanted(), target(str(cluster.folder / "restored")), repository(), place())
    back = timed("restore of the chain of three", lambda: restore(plan, repository(), place(), print, lambda _: None))
    print(f"full / (pg_basebackup + cp): {full / (baseline + copy):.2f}")
    print(f"restore / (pg_basebackup + cp): {back / (baseline + copy):.2f}")


def fill(cluster, rows: int) -> None:
    cluster.run("CREATE TABLE filler (n bigint PRIMARY KEY, text text)")
    cluster.run(
        "INSERT INTO filler SELECT n, (SELECT string_agg(md5((n * 16 + i)::text), '') || repeat('x', 500) "
        "FROM generate_series(1, 15) i WHERE n IS NOT NULL) FROM generate_series(1, %s) n",
        rows,
    )
    size = cluster.run("SELECT pg_database_size('healthrecords')")[0][0]
    print(f"database: {size / 1e6:.0f} MB")


def change(cluster, rows: int, number: int) -> None:
    first = number * rows // 10
    cluster.run("UPDATE filler SET text = text || 'y' WHERE n BETWEEN %s AND %s", first, first + rows // 100)


def base_backup(cluster) -> None:
    from ops.backup.programs import run
    from ops.backup.server import login

    run("pg_basebackup", f"--pgdata={cluster.folder / 'base'}", "--checkpoint=fast", "--no-sync", environment=login())


def cp(source, target) -> None:
    subprocess.run(["cp", "-r", source, target], check=True)


def timed(name: str, work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    seconds = time.monotonic() - began
    print(f"{name}: {seconds:.1f} s")
    return seconds


if __name__ == "__main__":
    main()
