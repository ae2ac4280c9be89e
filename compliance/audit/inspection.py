"""Compares the trail's tables, triggers, functions and rights with what the code expects, as one set of plain lines.

A line that should be there and is not, or is there and should not be, is a finding by itself, in words that an
administrator of PostgreSQL reads without a key.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any

from django.conf import settings

from compliance.audit.findings import Report
from compliance.audit.schema import EVENTS, FUNCTIONS, MONTHS_AHEAD, SCHEMA, SEALS, SEARCH_PATH
from healthrecords.appendonly import REFUSAL

_FACTS = f"""
WITH tables AS (
    SELECT c.* FROM pg_class c
    WHERE c.relnamespace = '{SCHEMA}'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
), functions AS (
    SELECT p.* FROM pg_proc p WHERE p.pronamespace = '{SCHEMA}'::regnamespace
)
SELECT format('schema {SCHEMA} owner %s', nspowner::regrole) FROM pg_namespace WHERE nspname = '{SCHEMA}'
UNION ALL SELECT format('table %s owner %s kind %s', relname, relowner::regrole, relkind) FROM tables
UNION ALL SELECT format('table %s has row security', relname) FROM tables WHERE relrowsecurity
UNION ALL SELECT format('partition %s of %s %s', c.relname, of.relname, pg_get_expr(c.relpartbound, c.oid))
    FROM tables c JOIN pg_inherits i ON i.inhrelid = c.oid JOIN pg_class of ON of.oid = i.inhparent
UNION ALL SELECT format('trigger %s on %s enabled %s type %s function %s argument %s', tgname, relname, tgenabled,
        tgtype, proname, encode(tgargs, 'escape'))
    FROM pg_trigger t JOIN tables c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
UNION ALL SELECT format('rule %s on %s', rulename, relname) FROM pg_rewrite r JOIN tables c ON c.oid = r.ev_class
UNION ALL SELECT format('grant %s on %s to %s', privilege_type, relname,
        CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE grantee::regrole::text END)
    FROM tables, aclexplode(relacl) WHERE grantee <> relowner
UNION ALL SELECT format('grant %s (%s) on %s to %s', privilege_type, attname, relname, grantee::regrole)
    FROM tables c JOIN pg_attribute a ON a.attrelid = c.oid, aclexplode(attacl) WHERE grantee <> relowner
UNION ALL SELECT format('grant %s on schema {SCHEMA} to %s', privilege_type, grantee::regrole)
    FROM pg_namespace, aclexplode(nspacl) WHERE nspname = '{SCHEMA}' AND grantee <> nspowner
UNION ALL SELECT format('function %s owner %s definer %s settings %s body %s', proname, proowner::regrole, prosecdef,
        array_to_string(proconfig, '; '), encode(sha256(convert_to(prosrc, 'UTF8')), 'hex')) FROM functions
UNION ALL SELECT format('grant %s on function %s to %s', privilege_type, proname,
        CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE grantee::regrole::text END)
    FROM functions, aclexplode(coalesce(proacl, acldefault('f', proowner))) WHERE grantee <> proowner
UNION ALL SELECT format('role %s is in %s', member::regrole, roleid::regrole) FROM pg_auth_members
    WHERE roleid::regrole::text IN (%(trail)s::text, %(sealer)s::text, %(owner)s::text, %(app)s::text)
        OR member::regrole::text IN (%(trail)s::text, %(sealer)s::text, %(app)s::text)
UNION ALL SELECT format('role %s is superuser or bypasses or signs in', rolname) FROM pg_roles
    WHERE rolname IN (%(trail)s::text, %(sealer)s::text, %(owner)s::text, %(app)s::text)
        AND (rolsuper OR rolbypassrls OR rolcreaterole OR (rolcanlogin AND rolname = %(trail)s::text))
UNION ALL SELECT format('shadow public.%s', relname) FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relname LIKE '{EVENTS}%%' OR relname LIKE '{SEALS}%%'
        AND relnamespace = 'public'::regnamespace
