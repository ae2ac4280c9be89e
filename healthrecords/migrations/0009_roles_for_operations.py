"""Name what is no record (backups, incidents, breaches, controls, settings) in the shipped roles that exist already.

What a site says of these subjects already stays; a role that the site has removed stays away.
"""

from typing import Any

from django.db import migrations

ADDED = {
    "operator": {"Backup": "crus", "Incident": "crus", "Settings": "r"},
    "compliance-officer": {"Breach": "crus", "Control": "crus", "Incident": "rs"},
    "security-officer": {"User": "rs", "Incident": "crus", "Breach": "rs", "Settings": "r"},
    "auditor": {"User": "rs", "Backup": "rs", "Incident": "rs", "Breach": "rs", "Control": "rs", "Settings": "r"},
    "administrator": {"Settings": "ru"},
}


def open_subjects(apps: Any, editor: Any) -> None:
    """Add the letters of ADDED."""
    roles = apps.get_model("healthrecords", "Role").objects.using(editor.connection.alias)
    for role in roles.filter(name__in=ADDED):
        role.permissions = {**ADDED[role.name], **role.permissions}
        role.save(update_fields=["permissions"])


class Migration(migrations.Migration):
    dependencies = [("healthrecords", "0008_sessions_and_factors")]

    operations = [migrations.RunPython(open_subjects, migrations.RunPython.noop)]
