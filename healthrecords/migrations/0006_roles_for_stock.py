"""Open the vaccine stock to the shipped roles that exist already, without undoing what a site decided.

A role gets no letter that the site has taken from it for immunizations; a role that the site has removed stays away.
"""

from typing import Any

from django.db import migrations

ADDED = {"clinician": "crus", "front-desk": "rs", "immunization-nurse": "crus"}


def open_stock(apps: Any, editor: Any) -> None:
    """Add the letters of ADDED."""
    roles = apps.get_model("healthrecords", "Role").objects.using(editor.connection.alias)
    for role in roles.filter(name__in=ADDED):
        role.permissions = extended(role.permissions, ADDED[role.name])
        role.save(update_fields=["permissions"])


def extended(permissions: dict[str, str], letters: str) -> dict[str, str]:
    """Return `permissions` with those of `letters` for the stock that the role has for immunizations, too."""
    fresh = "".join(letter for letter in letters if letter in permissions.get("Immunization", ""))
    return {**({"Stock": fresh} if fresh else {}), **permissions}


class Migration(migrations.Migration):
    dependencies = [("healthrecords", "0005_roles_for_immunizations")]

    operations = [migrations.RunPython(open_stock, migrations.RunPython.noop)]
