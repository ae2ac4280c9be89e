"""PostgreSQL, by its roles: the application's, without DDL; the owner's, which migrates; the sealer's; two that read no
rows, of which the monitor reads statistics and maintenance vacuums, rebuilds indexes and tunes.

The sealer signs the trail (compliance/audit): only it may add seals. Nobody signs in as the trail's own role.
`trail` is a second way to the same database with the application's role, for facts that must survive the
rollback of the request they are about (denials, failures).
"""

import sys
from pathlib import Path
from typing import Any

import environ

from .environment import number, optional, server_url


def _application_name() -> str:
    """What a session is called in PostgreSQL's statistics, by the program and its part: few names, without ids."""
    program = Path(sys.argv[0]).stem
    if program == "manage":
        parts = [word for word in sys.argv[1:3] if word.replace("-", "").isalpha()]
    else:
        parts = [word for word in ("worker", "beat") if word in sys.argv] or [program]
    return " ".join(["healthrecords", *parts])


def _connection(name: str, **options: Any) -> dict[str, Any]:
    return {
        **environ.Env.db_url_config(server_url(name, "postgres", "postgresql")),
        "OPTIONS": {"connect_timeout": 3, "application_name": _application_name()} | options,
        "TEST": {"DEPENDENCIES": []},
    }


_POOL = {"min_size": 1, "max_size": number("HEALTHCARE_DATABASE_POOL", 8, least=1), "timeout": 4}


def _or_application(name: str) -> str:
    """The setting `name`, or the application's where this process was not given it."""
    return name if optional(name) else "HEALTHCARE_DATABASE_URL"


# No request may hold the server for long: what takes longer is answered with 503, what waits longer with 409.
_LIMITS = "-c statement_timeout=20s -c lock_timeout=5s"

# Maintenance takes as long as it takes, gives way where it waits for a lock, and ends with who asked for it.
_PATIENT = "-c lock_timeout=60s -c client_connection_check_interval=5s"

DATABASES = {
    "default": _connection("HEALTHCARE_DATABASE_URL", pool=_POOL, options=_LIMITS),
    "trail": _connection("HEALTHCARE_DATABASE_URL", pool={**_POOL, "min_size": 0, "max_size": 4}, options=_LIMITS),
    "owner": _connection(_or_application("HEALTHCARE_DATABASE_OWNER_URL")),
    "sealer": _connection(_or_application("HEALTHCARE_DATABASE_SEALER_URL")),
    "monitor": _connection(_or_application("HEALTHCARE_DATABASE_MONITOR_URL"), options="-c statement_timeout=60s"),
    "maintenance": _connection(_or_application("HEALTHCARE_DATABASE_MAINTENANCE_URL"), options=_PATIENT),
}
DATABASE_APP_ROLE = DATABASES["default"]["USER"]
DATABASE_TRAIL_ROLE, DATABASE_SEALER_ROLE = "healthrecords_trail", "healthrecords_sealer"
ATOMIC_REQUESTS = False
