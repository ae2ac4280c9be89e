"""What `maintain tune --apply` brings on this machine: two servers with the same rows, one tuned, asked by turns.

    python -m benchmarks.tuning [--rows 400000] [--turns 5] [--seconds 4] [--directory DIR]

Both run all the time; in each turn pgbench asks one and then the other, in each second turn the other way round. The
work is like ours: a record is read by its key and a row written for it; a page of a sorted search; a count over all.
"""

import argparse
import os
import re
import statistics
import subprocess
from pathlib import Path

import django

from healthrecords.embedded.throwaway import Throwaway

WORK = {
    "read a record, write its row": (4, """
        \\set id random(1, :rows)
        BEGIN;
        SELECT body FROM record WHERE id = :id;
        INSERT INTO event (record, actor) VALUES (:id, 'token 7');
        COMMIT;
    """),
    "a page of a sorted search": (4, """
        \\set group random(1, 100)
        SELECT id, name, born FROM record WHERE area = :group ORDER BY born, id LIMIT 50;
    """),
    "a count over all": (1, "SELECT area, count(*), max(born) FROM record GROUP BY area;"),
}  # fmt: skip
TABLES = """
    CREATE TABLE record (id bigint PRIMARY KEY, area int, name text, born date, body text);
    CREATE TABLE event (id bigserial PRIMARY KEY, at timestamptz DEFAULT now(), record bigint, actor text);
    INSERT INTO record SELECT n, mod(n, 100) + 1, md5(n::text), '1930-01-01'::date + mod(n::bigint * 7919, 33000)::int,
        repeat(md5((n + 1)::text), 30) FROM generate_series(1, {rows}) n;
    CREATE INDEX record_area ON record (area);
"""
# As `make run` and compose start it, not as the tests do.
HONEST = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "shared_buffers": "256MB",
          "max_wal_size": "1GB", "min_wal_size": "80MB"}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=400_000)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--directory", help="where both servers are; else the usual place for temporary files")
    wanted = parser.parse_args()
    os.environ.update(Throwaway().environment(), DJANGO_SETTINGS_MODULE="healthrecords.settings")
    django.setup()
    from ops.backup.tests.cluster import Cluster

    folder = wanted.directory or "/var/tmp"  # noqa: S108
    plain, tuned = Cluster(folder, **HONEST), Cluster(folder, **HONEST)
    try:
        for cluster in (plain, tuned):
            cluster.start()
            cluster.run(TABLES.format(rows=wanted.rows))
            cluster.run("VACUUM ANALYZE record")
        tune(tuned)
        for name, work in WORK.items():
            compare(name, work, {"plain": plain, "tuned": tuned}, wanted)
    finally:
        plain.remove()
        tuned.remove()


def tune(cluster) -> None:
    """As an operator does: the settings, then a restart."""
    from django.db import connections

    from healthrecords.embedded.signals import StopSignal
    from healthrecords.embedded.supervisor import Supervisor
    from ops.maintenance import tuning

    password = cluster.passwords["database_maintenance"]
    connections["maintenance"].settings_dict.update(PORT=cluster.postgres.port, PASSWORD=password)
    plan = tuning.plan()
    tuning.apply(plan)
    connections["maintenance"].close()
    print(tuning.told(plan, applied=True))
    for row in plan.as_rows():
        print(f"  {row['setting']}: {row['now']} → {row['advised']}")
    cluster.stop()
    cluster.supervisor = Supervisor(cluster.home, StopSignal(), print)
    cluster.start()


def compare(name: str, work: tuple[int, str], servers, wanted) -> None:
    """By turns; the ratio of each turn counts, since both halves of a turn see the same neighbors."""
    clients, script = work
    file = Path(servers["plain"].folder) / "work.sql"
    file.write_text(script)
    rates: dict[str, list[float]] = {"plain": [], "tuned": []}
    for turn in range(wanted.turns):
        for label, cluster in list(servers.items())[:: 1 if turn % 2 else -1]:
            rates[label].append(rate(cluster, file, clients, wanted))
    ratios = [after / before for before, after in zip(rates["plain"], rates["tuned"], strict=True)]
    before, after = (statistics.median(rates[label]) for label in ("plain", "tuned"))
    spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
    print(f"{name}: {before:.0f} a second before, {after:.0f} after; ratio {statistics.median(ratios):.2f} ({spread})")


def rate(cluster, file: Path, clients: int, wanted) -> float:
    """Transactions a second."""
    from ops.backup.programs import program

    done = subprocess.run(
        [program("pgbench"), "-n", "-f", str(file), "-c", str(clients), "-j", "2", "-T", str(wanted.seconds),
         "-D", f"rows={wanted.rows}", "-M", "prepared", "healthrecords"],
        env={"PGHOST": "127.0.0.1", "PGPORT": str(cluster.postgres.port), "PGUSER": "healthrecords_owner",
             "PGPASSWORD": cluster.passwords["database_owner"], "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    assert found, done.stdout
    return float(found[1])


if __name__ == "__main__":
    main()
