"""The files of Prometheus, Alertmanager and Grafana: their own programs accept them, and they fit the compose file."""

import subprocess

import pytest
import yaml


def read(root, path):
    return yaml.safe_load((root / "deploy" / path).read_text())


@pytest.mark.needs("promtool")
def test_prometheus_accepts_its_configuration(root, tmp_path):
    text = (root / "deploy/prometheus/prometheus.yml").read_text()
    (tmp_path / "token").write_text("token")
    assert "/run/secrets/metrics_token" in text
    (tmp_path / "prometheus.yml").write_text(text.replace("/run/secrets/metrics_token", str(tmp_path / "token")))
    (tmp_path / "rules").symlink_to(root / "deploy/prometheus/rules")
    done = subprocess.run(
        ["promtool", "check", "config", tmp_path / "prometheus.yml"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "rules found" in done.stdout


@pytest.mark.needs("promtool")
def test_prometheus_accepts_its_rules(root):
    rules = sorted((root / "deploy/prometheus/rules").glob("*.yml"))
    done = subprocess.run(
        ["promtool", "check", "rules", "--lint-fatal", *rules], capture_output=True, text=True, check=False
    )
    assert rules
    assert done.returncode == 0, done.stderr


@pytest.mark.needs("amtool")
def test_alertmanager_accepts_its_configuration(root):
    done = subprocess.run(
        ["amtool", "check-config", root / "deploy/alertmanager/alertmanager.yml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_every_target_is_a_service_on_the_monitoring_network(root, compose):
    for job in read(root, "prometheus/prometheus.yml")["scrape_configs"]:
        for target in job["static_configs"][0]["targets"]:
            host = target.partition(":")[0]
            assert host == "127.0.0.1" or "monitoring" in compose["services"][host]["networks"], target


def test_every_exporter_is_asked(root, compose):
    jobs = read(root, "prometheus/prometheus.yml")["scrape_configs"]
    asked = {target.partition(":")[0] for job in jobs for target in job["static_configs"][0]["targets"]}
    assert {name for name in compose["services"] if name.endswith("_exporter")} | {"app", "haproxy"} <= asked


def test_the_application_is_asked_with_a_token_from_a_file(root, compose):
    (job,) = [job for job in read(root, "prometheus/prometheus.yml")["scrape_configs"] if job["job_name"] == "app"]
    assert job["authorization"] == {"type": "Bearer", "credentials_file": "/run/secrets/metrics_token"}
    assert "metrics_token" in compose["services"]["prometheus"]["secrets"]


def test_grafana_asks_prometheus_inside_the_network(root):
    (source,) = read(root, "grafana/provisioning/datasources/prometheus.yml")["datasources"]
    assert source["url"] == "http://prometheus:9090"
    assert source["editable"] is False
