"""PostgreSQL, by two roles: the application's, without DDL, and the owner's, which migrates.

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
_OWNER = "HEALTHCARE_DATABASE_OWNER_URL" if optional("HEALTHCARE_DATABASE_OWNER_URL") else "HEALTHCARE_DATABASE_URL"

# No request may hold the server for long: what takes longer is answered with 503, what waits longer with 409.
_LIMITS = "-c statement_timeout=20s -c lock_timeout=5s"

DATABASES = {
    "default": _connection("HEALTHCARE_DATABASE_URL", pool=_POOL, options=_LIMITS),
    "trail": _connection("HEALTHCARE_DATABASE_URL", pool={**_POOL, "min_size": 0, "max_size": 4}, options=_LIMITS),
    "owner": _connection(_OWNER),
}
DATABASE_APP_ROLE = DATABASES["default"]["USER"]
ATOMIC_REQUESTS = False
