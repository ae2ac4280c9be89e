"""The access log moves into monthly partitions that belong to a role of their own, and is sealed from now on."""

from typing import Any

from django.db import migrations, models

from compliance.audit import schema
from healthrecords.crypto.envelope import fingerprint, open_sealed

_STAMPED = {"epoch", "txid", "seq", "written_by", "query_mac"}


def _move(apps: Any, editor: Any) -> None:
    """Copy the rows that there are, in their order; from the move on the database stamps what comes."""
    with editor.connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE events_before ON COMMIT DROP AS SELECT *, NULL::bytea AS query_mac "
            "FROM compliance_accessevent"
        )
        cursor.execute("SELECT uuid, query FROM events_before WHERE query IS NOT NULL")
        for key, envelope in cursor.fetchall():
            place = f"compliance_accessevent.query|{key}"
            mac = fingerprint(open_sealed(bytes(envelope), place), place)
            cursor.execute("UPDATE events_before SET query_mac = %s WHERE uuid = %s", [mac, key])
        cursor.execute(f'GRANT SELECT ON events_before TO "{schema.settings.DATABASE_TRAIL_ROLE}"')
        cursor.execute("DROP TABLE compliance_accessevent")
        schema.create(cursor, _fill())


def _fill() -> str:
    columns = ", ".join(name for name in (*schema.LEAF, "query") if name not in _STAMPED) + ", query_mac"
    return f"""
SELECT audit_make_partition(month::date) FROM generate_series(
    (SELECT date_trunc('month', min(time), 'UTC') FROM events_before), date_trunc('month', now(), 'UTC'), '1 month') AS month;
INSERT INTO compliance_accessevent (epoch, txid, written_by, {columns})
SELECT 1, pg_current_xact_id()::text::bigint, 'migration', {columns} FROM events_before ORDER BY time, uuid;
"""  # noqa: S608  # nosec B608


class Migration(migrations.Migration):
    dependencies = [("compliance", "0002_keys")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(_move)],
            state_operations=[
                migrations.AddField("accessevent", "epoch", models.IntegerField(default=1), preserve_default=False),
                migrations.AddField("accessevent", "txid", models.BigIntegerField(default=0), preserve_default=False),
                migrations.AddField("accessevent", "seq", models.BigIntegerField(default=0), preserve_default=False),
                migrations.AddField("accessevent", "written_by", models.TextField(default=""), preserve_default=False),
                migrations.AddField("accessevent", "query_mac", models.BinaryField(null=True)),
                migrations.AddIndex(
                    "accessevent", models.Index(fields=["epoch", "txid", "seq"], name="accessevent_sealing")
                ),
                migrations.CreateModel(
                    name="AuditSeal",
                    fields=[
                        ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                        ("epoch", models.IntegerField()),
                        ("kind", models.TextField()),
                        ("time", models.DateTimeField()),
                        ("count", models.IntegerField()),
                        ("body", models.TextField()),
                        ("hash", models.BinaryField()),
                        ("key", models.TextField()),
                        ("signature", models.BinaryField()),
                        ("leaves", models.BinaryField()),
                    ],
                    options={
                        "ordering": ["number"],
                        "indexes": [
                            models.Index(
                                condition=models.Q(("kind", "epoch")), fields=["epoch"], name="auditseal_epoch"
                            )
                        ],
                    },
                ),
            ],
        ),
        migrations.CreateModel(
            name="AuditShipment",
            fields=[
                ("place", models.TextField(primary_key=True, serialize=False)),
                ("number", models.BigIntegerField(default=0)),
                ("shipped_at", models.DateTimeField(null=True)),
                ("fault", models.TextField(default="")),
            ],
        ),
    ]
