"""The attacks on the trail, each with the rights that it needs. docs/security/audit.md shows this list as a table."""

from datetime import timedelta

import orjson
from django.conf import settings
from django.db import connections
from django.utils import timezone

from compliance.audit import heads, sealing, shipping
from compliance.audit.models import AuditSeal, AuditShipment
from compliance.audit.store import Store, client
from compliance.audit.tests.scene import (
    APP,
    BLOCKED,
    IGNORED,
    NOTED,
    OWNER,
    SEALER,
    SUPER,
    TRAIL,
    attack,
    clock,
    statement,
)
from healthrecords.cli import host_request

STOLEN = "superuser and the signing key"
HOST = "administrator of the host"
DENIED, REFUSED = "permission denied for table", "are never changed or removed"
CHANGED, GONE = "each was changed after", "each is gone after"

# --- Events ---------------------------------------------------------------------------------------------------------

CHANGE = "UPDATE {events} SET actor = 'somebody else' WHERE action = 'create'"
ROW = (
    "written_by, action, outcome, actor_kind, actor_id, actor, roles, purpose, address, request, route, "
    "resource_type, patient, resources, versions, detail"
)


def insert(table: str = "{events}", epoch: str = "epoch", txid: str = "txid", time: str = "clock_timestamp()") -> str:
    """SQL that adds a copy of the first event, with the stamps given."""
    return (
        f"INSERT INTO {table} (uuid, epoch, txid, time, {ROW}) SELECT gen_random_uuid(), {epoch}, {txid}, {time}, "  # noqa: S608
        f"{ROW} FROM {{events}} WHERE action = 'create' ORDER BY seq LIMIT 1"
    )


for rights, says in ((APP, DENIED), (SEALER, DENIED), (OWNER, DENIED), (TRAIL, REFUSED), (SUPER, REFUSED)):
    statement("Change an event", rights, BLOCKED, says, CHANGE)
    statement("Delete an event", rights, BLOCKED, says, "DELETE FROM {events}")
    statement("Backdate an event", rights, BLOCKED, says, "UPDATE {events} SET time = time - interval '1 day'")
    statement("Empty the table", rights, BLOCKED, says, "TRUNCATE {events}")
    statement("Empty a month", rights, BLOCKED, says, "TRUNCATE {month}")
    statement("Change a seal", rights, BLOCKED, says, "UPDATE {seals} SET time = now() - interval '1 day'")
REPLICA = "SET session_replication_role = replica"
for rights in (APP, SEALER, OWNER):
    statement("Write into a month directly", rights, BLOCKED, DENIED, insert("{month}"))
    statement("Switch triggers off for the session", rights, BLOCKED, "permission denied to set parameter", REPLICA)
statement("Change an event with session_replication_role = replica", SUPER, BLOCKED, REFUSED, REPLICA, CHANGE)
for rights in (TRAIL, SUPER):
    statement("Insert an event among sealed ones", rights, "inserted", "each was inserted after", insert())
    statement("Insert one into a month directly", rights, "inserted", "each was inserted after", insert("{month}"))
    late = insert(txid="txid + 1000000")
    statement("Insert one of a transaction to come", rights, "transaction", "that are yet to come", late)
    statement("Insert one of an epoch to come", rights, "epoch", "epochs that never began", insert(epoch="7"))


@attack("Insert an event with a forged time", TRAIL, "clock", "bear a time that is not when they were written")
def _forged_time(scene):
    scene.run(TRAIL, insert(txid="pg_current_xact_id()::text::bigint", time="clock_timestamp() - interval '3 hours'"))
    scene.sealed()


@attack("Hand time, transaction and number to the function", APP, IGNORED, "the database stamps them")
def _forged_stamps(scene):
    asked = dict.fromkeys(("actor_kind", "actor_id", "actor", "purpose", "address", "request", "route"), "x")
    stamps = {"time": "2020-01-01", "txid": 1, "seq": 1, "epoch": 9, "written_by": "x"}
    fact = {"uuid": "018f0000-0000-7000-8000-000000000009", "action": "read", "outcome": "", "detail": ""}
    fact |= {"resources": [], "versions": [], **stamps}
    values = [orjson.dumps(each).decode() for each in ({**asked, "roles": [], "resource_type": ""}, [fact])]
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT audit.audit_append(%s::jsonb, %s::jsonb)", values)
        cursor.execute(
            "SELECT time > now() - interval '1 minute', epoch, written_by FROM compliance_accessevent WHERE uuid = %s",
            [fact["uuid"]],
        )
        assert cursor.fetchone() == (True, 1, "healthrecords_app")
    scene.sealed()


@attack("Switch the trigger off, change an event, switch it on", SUPER, "changed", CHANGED)
def _change(scene):
    scene.unguarded(CHANGE)


@attack("Switch the trigger off, backdate an event, switch it on", SUPER, "changed", CHANGED)
def _backdate(scene):
    scene.unguarded("UPDATE {events} SET time = time - interval '2 hours' WHERE action = 'create'")


