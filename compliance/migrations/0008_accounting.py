"""Disclosures entered by hand; the compliance officer accounts for disclosures from now on."""

from typing import Any

import django.utils.timezone
import uuid6
from django.db import migrations, models

import healthrecords.crypto.fields


def open_accounting(apps: Any, editor: Any) -> None:
    """Open it to the shipped role, unless the site has removed the role or says something of it already."""
    roles = apps.get_model("healthrecords", "Role").objects.using(editor.connection.alias)
    for role in roles.filter(name="compliance-officer"):
        role.permissions = {"Accounting": "crs", **role.permissions}
        role.save(update_fields=["permissions"])


class Migration(migrations.Migration):
    dependencies = [
        ("compliance", "0007_breakglass_review"),
    ]

    operations = [
        migrations.CreateModel(
            name="EnteredDisclosure",
            fields=[
                ("uuid", models.UUIDField(default=uuid6.uuid7, editable=False, primary_key=True, serialize=False)),
                ("patient", models.TextField(db_index=True)),
                ("made_on", models.DateField()),
                ("recipient", healthrecords.crypto.fields.EncryptedTextField(null=True)),
                ("address", healthrecords.crypto.fields.EncryptedTextField(null=True)),
                ("description", healthrecords.crypto.fields.EncryptedTextField(null=True)),
                ("purpose", healthrecords.crypto.fields.EncryptedTextField(null=True)),
                ("entered_by", models.TextField()),
                ("entered_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "ordering": ["made_on", "uuid"],
            },
        ),
        migrations.RunPython(open_accounting, migrations.RunPython.noop),
    ]
