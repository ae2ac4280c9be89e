"""Open operations (charts, jobs, notices) to the shipped role administrator, where it exists and says nothing of them."""

from typing import Any

from django.db import migrations


def open_operations(apps: Any, editor: Any) -> None:
    """Add the subject."""
    roles = apps.get_model("healthrecords", "Role").objects.using(editor.connection.alias)
    for role in roles.filter(name="administrator"):
        role.permissions = {"Operations": "crus", **role.permissions}
        role.save(update_fields=["permissions"])


class Migration(migrations.Migration):
    dependencies = [("healthrecords", "0017_roles_for_operations")]

    operations = [migrations.RunPython(open_operations, migrations.RunPython.noop)]
