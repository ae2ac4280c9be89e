"""Open the review of accesses to the shipped roles that exist already; a role that the site has removed stays away."""

from typing import Any

from django.db import migrations

ADDED = {"compliance-officer": "crus", "security-officer": "rus", "auditor": "rs"}


def open_review(apps: Any, editor: Any) -> None:
    """Add the letters of ADDED, where the site says nothing of the review yet."""
    roles = apps.get_model("healthrecords", "Role").objects.using(editor.connection.alias)
    for role in roles.filter(name__in=ADDED):
        role.permissions = {"Review": ADDED[role.name], **role.permissions}
        role.save(update_fields=["permissions"])


class Migration(migrations.Migration):
    dependencies = [("compliance", "0005_review"), ("healthrecords", "0009_roles_for_operations")]

    operations = [migrations.RunPython(open_review, migrations.RunPython.noop)]
