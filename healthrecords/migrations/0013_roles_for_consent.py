"""Open consents, and the purpose of emergency treatment, to the shipped roles that exist already."""

from typing import Any

from django.db import migrations, models

ADDED = {"clinician": "crus", "front-desk": "crus", "immunization-nurse": "rs", "compliance-officer": "crus"}
ADDED["auditor"] = "rs"
EMERGENCY = "ETREAT"


def open_consents(apps: Any, editor: Any) -> None:
    """Add the letters of ADDED where a site has not decided otherwise, and ETREAT to those who treat."""
    roles = apps.get_model("healthrecords", "Role").objects.using(editor.connection.alias)
    for role in roles.filter(name__in=ADDED):
        role.permissions = {"Consent": ADDED[role.name], **role.permissions}
        if role.name in ("clinician", "immunization-nurse") and EMERGENCY not in role.purposes:
            role.purposes = [*role.purposes, EMERGENCY]
        role.save(update_fields=["permissions", "purposes"])


class Migration(migrations.Migration):
    dependencies = [("healthrecords", "0012_labels")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="practitioner",
            field=models.TextField(
                blank=True, default="", help_text="Logical id of the Practitioner that this person is."
            ),
        ),
        migrations.RunPython(open_consents, migrations.RunPython.noop),
    ]
