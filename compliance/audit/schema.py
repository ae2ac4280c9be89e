"""The trail's tables, functions, triggers and grants in SQL, as a migration makes them and `audit verify` expects them.

Everything is in the schema `audit` and belongs to the role `healthrecords_trail`, which nobody signs in as and which
the application cannot become; migrations and retention do, by SET ROLE from the owner. The schema is not `public`,
since whoever owns a schema may drop what is in it. The application may read, and add through `audit_append`.
"""

from typing import Any

from django.conf import settings

from healthrecords.appendonly import refusing

SCHEMA = "audit"  # made by deploy/postgres/roles.sql, which also puts it on each role's search path
EVENTS, SEALS = "compliance_accessevent", "compliance_auditseal"
# The columns of a leaf, in their order; docs/security/audit.md explains the bytes.
LEAF = (
    "epoch", "txid", "seq", "uuid", "time", "written_by", "action", "outcome", "actor_kind", "actor_id", "actor",
    "roles", "purpose", "address", "request", "route", "resource_type", "patient", "resources", "versions", "detail",
    "query_mac",
)  # fmt: skip
# Each partition is made as long ahead, and the month before for a clock that stands a little behind.
MONTHS_AHEAD = 6

_EVENTS = f"""
CREATE TABLE {EVENTS} (
    uuid uuid NOT NULL,
    epoch integer NOT NULL,
    txid bigint NOT NULL,
    seq bigint GENERATED ALWAYS AS IDENTITY,
    time timestamptz NOT NULL,
    written_by text NOT NULL,
    action text NOT NULL,
    outcome text NOT NULL,
    actor_kind text NOT NULL,
    actor_id text NOT NULL,
    actor text NOT NULL,
    roles text[] NOT NULL,
    purpose text NOT NULL,
    address text NOT NULL,
    request text NOT NULL,
    route text NOT NULL,
    resource_type text NOT NULL,
    patient text,
    resources text[] NOT NULL,
    versions integer[] NOT NULL,
    detail text NOT NULL,
    query bytea,
    query_mac bytea,
    PRIMARY KEY (uuid, time)
) PARTITION BY RANGE (time);
CREATE INDEX accessevent_patient ON {EVENTS} (patient, time);
CREATE INDEX accessevent_actor ON {EVENTS} (actor, time);
CREATE INDEX accessevent_time ON {EVENTS} (time);
CREATE INDEX accessevent_resources ON {EVENTS} USING gin (resources);
CREATE INDEX accessevent_sealing ON {EVENTS} (epoch, txid, seq);
"""

_SEALS = f"""
CREATE TABLE {SEALS} (
    number bigint PRIMARY KEY,
    epoch integer NOT NULL,
    kind text NOT NULL,
    time timestamptz NOT NULL,
    count integer NOT NULL,
    body text NOT NULL,
    hash bytea NOT NULL,
    key text NOT NULL,
    signature bytea NOT NULL,
    leaves bytea NOT NULL
);
ALTER TABLE {SEALS} ALTER leaves SET STORAGE EXTERNAL;
CREATE INDEX auditseal_epoch ON {SEALS} (epoch) WHERE kind = 'epoch';
"""

# What stamps an event is the database alone: epoch, transaction, number, time and the role that was signed in.
APPEND = f"""
BEGIN
    INSERT INTO audit.{EVENTS} (uuid, epoch, txid, time, written_by, action, outcome, actor_kind, actor_id, actor,
        roles, purpose, address, request, route, resource_type, patient, resources, versions, detail, query, query_mac)
    SELECT f.uuid, (SELECT coalesce(max(epoch), 1) FROM audit.{SEALS} WHERE kind = 'epoch'),
        pg_current_xact_id()::text::bigint, clock_timestamp(), session_user, f.action, f.outcome, a.actor_kind,
        a.actor_id, a.actor, a.roles, a.purpose, a.address, a.request, a.route, a.resource_type, f.patient,
        f.resources, f.versions, f.detail, f.query, f.query_mac
    FROM jsonb_to_record(asked) AS a(actor_kind text, actor_id text, actor text, roles text[], purpose text,
            address text, request text, route text, resource_type text),
        jsonb_to_recordset(facts) AS f(uuid uuid, action text, outcome text, patient text, resources text[],
            versions integer[], detail text, query bytea, query_mac bytea);
END"""  # noqa: S608  # nosec B608

