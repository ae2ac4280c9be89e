"""Open documents and their content to the shipped roles that exist already, without undoing what a site decided.

A role gets no letter for the new types that the site has taken from it for patients; what it says of the new types
already stays, and a role that the site has removed stays away.
"""

from typing import Any

from django.db import migrations

ADDED = {
    "clinician": {"DocumentReference": "crus", "Binary": "cr"},
    "immunization-nurse": {"DocumentReference": "rs", "Binary": "r"},
    "integrator": {"DocumentReference": "cruds", "Binary": "cr"},
}


def open_types(apps: Any, editor: Any) -> None:
    """Add the letters of ADDED."""
    roles = apps.get_model("healthrecords", "Role").objects.using(editor.connection.alias)
    for role in roles.filter(name__in=ADDED):
        role.permissions = extended(role.permissions, ADDED[role.name])
        role.save(update_fields=["permissions"])


def extended(permissions: dict[str, str], added: dict[str, str]) -> dict[str, str]:
    """Return `permissions` with those letters of `added` that the role has for patients, too."""
    kept = permissions.get("Patient", "")
    fresh = {kind: "".join(letter for letter in letters if letter in kept) for kind, letters in added.items()}
    return {**{kind: letters for kind, letters in fresh.items() if letters}, **permissions}


class Migration(migrations.Migration):
    dependencies = [("documents", "0001_initial"), ("healthrecords", "0006_roles_for_stock")]

    operations = [migrations.RunPython(open_types, migrations.RunPython.noop)]
