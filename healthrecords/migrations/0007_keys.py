"""What the database remembers of its keys; whole versions may be re-sealed by their owner."""

import django.utils.timezone
from django.db import migrations, models

from healthrecords.appendonly import Resealable


class Migration(migrations.Migration):
    dependencies = [("healthrecords", "0006_roles_for_stock")]

    operations = [
        migrations.CreateModel(
            name="SealingKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("purpose", models.TextField(help_text="field or index")),
                ("key_id", models.TextField(help_text="8 hex digits")),
                ("fingerprint", models.BinaryField(max_length=16)),
                ("first_used_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("retired_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("purpose", "key_id"), name="sealingkey_one_of_each"),
                ],
            },
        ),
        Resealable("recordversion", "content"),
    ]