PARTITION = f"""
DECLARE
    name text := '{EVENTS}_' || to_char(month, 'YYYY_MM');
BEGIN
    IF to_regclass('audit.' || name) IS NOT NULL THEN
        RETURN 0;
    END IF;
    EXECUTE format('CREATE TABLE audit.%I (LIKE audit.{EVENTS} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name);
    EXECUTE format('ALTER TABLE audit.{EVENTS} ATTACH PARTITION audit.%I FOR VALUES FROM (%L) TO (%L)', name,
        month::timestamptz, (month + interval '1 month')::timestamptz);
    EXECUTE format('CREATE TRIGGER audit_refuse_truncate BEFORE TRUNCATE ON audit.%I '
        'FOR EACH STATEMENT EXECUTE FUNCTION audit.audit_refuse()', name);
    EXECUTE format('ALTER TABLE audit.%I ENABLE ALWAYS TRIGGER audit_refuse_truncate', name);
    EXECUTE format('ALTER TABLE audit.%I ENABLE ALWAYS TRIGGER audit_refuse', name);
    EXECUTE format('REVOKE ALL ON audit.%I FROM PUBLIC', name);
    RETURN 1;
END"""

PARTITIONS = f"""
DECLARE
    made integer := 0;
BEGIN
    FOR ahead IN -1..{MONTHS_AHEAD} LOOP
        made := made + audit.audit_make_partition((date_trunc('month', now()) + ahead * interval '1 month')::date);
    END LOOP;
    RETURN made;
END"""

# name(arguments): returns, body, whether it runs with the rights of the trail's role
FUNCTIONS = {
    "audit_append(asked jsonb, facts jsonb)": ("void", APPEND, True),
    "audit_make_partition(month date)": ("integer", PARTITION, False),
    "audit_make_partitions()": ("integer", PARTITIONS, True),
}
SEARCH_PATH = "pg_catalog, pg_temp"


def _function(signature: str) -> str:
    returns, body, definer = FUNCTIONS[signature]
    return (
        f"CREATE OR REPLACE FUNCTION {signature} RETURNS {returns} LANGUAGE plpgsql "
        f"SECURITY {'DEFINER' if definer else 'INVOKER'} SET search_path = {SEARCH_PATH} SET timezone = 'UTC' "
        f"AS $${body}$$; REVOKE ALL ON FUNCTION {_plain(signature)} FROM PUBLIC;"
    )


def _plain(signature: str) -> str:
    """The signature with the types of its arguments alone."""
    name, _, arguments = signature.rstrip(")").partition("(")
    return f"{name}({', '.join(each.split()[-1] for each in arguments.split(',') if each)})"


def _triggers(table: str, column: str) -> str:
    """Refuse changes for everybody, whatever `session_replication_role` says."""
    return f"""
CREATE TRIGGER audit_refuse BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION audit_refuse({column});
CREATE TRIGGER audit_refuse_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
ALTER TABLE {table} ENABLE ALWAYS TRIGGER audit_refuse;
ALTER TABLE {table} ENABLE ALWAYS TRIGGER audit_refuse_truncate;
"""


def _grants() -> str:
    """What each role may do; `keys rotate` works as the owner and may put the sealed text under another key."""
    app, owner, sealer = settings.DATABASE_APP_ROLE, settings.DATABASES["owner"]["USER"], settings.DATABASE_SEALER_ROLE
    return f"""
GRANT USAGE ON SCHEMA {SCHEMA} TO "{app}", "{owner}", "{sealer}";
REVOKE ALL ON {EVENTS}, {SEALS} FROM PUBLIC;
GRANT SELECT ON {EVENTS}, {SEALS} TO "{app}", "{owner}", "{sealer}";
GRANT UPDATE (query) ON {EVENTS} TO "{owner}";
GRANT INSERT ON {SEALS} TO "{sealer}";
GRANT EXECUTE ON FUNCTION audit_append(jsonb, jsonb) TO "{app}", "{owner}", "{sealer}";
GRANT EXECUTE ON FUNCTION audit_make_partitions() TO "{owner}", "{sealer}";
"""


def become_trail(cursor: Any) -> None:
    """Take the role of the trail's owner until RESET ROLE."""
    cursor.execute(f'SET ROLE "{settings.DATABASE_TRAIL_ROLE}"; SET search_path = {SCHEMA}, pg_temp')


def become_owner(cursor: Any) -> None:
    """Leave the role of the trail's owner."""
    cursor.execute("RESET ROLE; RESET search_path")


def create(cursor: Any, fill: str = "") -> None:
    """Make the trail's tables as the database's owner; `fill` runs before they refuse changes."""
    become_trail(cursor)
    cursor.execute(_EVENTS + _SEALS + refusing("audit_refuse"))
    for signature in FUNCTIONS:
        cursor.execute(_function(signature))
    cursor.execute(_triggers(EVENTS, "'query'") + _triggers(SEALS, ""))
    cursor.execute(_grants() + "SELECT audit_make_partitions();" + fill)
    become_owner(cursor)
