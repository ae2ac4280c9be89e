"""PostgreSQL, by three roles: the application's, without DDL, the owner's, which migrates, and the sealer's.

The sealer signs the trail (compliance/audit): only it may add seals. Nobody signs in as the trail's own role.
`trail` is a second way to the same database with the application's role, for facts that must survive the
rollback of the request they are about (denials, failures).
"""

from typing import Any

import environ

from .environment import number, optional, server_url


def _connection(name: str, **options: Any) -> dict[str, Any]:
    return {
        **environ.Env.db_url_config(server_url(name, "postgres", "postgresql")),
        "OPTIONS": {"connect_timeout": 3, "application_name": "healthrecords"} | options,
        "TEST": {"DEPENDENCIES": []},
    }


_POOL = {"min_size": 1, "max_size": number("HEALTHCARE_DATABASE_POOL", 8, least=1), "timeout": 4}


def _or_application(name: str) -> str:
    """The setting `name`, or the application's where this process was not given it."""
    return name if optional(name) else "HEALTHCARE_DATABASE_URL"


# No request may hold the server for long: what takes longer is answered with 503, what waits longer with 409.
_LIMITS = "-c statement_timeout=20s -c lock_timeout=5s"

DATABASES = {
    "default": _connection("HEALTHCARE_DATABASE_URL", pool=_POOL, options=_LIMITS),
    "trail": _connection("HEALTHCARE_DATABASE_URL", pool={**_POOL, "min_size": 0, "max_size": 4}, options=_LIMITS),
    "owner": _connection(_or_application("HEALTHCARE_DATABASE_OWNER_URL")),
    "sealer": _connection(_or_application("HEALTHCARE_DATABASE_SEALER_URL")),
}
DATABASE_APP_ROLE = DATABASES["default"]["USER"]
DATABASE_TRAIL_ROLE, DATABASE_SEALER_ROLE = "healthrecords_trail", "healthrecords_sealer"
ATOMIC_REQUESTS = False
