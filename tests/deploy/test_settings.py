"""A setting that is missing or weak stops the start with one sentence that names it, and shows no secret."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

FILES = {
    "SECRET_KEY": "secret_key",
    "DATABASE_URL": "database_url",
    "CACHE_URL": "cache_url",
    "BROKER_URL": "broker_url",
    "S3_ACCESS_KEY": "s3_access_key",
    "S3_SECRET_KEY": "s3_secret_key",
    "METRICS_TOKEN": "metrics_token",
    "FIELD_KEY": "field_key",
    "INDEX_KEY": "index_key",
}
REQUIRED = [
    "HEALTHCARE_SECRET_KEY",
    "HEALTHCARE_FIELD_KEY_FILE",
    "HEALTHCARE_INDEX_KEY_FILE",
    "HEALTHCARE_DATABASE_URL",
    "HEALTHCARE_CACHE_URL",
    "HEALTHCARE_BROKER_URL",
    "HEALTHCARE_S3_ENDPOINT",
    "HEALTHCARE_S3_ACCESS_KEY",
    "HEALTHCARE_S3_SECRET_KEY",
    "HEALTHCARE_PUBLIC_URL",
    "HEALTHCARE_TRUSTED_PROXIES",
]
URL = "postgres://healthrecords_app:{}@postgres/healthrecords"
WEAK = [
    ("HEALTHCARE_SECRET_KEY", "s3cr3t-k3y", "too short: 10 characters, at least 50"),
    ("HEALTHCARE_SECRET_KEY", "django-insecure-" + "x1y2z3" * 10, "known default"),
    ("HEALTHCARE_SECRET_KEY", "a" * 60, "repeats the same few characters"),
    ("HEALTHCARE_DATABASE_URL", "sqlite:///records.db", "postgres://"),
    ("HEALTHCARE_DATABASE_URL", "mysql://app:kQ3vW8rT5yU2@db/name", "postgres://"),
    ("HEALTHCARE_DATABASE_URL", "postgres://[", "postgres://"),
    ("HEALTHCARE_DATABASE_URL", URL.format("tiny"), "too short: 4 characters"),
    ("HEALTHCARE_DATABASE_URL", URL.format("healthcare_admin_2025"), "known default"),
    ("HEALTHCARE_DATABASE_URL", "postgres://healthrecords_app@postgres/healthrecords", "no password"),
    ("HEALTHCARE_DATABASE_OWNER_URL", "mysql://owner:kQ3vW8rT5yU2@db/name", "postgres://"),
    ("HEALTHCARE_DATABASE_POOL", "many", "whole number of at least 1"),
    ("HEALTHCARE_DATABASE_POOL", "0", "whole number of at least 1"),
    ("HEALTHCARE_CACHE_URL", "redis://redis:6379/0", "no password"),
    ("HEALTHCARE_CACHE_URL", "memcached://cache", "redis://"),
    ("HEALTHCARE_BROKER_URL", "redis://:changeme12345@redis:6379/1", "known default"),
    ("HEALTHCARE_S3_ENDPOINT", "minio:9000", "https://"),
    ("HEALTHCARE_S3_ACCESS_KEY", "minioadmin", "known default"),
    ("HEALTHCARE_S3_SECRET_KEY", "minioadmin", "too short"),
    ("HEALTHCARE_METRICS_TOKEN", "letmein", "at least 32"),
    ("HEALTHCARE_ALERTS_TOKEN", "letmein", "at least 32"),
    ("HEALTHCARE_ALERTMANAGER", "perhaps", "must be one of"),
    ("HEALTHCARE_PUBLIC_URL", "http://ehr.example.org", "https://"),
    ("HEALTHCARE_ALLOWED_HOSTS", "*", "name each host"),
    ("HEALTHCARE_TRUSTED_PROXIES", "proxy", "no network"),
    ("HEALTHCARE_TRUSTED_PROXIES", "0.0.0.0/0", "everybody"),
    ("HEALTHCARE_TIME_ZONE", "Mars/Olympus", "IANA name"),
    ("HEALTHCARE_LOG_LEVEL", "LOUD", "DEBUG, INFO"),
    ("HEALTHCARE_EMBEDDED", "perhaps", "must be one of"),
]


@pytest.fixture
def environment(secrets_dir, tmp_path):
    """What compose gives the application, with secret files that this account may read."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HEALTHCARE_")}
    clean |= {f"HEALTHCARE_{name}_FILE": str(copy(secrets_dir / file, tmp_path)) for name, file in FILES.items()}
    return clean | {
        "DJANGO_SETTINGS_MODULE": "healthrecords.settings",
        "HEALTHCARE_DATA_DIR": str(tmp_path / "none"),
        "HEALTHCARE_ALLOWED_HOSTS": "ehr.example.org,app",
        "HEALTHCARE_PUBLIC_URL": "https://ehr.example.org",
        "HEALTHCARE_TRUSTED_PROXIES": "172.31.251.0/28",
        "HEALTHCARE_S3_ENDPOINT": "http://minio:9000",
        # A `.env` in the checkout fills only what is not set at all.
        "HEALTHCARE_DATABASE_OWNER_URL": "",
        "HEALTHCARE_EMBEDDED": "",
        "HEALTHCARE_LOG_LEVEL": "",
        "HEALTHCARE_TIME_ZONE": "",
        "HEALTHCARE_DATABASE_POOL": "",
    }


