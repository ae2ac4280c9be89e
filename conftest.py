"""The tests' surroundings: throwaway stores, a database for each test process, programs that may be missing.

The stores' addresses and Django are set up when this file is loaded, before any other conftest.py, so that those may
import models. Test processes of pytest-xdist inherit the addresses.
"""

import fcntl
import os
import signal
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from uuid import uuid4

import django
import hypothesis
import pytest
from django.conf import settings

from healthrecords.embedded.programs import PACKAGES, missing_programs
from healthrecords.embedded.throwaway import Throwaway

_WORKER = os.environ.get("PYTEST_XDIST_WORKER")
_ALIASES = ("default", "trail", "owner", "sealer", "monitor", "maintenance")
# Filled by migrations; tests find these rows and leave them as they are.
_KEPT = (
    *("django_migrations", "django_content_type", "auth_permission", "healthrecords_role", "compliance_purposedefault"),
    *("immunizations_coderelease", "immunizations_coderow"),
)


def _surround() -> Throwaway:
    """Choose the stores' addresses and name them to Django; what the developer's own server uses is out of reach."""
    stores = Throwaway()
    for name in [
        name for name in os.environ if name.startswith("HEALTHCARE_") and name != "HEALTHCARE_REQUIRE_PROGRAMS"
    ]:
        del os.environ[name]
    os.environ.update(stores.environment(), DJANGO_SETTINGS_MODULE="healthrecords.settings")
    return stores


_stores = None if _WORKER else _surround()
django.setup()
if _WORKER:  # each test empties the cache: a database of its own for each process
    _cache = settings.CACHES["default"]
    _cache["LOCATION"] = f"{_cache['LOCATION'].rpartition('/')[0]}/{2 + int(_WORKER.removeprefix('gw'))}"
# Pages find their files where they lie: only `make run` and the image collect them first.
settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
pytest_plugins = ["tests.cast"]
# A run that decides whether a change lands tries the same examples each time; a developer's tries new ones.
hypothesis.settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    hypothesis.settings.load_profile("ci")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker, and end cleanly on TERM as on Ctrl-C."""
    config.addinivalue_line("markers", "needs(program): the test needs a system program, such as chromium.")
    if _stores:
        signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Start the stores before the test processes."""
    if _stores and not session.config.option.collectonly:
        _stores.start()


def pytest_unconfigure() -> None:
    """Stop the stores, however the tests ended."""
    if _stores:
        _stores.stop()


# --- Programs -----------------------------------------------------------------------------------------------------


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests whose program is missing, unless HEALTHCARE_REQUIRE_PROGRAMS says that all must run."""
    left_out = [item for item in items if _missing(item)]
    if left_out and os.environ.get("HEALTHCARE_REQUIRE_PROGRAMS") == "1":
        raise pytest.UsageError(f"Cannot run {_reasons(left_out)}; install it or unset HEALTHCARE_REQUIRE_PROGRAMS.")
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
    reason = _reasons(left_out)
    config.stash[_LEFT_OUT] = reason
    if hasattr(config, "workeroutput"):
        config.workeroutput["left_out"] = reason


_LEFT_OUT = pytest.StashKey[str]()


def _missing(item: pytest.Item) -> bool:
    return any(mark.args[0] in missing_programs() for mark in item.iter_markers("needs"))


def _reasons(items: list[pytest.Item]) -> str:
    programs = sorted({mark.args[0] for item in items for mark in item.iter_markers("needs")})
    packages = sorted({PACKAGES[name] for name in programs})
    return f"tests that need {', '.join(programs)} (Debian: {', '.join(packages)}): {len(items)}" if items else ""


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """Take over what a test process left out."""
    node.config.stash[_LEFT_OUT] = getattr(node, "workeroutput", {}).get("left_out", "")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Name the tests that could not run."""
    if reason := config.stash.get(_LEFT_OUT, ""):
        terminalreporter.write_line(f"Not run: {reason}.", yellow=True)


