"""What the stores allow: roles of the database, addresses they listen on, secrets that stay secret."""

import http.client
import json
import os
import socket
from pathlib import Path

import boto3
import psutil
import psycopg
import pytest
from django.db import Error, connections


def _home() -> Path:
    return Path(os.environ["HEALTHCARE_DATA_DIR"])


def _query(alias: str, text: str) -> list[tuple]:
    with connections[alias].cursor() as cursor:
        cursor.execute(text)
        return cursor.fetchall() if cursor.description else []


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id int)",
        "CREATE TEMPORARY TABLE mine (id int)",
        "CREATE SCHEMA mine",
        "DROP TABLE django_migrations",
        "TRUNCATE django_session",
        "ALTER TABLE django_session ADD COLUMN mine int",
        "SET ROLE healthrecords_owner",
    ],
)
def test_the_application_creates_and_drops_nothing(db, statement):
    with pytest.raises(Error, match=r"permission denied|must be owner"):
        _query("default", statement)


def test_the_database_itself_lets_the_application_connect_and_no_more(db):
    asked = "has_database_privilege('healthrecords_app', 'healthrecords', %s)"
    rights = ("CONNECT", "CREATE", "TEMPORARY")
    allowed = _query("default", "SELECT " + ", ".join(asked % f"'{right}'" for right in rights))
    assert allowed == [(True, False, False)]


def test_the_owner_may_create_trusted_extensions(db):
    _query("owner", "CREATE EXTENSION IF NOT EXISTS pg_trgm")
    assert _query("default", "SELECT similarity('anna', 'anne') > 0") == [(True,)]


def test_nobody_is_superuser_but_the_superuser(db):
    rows = _query(
        "default", "SELECT rolname FROM pg_roles WHERE rolsuper OR rolcreaterole OR rolreplication OR rolbypassrls"
    )
    assert set(rows) == {("postgres",), ("healthrecords_backup",)}


def test_the_backup_role_replicates_and_no_more(db):
    rows = _query(
        "default",
        "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls, rolreplication FROM pg_roles "
        "WHERE rolname = 'healthrecords_backup'",
    )
    assert rows == [(False, True)]


def test_passwords_are_kept_as_scram_and_stand_in_no_statistics(db):
    assert _query("owner", "SHOW password_encryption") == [("scram-sha-256",)]
    seen = _superuser(
        "SELECT count(*) FROM pg_stat_statements "
        "WHERE query ~* 'password.*scram' OR query ~* '(create|alter) (role|user) .*password'"
    )
    assert seen == 0


def _superuser(question: str) -> object:
    home = _home()
    password = json.loads((home / "secrets" / "passwords.json").read_text())["postgres"]
    port = connections["default"].settings_dict["PORT"]
    with psycopg.connect(
        host="127.0.0.1", port=port, user="postgres", password=password, dbname="healthrecords"
    ) as connection:
        return connection.execute(question).fetchone()[0]


def test_the_database_keeps_checksums_and_what_backups_need(db):
    names = ("data_checksums", "wal_level", "summarize_wal", "log_error_verbosity", "log_min_error_statement")
    shown = dict(
        _query(
            "default",
            f"SELECT name, setting FROM pg_settings WHERE name IN {names}",  # noqa: S608
        )
    )
    assert shown == dict(zip(names, ("on", "replica", "on", "terse", "panic"), strict=True))


def test_every_store_listens_on_the_loopback_address_only():
    home = _home()
    pids = [int(file.read_text().split()[0]) for file in (home / "run").glob("*.pid")]
    listening = [
        each.laddr.ip
        for pid in pids
        if psutil.pid_exists(pid)
        for each in psutil.Process(pid).net_connections("inet")
        if each.status == psutil.CONN_LISTEN
    ]
    assert len(listening) >= 10
    assert set(listening) == {"127.0.0.1"}


def test_no_password_is_an_argument_of_a_process():
    home = _home()
    secrets = (home / "secrets" / "passwords.json").read_text().split('"')[3::4]
    told = " ".join(" ".join(each.info["cmdline"] or []) for each in psutil.process_iter(["cmdline"]))
    assert len(secrets) > 10
    assert not [secret for secret in secrets if secret in told]


def test_only_we_may_read_the_secrets():
    home = _home()
    for file in (home / "secrets", home / "secrets" / "passwords.json", home / "metrics-token", home / "alerts-token"):
        assert file.stat().st_mode & 0o077 == 0


def test_the_cache_refuses_who_does_not_know_its_password(settings):
    port = int(settings.CACHES["default"]["LOCATION"].rpartition(":")[2].partition("/")[0])
    with socket.create_connection(("127.0.0.1", port)) as outsider:
        outsider.sendall(b"PING\r\n")
        assert outsider.recv(100).startswith(b"-NOAUTH")


@pytest.mark.parametrize(
    ("part", "path", "code"),
    [
        ("s3.port", "/documents/.ready", 403),
        ("filer.port", "/buckets/documents/.ready", 401),
        ("filer.port", "/any", 401),
        ("volume.port", "/1,01637037d6", 401),
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_no_part_of_the_object_store_serves_an_outsider(part, path, code, method):
    port = json.loads((_home() / "ports.json").read_text())[part]
    outsider = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    outsider.request(method, path)
    assert outsider.getresponse().status == code


def test_an_object_can_be_written_and_read_by_the_application(settings):
    store = boto3.client(
        "s3",
        endpoint_url=settings.S3_ENDPOINT,
        aws_access_key_id=settings.S3_ACCESS_KEY,
        aws_secret_access_key=settings.S3_SECRET_KEY,
        region_name="us-east-1",
    )
    store.put_object(Bucket=settings.S3_BUCKET, Key="a/b", Body=b"sealed")
    assert store.get_object(Bucket=settings.S3_BUCKET, Key="a/b")["Body"].read() == b"sealed"
