"""Passwords and keys: random, made once on the first start, in files that only we may read."""

import base64
import json
import secrets

from .home import Home, write_private

_NAMES = (
    "django",
    "postgres",
    "database_owner",
    "database_app",
    "database_sealer",
    "database_backup",
    "database_monitor",
    "database_maintenance",
    "valkey",
    "s3_access",
    "s3_secret",
    "s3_kek",
    "jwt_volume_write",
    "jwt_volume_read",
    "jwt_filer_write",
    "jwt_filer_read",
)


def credentials(home: Home) -> dict[str, str]:
    """Return the secrets of this data directory by name (64 hex digits each), making those that are missing."""
    file = home / "secrets" / "passwords.json"
    known: dict[str, str] = json.loads(file.read_text()) if file.is_file() else {}
    missing = {name: secrets.token_hex(32) for name in _NAMES if name not in known}
    if missing:
        known |= missing
        write_private(file, json.dumps(known, indent=1))
    _make_key_files(home)
    return known


def bearer_token(home: Home, name: str) -> str:
    """Return the bearer token of an address for machines, kept in the data directory as `metrics-token`, for one."""
    file = home / f"{name}-token"
    if not file.is_file():
        write_private(file, secrets.token_hex(32) + "\n")
    return file.read_text().strip()


def _make_key_files(home: Home) -> None:
    """Make the key files of healthrecords.crypto; one that exists is never touched, since its key is in use."""
    for name in ("field.key", "index.key", "audit.key"):
        file = home / "secrets" / name
        if not file.is_file():
            key = base64.b64encode(secrets.token_bytes(32)).decode()
            write_private(file, f"{secrets.token_hex(4)}:{key}\n")
