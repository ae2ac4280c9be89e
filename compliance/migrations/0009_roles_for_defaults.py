"""Open the defaults of the purposes of use to the shipped roles that exist already."""

from typing import Any

from django.db import migrations

ADDED = {"compliance-officer": "us", "auditor": "s"}


def open_defaults(apps: Any, editor: Any) -> None:
    """Add the letters of ADDED, where the site says nothing of the defaults yet."""
    roles = apps.get_model("healthrecords", "Role").objects.using(editor.connection.alias)
    for role in roles.filter(name__in=ADDED):
        role.permissions = {"PurposeDefault": ADDED[role.name], **role.permissions}
        role.save(update_fields=["permissions"])


class Migration(migrations.Migration):
    dependencies = [("compliance", "0008_accounting")]

    operations = [migrations.RunPython(open_defaults, migrations.RunPython.noop)]
