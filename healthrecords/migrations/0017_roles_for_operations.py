"""Name what an operator watches and runs (charts, jobs, notices) in the shipped roles that exist already.

What a site says of it already stays; a role that the site has removed stays away.
"""

from typing import Any

from django.db import migrations

ADDED = {"operator": "crus", "security-officer": "rs", "auditor": "rs"}


def open_operations(apps: Any, editor: Any) -> None:
    """Add the letters of ADDED."""
    roles = apps.get_model("healthrecords", "Role").objects.using(editor.connection.alias)
    for role in roles.filter(name__in=ADDED):
        role.permissions = {"Operations": ADDED[role.name], **role.permissions}
        role.save(update_fields=["permissions"])


class Migration(migrations.Migration):
    dependencies = [("healthrecords", "0016_notices")]

    operations = [migrations.RunPython(open_operations, migrations.RunPython.noop)]
