"""deploy/secrets.sh: random values, made once, in files that only their readers can open."""

import os
import shutil
import ssl
import stat
import subprocess


def run(root, directory, **environment):
    return subprocess.run(
        ["sh", root / "deploy/secrets.sh", "ehr.example.org", directory],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def contents(directory):
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_a_second_run_changes_nothing(root, secrets_dir):
    before = contents(secrets_dir)
    assert run(root, secrets_dir).stdout == ""
    assert contents(secrets_dir) == before


def test_a_lost_file_alone_is_made_again(root, tmp_path):
    run(root, tmp_path)
    before = contents(tmp_path)
    (tmp_path / "grafana_admin_password").unlink()
    assert run(root, tmp_path).stdout == "created grafana_admin_password\n"
    changed = {name for name, content in contents(tmp_path).items() if before[name] != content}
    assert changed == {"grafana_admin_password"}


def test_two_hosts_share_no_secret(root, secrets_dir, tmp_path):
    run(root, tmp_path)
    ours, theirs = contents(secrets_dir), contents(tmp_path)
    shared = sorted(name for name in ours if ours[name] == theirs[name])
    assert shared == ["alert_mail_password", "smtp_url", "witness_token"]  # empty until somebody writes them


def test_nobody_else_can_read_a_secret(secrets_dir):
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in secrets_dir.iterdir()}
    assert set(modes.values()) == {0o400, 0o440}
    assert {name for name in modes if name.endswith(("_key", "_url")) and modes[name] != 0o400} == {
        "grafana_secret_key"
    }
    assert stat.S_IMODE(secrets_dir.stat().st_mode) == 0o700


def test_the_files_belong_to_the_account_of_the_application(root, tmp_path):
    done = run(root, tmp_path)
    owners = {path.stat().st_uid for path in tmp_path.iterdir()}
    if os.geteuid() == 0:
        assert owners == {10001}
    else:
        assert owners == {os.geteuid()}
        assert "cannot read them" in done.stderr


def test_no_file_is_left_empty_when_random_values_fail(root, tmp_path):
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "openssl").symlink_to(shutil.which("false"))
    done = run(root, tmp_path / "secrets", PATH=f"{programs}:{os.environ['PATH']}")
    assert done.returncode != 0
    assert [path.name for path in (tmp_path / "secrets").iterdir() if not path.name.startswith(".")] == []


def test_without_openssl_nothing_is_made_and_the_operator_is_told(root, tmp_path):
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("dirname", "id", "mkdir"):
        (programs / name).symlink_to(shutil.which(name))
    done = subprocess.run(
        [shutil.which("sh"), root / "deploy/secrets.sh", "ehr.example.org", tmp_path / "secrets"],
        env={"PATH": str(programs)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "openssl is not installed" in done.stderr


def test_the_first_certificate_names_the_host(secrets_dir):
    context = ssl.create_default_context(cafile=secrets_dir / "tls.pem")
    (certificate,) = context.get_ca_certs()
    assert certificate["subjectAltName"] == (("DNS", "ehr.example.org"),)


def test_the_store_lets_its_one_identity_use_two_buckets(secrets_dir):
    import json

    (identity,) = json.loads((secrets_dir / "s3.json").read_text())["identities"]
    assert {action.partition(":")[2] for action in identity["actions"]} == {"documents", "audit"}


def test_the_script_for_the_roles_says_which_secret_is_missing(root, tmp_path):
    done = subprocess.run(
        ["sh", root / "deploy/postgres/roles.sh", tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "postgres_password is missing" in done.stderr