@attack("Switch the trigger off, forge a transaction, switch it on", SUPER, "missing", GONE)
def _forge_transaction(scene):
    scene.unguarded("UPDATE {events} SET txid = txid + 1000000 WHERE action = 'create'")


@attack("Switch the trigger off, delete events, switch it on", SUPER, "missing", GONE)
def _delete(scene):
    scene.unguarded("DELETE FROM {events} WHERE action = 'search'")


@attack("Put another text in place of what was searched for", OWNER, "query", "is not the one that was sealed")
def _query(scene):
    with connections["owner"].cursor() as cursor:
        cursor.execute("UPDATE compliance_accessevent SET query = %s WHERE query IS NOT NULL", [b"\x01" + b"\x00" * 60])


# --- Tables, triggers, functions, rights ----------------------------------------------------------------------------

for rights in (TRAIL, SUPER):
    off = "ALTER TABLE {events} DISABLE TRIGGER audit_refuse"
    statement("Leave a trigger switched off", rights, "schema", "Missing: trigger audit_refuse on", off)
    weaker = "ALTER TABLE {month} ENABLE TRIGGER audit_refuse"
    statement("Let a trigger fire for ordinary sessions alone", rights, "schema", "Missing: trigger", weaker)
    drop = "DROP TRIGGER audit_refuse ON {events}"
    statement("Drop a trigger", rights, "schema", "Missing: trigger audit_refuse on", drop)
    statement("Detach a month", rights, "missing", GONE, "ALTER TABLE {events} DETACH PARTITION {month}")
    statement("Drop a month", rights, "missing", GONE, "DROP TABLE {month}")
    quiet = "CREATE RULE quiet AS ON INSERT TO {events} DO INSTEAD NOTHING"
    statement("Have a rule swallow events", rights, "schema", "Not expected: rule quiet on", quiet)
    grant = "GRANT INSERT ON {events} TO healthrecords_app"
    statement("Let the application insert", rights, "schema", "Not expected: grant INSERT on", grant)
    empty = "CREATE OR REPLACE FUNCTION audit.audit_append(asked jsonb, facts jsonb) RETURNS void LANGUAGE sql AS ''"
    statement("Replace the function that stamps", rights, "schema", "Not expected: function audit_append", empty)
give = "ALTER TABLE {events} OWNER TO healthrecords_app"
statement("Give the table to another role", SUPER, "schema", "Not expected: table", give)
shadow = "CREATE TABLE public.{events} ()"
statement("Put a table of the same name in front", OWNER, "schema", "Not expected: shadow public.", shadow)


@attack("Swap a month for a copy with a changed event", SUPER, "changed", CHANGED)
def _swap(scene):
    month = timezone.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    after = (month + timedelta(days=32)).replace(day=1)
    scene.run(
        SUPER,
        "CREATE TABLE audit.copy (LIKE {events})", "INSERT INTO audit.copy SELECT * FROM {month}",
        "UPDATE audit.copy SET actor = 'somebody else' WHERE action = 'create'",
        "ALTER TABLE {events} DETACH PARTITION {month}", "DROP TABLE {month}",
        "ALTER TABLE audit.copy RENAME TO {month}",
        f"ALTER TABLE {{events}} ATTACH PARTITION audit.{{month}} FOR VALUES FROM ('{month:%F}') TO ('{after:%F}')",
    )  # fmt: skip


# --- Seals ----------------------------------------------------------------------------------------------------------

ANOTHER = "holds another statement"


@attack("Add a statement of one's own without the key", SEALER, "signature", "is not signed by a key of ours")
def _own_statement(scene):
    newest = AuditSeal.objects.using("sealer").order_by("-number").first()
    number = newest.number + 1
    newest.body = newest.body.replace(f'"number":{newest.number}', f'"number":{number}')
    newest.number = number
    newest.save(using="sealer", force_insert=True)


@attack("Change an event, and the list of its seal", SUPER, "events", "and its list was changed too")
def _list(scene):
    scene.unguarded(CHANGE, "UPDATE {seals} SET leaves = substr(leaves, 1, 20) || leaves")


@attack("Rewrite events, lists, roots and links without the key", SUPER, "signature", "is not signed by a key of ours")
def _rewrite(scene):
    scene.unguarded(CHANGE)
    scene.rebuild(1, signed=False)


@attack("Rewrite all and sign it anew", STOLEN, "witness", ANOTHER)
def _sign_anew(scene):
    scene.unguarded(CHANGE)
    scene.rebuild(1, signed=True)


@attack("Sign one statement anew, and leave the next as it is", STOLEN, "link", "does not follow the one before it")
def _sign_one(scene):
    scene.unguarded(CHANGE)
    scene.rebuild(1, signed=True, last=1)


@attack(
    "Leave the transactions of deleted events out of a statement, signed anew", STOLEN, "range", "leaves transactions"
)
def _leave_out(scene):
    newest = heads.last()
    said, end = newest.said, newest.said["to"]
    scene.unguarded(f"DELETE FROM {{events}} WHERE txid >= {said['from']}")  # noqa: S608
    scene.rebuild(newest.row.number, signed=True, **{"from": end, "size": said["size"] - said["count"]})