UNION ALL SELECT format('shadow public.%s()', proname) FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace AND proname LIKE 'audit_%%'
"""  # noqa: S608  # nosec B608


# deploy/postgres/roles.sql lets maintenance rebuild the trail's indexes; USAGE alone opens no row.
_MAINTAINED = {f"grant USAGE on schema {SCHEMA} to healthrecords_maintenance"}


def inspect(cursor: Any, report: Report) -> None:
    """Add a finding for each line that is missing or not expected."""
    roles = _roles()
    cursor.execute(_FACTS.replace("%s", "%%s"), roles)
    found = {row[0] for row in cursor.fetchall()}
    months = _months(found)
    expected = set(_expected(months, **roles))
    for line in sorted(expected - found):
        report.found("schema", f"Missing: {line}.")
    for line in sorted(found - expected - _MAINTAINED):
        report.found("schema", f"Not expected: {line}.")


def _roles() -> dict[str, str]:
    return {
        "trail": settings.DATABASE_TRAIL_ROLE,
        "sealer": settings.DATABASE_SEALER_ROLE,
        "owner": settings.DATABASES["owner"]["USER"],
        "app": settings.DATABASE_APP_ROLE,
    }


def _months(found: set[str]) -> list[date]:
    """The months that there are, and those that there must be; after a long stop some between the two are not there."""
    prefix = f"table {EVENTS}_"
    names = [line.removeprefix(prefix).split()[0] for line in found if line.startswith(prefix)]
    known = [date(int(name[:4]), int(name[5:7]), 1) for name in names if name[5:7].isdecimal()]
    now = datetime.now(UTC).date().replace(day=1)
    return sorted({*known, *(_later(now, ahead) for ahead in range(MONTHS_AHEAD))})


def _later(month: date, by: int) -> date:
    count = month.year * 12 + month.month - 1 + by
    return date(count // 12, count % 12 + 1, 1)


def _expected(months: list[date], trail: str, sealer: str, owner: str, app: str) -> Iterator[str]:
    """The lines as schema.create makes them."""
    yield f"schema {SCHEMA} owner {trail}"
    yield f"role {owner} is in {trail}"
    for role in (app, owner, sealer):
        yield f"grant USAGE on schema {SCHEMA} to {role}"
        yield f"grant EXECUTE on function audit_append to {role}"
        for table in (EVENTS, SEALS):
            yield f"grant SELECT on {table} to {role}"
    for role in (owner, sealer):
        yield f"grant EXECUTE on function audit_make_partitions to {role}"
    yield f"grant UPDATE (query) on {EVENTS} to {owner}"
    yield f"grant INSERT on {SEALS} to {sealer}"
    yield from _expected_tables(months, trail)
    yield from _expected_functions(trail)


def _expected_tables(months: list[date], trail: str) -> Iterator[str]:
    yield f"table {EVENTS} owner {trail} kind p"
    yield from _guarded(EVENTS, "query\\000")
    yield f"table {SEALS} owner {trail} kind r"
    yield from _guarded(SEALS, "")
    for month in months:
        name, begin, end = f"{EVENTS}_{month:%Y_%m}", f"{month} 00:00:00+00", f"{_later(month, 1)} 00:00:00+00"
        yield f"table {name} owner {trail} kind r"
        yield f"partition {name} of {EVENTS} FOR VALUES FROM ('{begin}') TO ('{end}')"
        yield from _guarded(name, "query\\000")


def _guarded(table: str, argument: str) -> Iterator[str]:
    yield f"trigger audit_refuse on {table} enabled A type 27 function audit_refuse argument {argument}"
    yield f"trigger audit_refuse_truncate on {table} enabled A type 34 function audit_refuse argument "


def _expected_functions(trail: str) -> Iterator[str]:
    ours = f"search_path={SEARCH_PATH}; TimeZone=UTC"
    for signature, (_, body, definer) in FUNCTIONS.items():
        name = signature.partition("(")[0]
        yield f"function {name} owner {trail} definer {'t' if definer else 'f'} settings {ours} body {_hash(body)}"
    settled = "search_path=pg_catalog; bytea_output=hex"
    yield f"function audit_refuse owner {trail} definer f settings {settled} body {_hash(REFUSAL)}"
    yield "grant EXECUTE on function audit_refuse to PUBLIC"


def _hash(body: str) -> str:
    return sha256(body.encode()).hexdigest()
