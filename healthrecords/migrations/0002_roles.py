"""Write the roles as shipped; from then on they are rows."""

from typing import Any

from django.db import migrations

from healthrecords.accounts.roles import SHIPPED


def write_roles(apps: Any, editor: Any) -> None:
    """Add the shipped roles; one that exists already stays as it is."""
    role = apps.get_model("healthrecords", "Role")
    rows = [
        role(name=name, title=title, permissions=permissions, purposes=purposes)
        for name, (title, permissions, purposes) in SHIPPED.items()
    ]
    role.objects.using(editor.connection.alias).bulk_create(rows, ignore_conflicts=True)


class Migration(migrations.Migration):
    dependencies = [("healthrecords", "0001_initial")]

    operations = [migrations.RunPython(write_roles, migrations.RunPython.noop)]