# --- Database -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker) -> Iterator[None]:
    """Give this test process a copy of one migrated database; the tests use it as the application's role."""
    from django.db import connections

    name = f"test_{_WORKER or 'main'}"
    with django_db_blocker.unblock():
        _copy_migrated_database(name)
        for alias in _ALIASES:
            connections.settings[alias]["NAME"] = name
    yield
    with django_db_blocker.unblock():
        connections.close_all()


def _copy_migrated_database(name: str) -> None:
    """Migrate the stores' own database once for all test processes, and copy it while nobody is connected to it."""
    from django.core.management import call_command
    from django.db import connections

    with (Path(os.environ["HEALTHCARE_DATA_DIR"]) / "migrated").open("a+") as done:
        fcntl.flock(done, fcntl.LOCK_EX)
        done.seek(0)
        if not done.read():
            call_command("migrate", database="owner", verbosity=0, interactive=False)
            done.write("yes")
        owner = connections["owner"]
        template, app = owner.settings_dict["NAME"], connections["default"].settings_dict["USER"]
        owner.close()
        with owner._nodb_cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
            # Grants on a database are not copied with it.
            cursor.execute(f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC')
            others = "healthrecords_backup, healthrecords_monitor, healthrecords_maintenance"
            roles = f'"{app}", "{settings.DATABASE_SEALER_ROLE}", {others}'
            cursor.execute(f'GRANT CONNECT ON DATABASE "{name}" TO {roles}')


@pytest.fixture(autouse=True)
def _statements_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The trail's statements of each test under a prefix of its own: what is locked in the store cannot be removed."""
    from compliance.audit.store import Store

    monkeypatch.setattr(Store, "prefix", f"{uuid4()}/")


@pytest.fixture
def _django_db_helper(django_db_setup: None, django_db_blocker) -> Iterator[None]:
    """Every way to the database (`db`, `transactional_db`, the django_db marker) leads here.

    Facts on the alias `trail` must be seen apart from a request's transaction, so that no test runs inside one: tests
    commit, and the tables are emptied after each.
    """
    from django.core.cache import cache as shared_cache
    from django.db import connections

    from healthrecords.access import acting

    with django_db_blocker.unblock():
        yield
        acting.begin(None)
        for alias in ("default", "trail", "sealer", "monitor", "maintenance"):
            connections[alias].close()
        _empty_tables()
        _empty_trail()
        shared_cache.clear()


def _empty_tables() -> None:
    """Truncate, as the owner, the tables that hold rows: most tests fill few, and an empty one costs as much."""
    from django.db import connections

    with connections["owner"].cursor() as cursor:
        cursor.execute(_which_are_filled())
        if filled := ", ".join(row[0] for row in cursor.fetchall()):
            cursor.execute(f"SET lock_timeout = '10s'; TRUNCATE {filled} CASCADE")


@cache
def _which_are_filled() -> str:
    """Return the query that names the tables with rows, without those that migrations fill."""
    from django.db import connections

    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT quote_ident(relname) FROM pg_class WHERE relnamespace = 'public'::regnamespace "
            "AND relkind IN ('r', 'p') AND NOT relispartition AND relname <> ALL(%s)",
            [list(_KEPT)],
        )
        tables = [row[0] for row in cursor.fetchall()]
    return " UNION ALL ".join(f"SELECT '{table}' WHERE EXISTS (SELECT FROM {table})" for table in tables)  # noqa: S608


_FORGET = """
DO $$
DECLARE
    name regclass;
    filled boolean;
BEGIN
    FOR name IN SELECT oid FROM pg_class WHERE relowner = current_user::regrole AND relkind = 'r' LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %s)', name) INTO filled;
        CONTINUE WHEN NOT filled;
        EXECUTE format('ALTER TABLE %s DISABLE TRIGGER audit_refuse_truncate', name);
        EXECUTE format('TRUNCATE %s', name);
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER audit_refuse_truncate', name);
    END LOOP;
END $$
"""


def _empty_trail() -> None:
    """Empty the tables that refuse to be emptied, as their owner may in one transaction."""
    from django.db import connections, transaction

    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute(f'SET LOCAL ROLE "{settings.DATABASE_TRAIL_ROLE}"')
        cursor.execute(_FORGET)
