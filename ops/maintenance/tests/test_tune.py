"""Tuning: what is advised for which machine; applied, undone, and told on a cluster of its own."""

import json
from types import SimpleNamespace

import pytest

from ops.maintenance import tuning
from ops.maintenance.advice import GB, MB, WHY, Machine, Setting, advise

SMALL = {
    "shared_buffers": 128 * MB, "effective_cache_size": 4 * GB, "work_mem": 4 * MB, "maintenance_work_mem": 64 * MB,
    "max_connections": 120, "max_wal_size": GB, "min_wal_size": 80 * MB, "random_page_cost": 4.0,
    "max_parallel_workers": 8, "max_parallel_workers_per_gather": 2, "max_parallel_maintenance_workers": 2,
    "autovacuum_vacuum_scale_factor": 0.2, "autovacuum_analyze_scale_factor": 0.1, "jit": 1,
}  # fmt: skip


def settings_of(numbers, fixed=()):
    return {name: Setting(name, number, str(number), name == "max_connections", name in fixed)
            for name, number in numbers.items()}  # fmt: skip


def advised(machine, numbers=SMALL):
    return {change.setting.name: change.value for change in advise(machine, settings_of(numbers))}


def test_a_server_of_16_gb_on_ssd():
    assert advised(Machine(16 * GB, 8, True, 200 * GB, 60)) == {
        "shared_buffers": "4096MB", "effective_cache_size": "12288MB", "work_mem": "34MB",
        "maintenance_work_mem": "1024MB", "max_wal_size": "8192MB", "min_wal_size": "2048MB",
        "random_page_cost": "1.1", "max_parallel_workers_per_gather": "4", "max_parallel_maintenance_workers": "4",
        "autovacuum_vacuum_scale_factor": "0.05", "autovacuum_analyze_scale_factor": "0.02", "jit": "off",
    }  # fmt: skip


def test_a_small_server_with_a_slow_and_nearly_full_disk():
    found = advised(Machine(GB, 1, False, 5 * GB, 60))
    assert (found["shared_buffers"], found["effective_cache_size"]) == ("256MB", "768MB")
    assert "random_page_cost" not in found
    assert "max_wal_size" not in found
    assert "work_mem" not in found
    assert found["max_parallel_workers_per_gather"] == "0"


@pytest.mark.parametrize(("sessions", "expected"), [(60, None), (120, None), (200, "200")])
def test_connections_follow_the_pools_and_are_never_taken_away(sessions, expected):
    assert advised(Machine(4 * GB, 2, True, 50 * GB, sessions)).get("max_connections") == expected


def test_what_was_advised_needs_no_more_advice():
    machine = Machine(16 * GB, 8, True, 200 * GB, 60)
    units = {"MB": MB}
    follow = {
        name: 0 if value == "off" else float(value.removesuffix("MB")) * (units["MB"] if value.endswith("MB") else 1)
        for name, value in advised(machine).items()
    }
    assert advised(machine, SMALL | follow) == {}


def test_memory_is_never_promised_twice():
    for memory in (512 * MB, GB, 3 * GB, 16 * GB, 256 * GB):
        found = {
            c.setting.name: c.value
            for c in advise(Machine(memory, 4, True, GB, 60), settings_of(dict.fromkeys(SMALL, 1)))
        }
        assert int(found["shared_buffers"].removesuffix("MB")) * MB <= max(memory // 2, 128 * MB)


def shown(cluster, name):
    return cluster.run("SELECT current_setting(%s)", name)[0][0]


def test_settings_are_shown_applied_and_taken_back(cluster, operate):
    wanted = ("--memory", "4096", "--cores", "4", "--disk", "ssd", "--json")
    first = json.loads(operate("maintain", "tune", *wanted).out)
    rows = {row["setting"]: row for row in first["settings"]}
    assert rows["shared_buffers"]["advised"] == "1024MB"
    assert (rows["shared_buffers"]["takes"], rows["work_mem"]["takes"]) == ("restart", "reload")
    assert "maintain tune --apply" in first["summary"]
    before = shown(cluster, "work_mem")
    done = operate("maintain", "tune", *wanted, "--apply")
    assert done.code == 0, done
    assert "A restart of PostgreSQL is needed for shared_buffers" in json.loads(done.out)["summary"]
    assert cluster.run("SELECT setting FROM pg_settings WHERE name = 'jit'") == [("off",)]
    assert shown(cluster, "work_mem") == rows["work_mem"]["advised"] != before
    left = {row["setting"] for row in json.loads(operate("maintain", "tune", *wanted).out)["settings"]}
    assert left == {name for name, row in rows.items() if row["takes"] == "restart"}
    assert operate("maintain", "tune", "--undo").code == 0
    assert shown(cluster, "work_mem") == before


def test_the_role_may_set_what_is_tuned_and_nothing_else(cluster):
    import psycopg

    with cluster.connect("healthrecords_maintenance", "database_maintenance") as connection:
        granted = connection.execute(
            "SELECT array_agg(parname ORDER BY parname) FROM pg_parameter_acl, aclexplode(paracl) "
            "WHERE grantee = current_user::regrole"
        ).fetchone()[0]
        assert granted == sorted(WHY)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("ALTER SYSTEM SET archive_command = 'false'")


def test_what_stands_on_the_command_line_is_told_and_left():
    found = advise(Machine(4 * GB, 4, True, 50 * GB, 60), settings_of(SMALL, fixed=("shared_buffers",)))
    plan = tuning.Plan(Machine(4 * GB, 4, True, 50 * GB, 60), tuple(found))
    assert "shared_buffers" not in {change.setting.name for change in plan.possible}
    assert "to be changed there: shared_buffers" in tuning.told(plan, applied=False)


def test_of_a_database_elsewhere_the_machine_must_be_told(db, operate, monkeypatch):
    monkeypatch.setattr(tuning, "_LOCAL", ())
    assert operate("maintain", "tune").refuses("--memory 3072")
    assert operate("maintain", "tune", "--memory", "2048", "--cores", "2", "--disk", "ssd").code == 0


def test_a_disk_that_is_none_is_refused(db, operate):
    assert operate("maintain", "tune", "--disk", "tape").refuses("--disk is ssd or hdd")


def test_pools_of_all_processes_are_counted(monkeypatch, settings):
    monkeypatch.setenv("HEALTHCARE_WEB_WORKERS", "8")
    monkeypatch.setattr(tuning, "settings", SimpleNamespace(DATABASES={"a": {"OPTIONS": {"pool": {"max_size": 10}}}}))
    assert tuning._sessions() == 110
    monkeypatch.setattr(tuning, "reports", lambda: [{"kind": "web"}] * 9 + [{"kind": "worker"}] * 3)
    assert tuning._sessions() == 120
