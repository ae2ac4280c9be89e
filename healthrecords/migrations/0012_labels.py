"""Security labels beside each version, worked out of what the versions hold."""

from typing import Any

import django.contrib.postgres.fields
from django.db import migrations, models

from healthrecords.fhir.store import labels_of
from healthrecords.jsontext import parse_json


def label(apps: Any, editor: Any) -> None:
    """Fill `labels` of the versions that have any; the append-only trigger steps aside for this owner's transaction."""
    versions = apps.get_model("healthrecords", "RecordVersion").objects.using(editor.connection.alias)
    labelled = {}
    for version in versions.filter(content__isnull=False).only("content").iterator(chunk_size=500):
        if "security" in version.content and (labels := labels_of(parse_json(version.content.encode()))):
            labelled[version.pk] = labels
    if labelled:
        editor.execute("ALTER TABLE healthrecords_recordversion DISABLE TRIGGER refuse_change")
        for key, labels in labelled.items():
            versions.filter(pk=key).update(labels=labels)
        editor.execute("ALTER TABLE healthrecords_recordversion ENABLE ALWAYS TRIGGER refuse_change")


class Migration(migrations.Migration):
    dependencies = [("healthrecords", "0011_single_sign_on")]

    operations = [
        migrations.AddField(
            model_name="recordversion",
            name="labels",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.TextField(),
                default=list,
                help_text="Its security labels, as `system|code`.",
                size=None,
            ),
        ),
        migrations.RunPython(label, migrations.RunPython.noop),
    ]