def copy(source, directory):
    target = directory / source.name
    target.touch(mode=0o600)
    target.write_bytes(source.read_bytes())
    return target


def doctored(environment, name, value):
    """The environment with `value` for `name`, however it was given before."""
    others = {key: each for key, each in environment.items() if key != f"{name}_FILE"}
    return others | {name: value}


def manage(root, environment, *arguments):
    return run(root, environment, sys.executable, "manage.py", *arguments)


def run(root, environment, *command):
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=60, check=False)


def assert_refused(done, name, fragment, code=2):
    assert done.returncode == code, done.stderr
    (sentence,) = [line for line in done.stderr.splitlines() if line.startswith("Cannot start: ")]
    assert name in sentence
    assert fragment in sentence
    assert "Traceback" not in done.stderr


def test_a_production_environment_passes_djangos_own_deployment_checks(root, environment):
    done = manage(root, environment, "check", "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_value_is_named(root, environment, name):
    assert_refused(manage(root, doctored(environment, name, ""), "check"), name, "is not set")


@pytest.mark.parametrize(("name", "value", "fragment"), WEAK)
def test_a_weak_or_malformed_value_is_named_and_not_shown(root, environment, name, value, fragment):
    done = manage(root, doctored(environment, name, value), "check")
    assert_refused(done, name, fragment)
    assert value in ("*", "0", "0.0.0.0/0", "proxy") or value not in done.stderr


def test_a_secret_file_that_is_not_there_is_named(root, environment, tmp_path):
    environment["HEALTHCARE_SECRET_KEY_FILE"] = str(tmp_path / "gone")
    assert_refused(manage(root, environment, "check"), "HEALTHCARE_SECRET_KEY_FILE", "No such file")


def test_a_secret_file_that_is_no_text_is_named(root, environment, tmp_path):
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    environment["HEALTHCARE_CACHE_URL_FILE"] = str(tmp_path / "binary")
    assert_refused(manage(root, environment, "check"), "HEALTHCARE_CACHE_URL_FILE", "not text")


@pytest.mark.parametrize("name", ["HEALTHCARE_FIELD_KEY_FILE", "HEALTHCARE_INDEX_KEY_FILE"])
def test_a_key_file_that_others_may_read_is_refused(root, environment, name):
    Path(environment[name]).chmod(0o644)
    assert_refused(manage(root, environment, "check"), name, "others may read")


def test_a_key_file_that_is_not_there_is_refused(root, environment, tmp_path):
    environment["HEALTHCARE_FIELD_KEY_FILE"] = str(tmp_path / "gone")
    assert_refused(manage(root, environment, "check"), "HEALTHCARE_FIELD_KEY_FILE", "cannot be read")


@pytest.mark.parametrize("content", ["", "\n", "not a key\n", "00000000:short\n"])
def test_a_key_file_without_a_whole_key_is_refused(root, environment, content):
    Path(environment["HEALTHCARE_INDEX_KEY_FILE"]).write_text(content)
    assert_refused(
        manage(root, environment, "check"), "HEALTHCARE_INDEX_KEY_FILE", "key" if not content.strip() else "malformed"
    )


def test_one_key_for_both_purposes_is_refused(root, environment):
    environment["HEALTHCARE_INDEX_KEY_FILE"] = environment["HEALTHCARE_FIELD_KEY_FILE"]
    assert_refused(manage(root, environment, "check"), "HEALTHCARE_INDEX_KEY_FILE", "its own key")


def test_a_trailing_line_break_in_a_secret_file_is_not_part_of_the_value(root, environment, tmp_path):
    (tmp_path / "database_url").write_text(URL.format("kQ3vW8rT5yU2") + "\n")
    show = "from django.conf import settings; print(repr(settings.DATABASES['owner']['NAME']))"
    assert run(root, environment, sys.executable, "-c", show).stdout == "'healthrecords'\n"


def test_the_web_server_ends_with_the_sentence(root, environment):
    program = str(Path(sys.executable).with_name("gunicorn"))
    broken = doctored(environment, "HEALTHCARE_SECRET_KEY", "short") | {
        "HEALTHCARE_BIND": "127.0.0.1:0",
        "HEALTHCARE_WEB_WORKERS": "1",
    }
    done = run(root, broken, program, "--config", "deploy/gunicorn.conf.py", "healthrecords.wsgi")
    assert_refused(done, "HEALTHCARE_SECRET_KEY", "too short", code=3)


@pytest.mark.parametrize("role", ["worker", "beat"])
def test_the_worker_and_the_timetable_end_with_the_sentence(root, environment, role):
    program = str(Path(sys.executable).with_name("celery"))
    done = run(root, doctored(environment, "HEALTHCARE_BROKER_URL", ""), program, "-A", "healthrecords.celery", role)
    assert_refused(done, "HEALTHCARE_BROKER_URL", "is not set")
    assert done.stderr.strip().count("\n") == 0


def test_a_request_that_came_without_tls_is_sent_to_it_but_probes_are_answered(root, environment):
    ask = (
        "import django; django.setup();"
        "from django.test import Client; ask = Client(headers={'host': 'app'}).get;"
        "print(ask('/admin/').status_code, ask('/admin/')['Location'], ask('/health').status_code)"
    )
    done = run(root, environment, sys.executable, "-c", ask)
    assert done.stdout.split() == ["301", "https://app/admin/", "200"], done.stderr
