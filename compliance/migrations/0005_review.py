"""The review of accesses, and an index of the trail by which one person's accesses are found whatever their name."""

from typing import Any

import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
import uuid6
from django.db import migrations, models

import healthrecords.crypto.fields
from compliance.audit import schema


def _add_index(apps: Any, editor: Any) -> None:
    """Add the index as the trail's owner."""
    with editor.connection.cursor() as cursor:
        schema.become_trail(cursor)
        cursor.execute(f"CREATE INDEX IF NOT EXISTS accessevent_actor_id ON {schema.EVENTS} (actor_id, time)")
        schema.become_owner(cursor)


class Migration(migrations.Migration):
    dependencies = [
        ("compliance", "0004_consent"),
    ]

    operations = [
        migrations.CreateModel(
            name="Finding",
            fields=[
                ("uuid", models.UUIDField(default=uuid6.uuid7, editable=False, primary_key=True, serialize=False)),
                ("rule", models.TextField()),
                ("day", models.DateField()),
                ("person_id", models.TextField()),
                ("person", models.TextField(help_text="The name as it was then.")),
                ("patient", models.TextField(default="")),
                ("reason", models.TextField()),
                ("first_at", models.DateTimeField()),
                ("last_at", models.DateTimeField()),
                ("count", models.PositiveIntegerField()),
                (
                    "events",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(),
                        default=list,
                        help_text="Events of the trail that show it, the first ones.",
                        size=None,
                    ),
                ),
                ("found_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "verdict",
                    models.TextField(
                        choices=[("open", "Open"), ("explained", "Explained"), ("unjustified", "Not justified")],
                        default="open",
                    ),
                ),
                ("signed_by", models.TextField(default="")),
                ("signed_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["-first_at", "-uuid"],
            },
        ),
        migrations.CreateModel(
            name="FindingNote",
            fields=[
                ("uuid", models.UUIDField(default=uuid6.uuid7, editable=False, primary_key=True, serialize=False)),
                ("text", healthrecords.crypto.fields.EncryptedTextField(null=True)),
                ("author", models.TextField()),
                ("written_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "ordering": ["written_at", "uuid"],
            },
        ),
        migrations.CreateModel(
            name="ReviewLimit",
            fields=[
                ("name", models.TextField(primary_key=True, serialize=False)),
                ("value", models.PositiveIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="WatchedPatient",
            fields=[
                ("patient", models.TextField(primary_key=True, serialize=False)),
                ("reason", healthrecords.crypto.fields.EncryptedTextField(null=True)),
                ("added_by", models.TextField()),
                ("added_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "ordering": ["added_at", "patient"],
            },
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(_add_index, migrations.RunPython.noop)],
            state_operations=[
                migrations.AddIndex(
                    model_name="accessevent",
                    index=models.Index(fields=["actor_id", "time"], name="accessevent_actor_id"),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="finding",
            index=models.Index(fields=["verdict", "-first_at", "-uuid"], name="finding_waiting"),
        ),
        migrations.AddConstraint(
            model_name="finding",
            constraint=models.UniqueConstraint(
                fields=("day", "person_id", "patient", "rule"), name="finding_once_a_day"
            ),
        ),
        migrations.AddConstraint(
            model_name="finding",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("signed_at", None), ("verdict", "open")),
                    models.Q(models.Q(("verdict", "open"), _negated=True), ("signed_at__isnull", False)),
                    _connector="OR",
                ),
                name="finding_signed_or_open",
            ),
        ),
        migrations.AddField(
            model_name="findingnote",
            name="finding",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="notes", to="compliance.finding"
            ),
        ),
    ]
