"""Restores bring back exactly what was committed by the moment asked for."""

import os
import random
import re
import shutil
import signal

import psutil
import psycopg

from ops.backup.place import place
from ops.backup.points import make


def test_the_newest_backup_is_restored_into_a_new_directory(site):
    site.mark(1)
    site.back_up()
    done = site.restore()
    assert site.read(done.folder) == [1]
    assert done.findings.rows["public.marker"] == 1


MOMENTS = int(os.environ.get("RESTORED_MOMENTS", "4"))  # how many random times are restored to
LAST = max(12, MOMENTS + 4)


def test_a_chain_with_its_log_comes_back_to_random_times_and_points(site):
    with site.receiving() as caught_up:
        caught_up()
        times = {}
        for number in range(LAST):
            if number in {0, 4, 8}:
                site.back_up("incremental" if number else "full")
            times[number] = site.mark(number)
            if number == 6:
                make("before-the-upgrade")
        caught_up()
        for number in random.sample(sorted(times), MOMENTS):
            assert site.read(site.restore(time=times[number]).folder) == list(range(number + 1)), number
        assert site.read(site.restore(point="before-the-upgrade").folder) == list(range(7))
        assert site.read(site.restore().folder) == list(range(LAST))


def test_the_end_of_the_log_is_right_for_a_time_after_the_last_commit(site):
    with site.receiving() as caught_up:
        caught_up()
        site.back_up()
        site.mark(1)
        (later,) = site.cluster.run("SELECT clock_timestamp()")[0]
        caught_up()
        assert site.read(site.restore(time=later).folder) == [1]


def test_what_only_the_spool_holds_is_restored_and_without_it_what_the_repository_has(site):
    with site.receiving() as caught_up:
        caught_up()
        site.back_up()
        site.mark(1)
        caught_up()
        site.receiver.open_every = 1e9
        site.mark(2)
        caught_up()
        assert site.read(site.restore().folder) == [1, 2]
        spool = site.cluster.work / "spool"
        site.receiver.child.kill()
        site.receiver.child.wait()
        shutil.rmtree(spool)
        spool.mkdir()
        assert site.read(site.restore().folder) == [1]


def test_a_new_instance_runs_beside_the_server_on_this_machine_alone(site, operate):
    site.mark(1)
    site.back_up()
    said = operate("restore", "database", "latest", "--target", "new-instance", "--json")
    assert said.code == 0, said.err
    port = int(re.search(r"127\.0\.0\.1:(\d+)", said.out)[1])
    server = psutil.Process(
        int(next((place().root / "instances").glob("*/cluster/postmaster.pid")).read_text().split()[0])
    )
    try:
        url = re.sub(r":\d+/", f":{port}/", site.cluster.postgres.url("healthrecords_owner", "database_owner"))
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT n FROM marker").fetchall() == [(1,)]
        assert {each.laddr.ip for each in server.net_connections() if each.status == "LISTEN"} == {"127.0.0.1"}
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(20)