@attack("Rewrite all, sign it anew, and empty the witness", f"{STOLEN}, administrator of the witness", "store", ANOTHER)
def _sign_anew_without_witness(scene):
    scene.unguarded(CHANGE)
    scene.rebuild(1, signed=True)
    for path in scene.witness.rglob("*.json"):
        path.unlink()


@attack("Cut the newest seals and their events off", SUPER, "witness", "the database has lost its newest, or is old")
def _cut(scene):
    scene.cut(heads.last())


@attack("Cut off all seals and events", SUPER, "witness", "the database has lost its newest, or is old")
def _cut_all(scene):
    scene.unguarded("DELETE FROM {events}", "DELETE FROM {seals}")


def _snapshot(scene):
    """Make the database what it was before the newest statement."""
    newest = heads.last()
    scene.cut(newest)
    AuditShipment.objects.update(number=newest.row.number - 1)


@attack("Put an old snapshot back and go on", SUPER, "witness", ANOTHER)
def _old_snapshot(scene):
    _snapshot(scene)
    scene.api.create()
    scene.sealed()
    assert any(ANOTHER in each.fault for each in scene.shipped)


@attack("Put an old snapshot back and begin an epoch as a restore does", HOST, NOTED, "was lost when epoch 2 began")
def _old_snapshot_as_restore(scene):
    _snapshot(scene)
    sealing.open_epoch("restored", host_request("test"))
    scene.sealed()


@attack("Remove a statement from the middle", SUPER, "link", "Statements before 2 are missing")
def _middle(scene):
    scene.unguarded("DELETE FROM {seals} WHERE number = 1")


@attack("Set the clock of the sealer back", HOST, "clock", "The clock went back")
def _clock(scene):
    with clock(sealing, hours=-2):
        scene.api.create()
        scene.sealed()


@attack("Stop the sealer", HOST, "sealer", "wait for a seal")
def _stop(scene):
    scene.api.create()
    # Nothing has sealed it: to let its time pass is no change that could be found.
    scene.unguarded("UPDATE {events} SET time = time - interval '2 hours' WHERE seq = (SELECT max(seq) FROM {events})")


# --- Places outside -------------------------------------------------------------------------------------------------

WITNESS, STORE = "administrator of the witness", "administrator of the store"


@attack("Take files of the witness away", WITNESS, "witness", "has lost statement")
def _take_away(scene):
    next(scene.witness.rglob("*.json")).unlink()


@attack("Rewrite a file of the witness", WITNESS, "witness", ANOTHER)
def _rewrite_file(scene):
    path = next(scene.witness.rglob("*.json"))
    path.chmod(0o600)
    path.write_text("another history")


def _object():
    return {"Bucket": settings.S3_AUDIT_BUCKET, "Key": Store().key(heads.last())}


@attack("Put another object over a statement", STORE, IGNORED, "the oldest version counts")
def _over(scene):
    client().put_object(**_object(), Body=b"another history")


@attack("Delete a statement's object", STORE, "store", "has lost statement")
def _delete_object(scene):
    client().delete_object(**_object())


@attack("Delete a statement's object with all its versions", STORE, BLOCKED, "AccessDenied")
def _delete_versions(scene):
    where = _object()
    for version in client().list_object_versions(Bucket=where["Bucket"], Prefix=where["Key"])["Versions"]:
        client().delete_object(**where, VersionId=version["VersionId"])


@attack("Keep statements from the witness", WITNESS, "witness", "Statements wait for the witness")
def _lag(scene):
    scene.witness.rename(scene.witness.with_name("away"))
    scene.api.create()
    scene.sealed()
    scene.witness.mkdir()
    scene.witness.joinpath("0001").symlink_to(scene.witness.with_name("away") / "0001")
    scene.hours_later = 2


@attack("Rewrite with the stolen key what a lagging witness has not got", STOLEN, "store", ANOTHER)
def _lag_and_rewrite(scene):
    away = scene.witness.rename(scene.witness.with_name("away"))
    scene.api.create()
    scene.sealed()
    away.rename(scene.witness)
    assert any(each.fault for each in scene.shipped)
    scene.unguarded("UPDATE {events} SET actor = 'x' WHERE seq = (SELECT max(seq) FROM {events})")
    scene.rebuild(heads.last().row.number, signed=True)


@attack("Claim that all was delivered", APP, "witness", "has lost statement")
def _claim(scene):
    AuditShipment.objects.update(number=1_000_000)
    scene.api.create()
    scene.sealed()


@attack("Claim a delivery at a time to come", APP, IGNORED, "what waits is delivered")
def _claim_later(scene):
    AuditShipment.objects.update(shipped_at=timezone.now() + timedelta(days=3650))
    scene.api.create()
    scene.sealed()
    assert {state.number for state in shipping.ship()} == {heads.last().row.number}
