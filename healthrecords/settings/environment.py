"""Where settings come from: the process, then `.env` in the checkout, then `server.env` of a running `make run`.

Every name may also be given as NAME_FILE, the path of a file that holds the value (how compose passes secrets).
What is missing, weak or malformed raises ImproperlyConfigured with one sentence that names it, never its value.
"""

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from healthrecords.embedded.datadir import default_data_dir

BASE_DIR = Path(__file__).resolve().parents[2]
DATA_DIR = Path(os.environ.get("HEALTHCARE_DATA_DIR") or default_data_dir())
# Words of passwords that stand in manuals and examples, this project's old runbook included.
KNOWN_DEFAULTS = (
    "changeme",
    "change-me",
    "change_me",
    "secret",
    "password",
    "insecure",
    "minioadmin",
    "healthcare_admin_2025",
)
FEWEST_DIFFERENT = 5  # characters; as Django's own check of the secret key

env = environ.FileAwareEnv()


def _read_files() -> None:
    """Fill the environment from the files; a name that is set already wins over them."""
    for path in (BASE_DIR / ".env", DATA_DIR / "server.env"):
        if path.is_file() and os.access(path, os.R_OK):
            environ.Env.read_env(str(path))


def optional(name: str, default: str = "") -> str:
    """Return the value of `name` without white space around it, or `default` if there is none."""
    try:
        return env.str(name, default="").strip() or default
    except (OSError, UnicodeDecodeError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) else "not text"
        raise ImproperlyConfigured(f"{name}_FILE names a file that cannot be read ({reason}).") from None


def required(name: str) -> str:
    """Return the value of `name`, which must be there."""
    if value := optional(name):
        return value
    raise ImproperlyConfigured(f"{name} is not set; .env.example says what it is for.")


def secret(name: str, shortest: int) -> str:
    """Return a secret of at least `shortest` characters that is no well-known default."""
    value = required(name)
    _refuse_weak(name, value, shortest)
    return value


def optional_secret(name: str, shortest: int) -> str:
    """Return a secret like `secret`, or an empty text if it is not set."""
    return secret(name, shortest) if optional(name) else ""


def server_url(name: str, *schemes: str) -> str:
    """Return the URL `name` of a server; its password must be no weaker than a secret of 12 characters."""
    value = required(name)
    try:
        parts = urlsplit(value)
        scheme, host, password = parts.scheme, parts.hostname, unquote(parts.password or "")
    except ValueError:
        scheme = ""
    if scheme not in schemes:
        raise ImproperlyConfigured(f"{name} must be a URL that begins with {'://, '.join(schemes)}://.")
    if host and not password:
        raise ImproperlyConfigured(f"{name} has no password; a server that lets everybody in must not hold records.")
    if password:
        _refuse_weak(f"The password in {name}", password, 12)
    return value


def number(name: str, default: int, least: int, most: int | None = None) -> int:
    """Return the whole number `name`, at least `least` and, where given, at most `most`."""
    text = optional(name, str(default))
    if not text.isdecimal() or int(text) < least:
        raise ImproperlyConfigured(f"{name} must be a whole number of at least {least}.")
    if most is not None and int(text) > most:
        raise ImproperlyConfigured(f"{name} must be at most {most}.")
    return int(text)


def one_of(name: str, default: str, choices: tuple[str, ...]) -> str:
    """Return the value of `name`, which must be one of `choices`."""
    value = optional(name, default)
    if value not in choices:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(choices)}.")
    return value


def words(name: str, default: str = "") -> list[str]:
    """Return the comma-separated values of `name`."""
    return [word.strip() for word in optional(name, default).split(",") if word.strip()]


def _refuse_weak(what: str, value: str, shortest: int) -> None:
    if len(value) < shortest:
        raise ImproperlyConfigured(f"{what} is too short: {len(value)} characters, at least {shortest} are needed.")
    if any(word in value.lower() for word in KNOWN_DEFAULTS):
        raise ImproperlyConfigured(f"{what} looks like a known default; make a random one.")
    if len(set(value)) < FEWEST_DIFFERENT:
        raise ImproperlyConfigured(f"{what} repeats the same few characters; make a random one.")


_read_files()
EMBEDDED: bool = one_of("HEALTHCARE_EMBEDDED", "0", ("0", "1")) == "1"
