"""The access matrix: what each role opens, as the access policy answers, not as anybody wrote it down."""

from dataclasses import dataclass

from healthrecords.access import policy
from healthrecords.access.request import LETTERS, AccessRequest, Actor
from healthrecords.accounts.models import Role
from healthrecords.fhir.resource import registry

INTERACTIONS = tuple(each for each in LETTERS if each != "history")  # a history is read by whoever reads
WORDS = {"create": "add", "read": "read", "update": "change", "delete": "delete", "search": "list"}
SUBJECTS = {
    "Accounting": "Accounting of disclosures",
    "Backup": "Backups", "Binary": "Contents of documents", "Breach": "Breaches", "Control": "Compliance controls",
    "Incident": "Incidents", "Operations": "Operations: charts, jobs, notices", "PurposeDefault": "What purposes show",
    "Review": "Review of accesses", "Settings": "Settings", "Stock": "Vaccine stock",
    "Trail": "Access log", "User": "People, roles and tokens",
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One subject: what it is called, and for each role the interactions open to it, in words."""

    subject: str
    title: str
    cells: tuple[tuple[Role, tuple[str, ...]], ...]


def rows() -> list[Row]:
    """Ask the policy about every role, subject and interaction: resource types first, then what is no record."""
    roles = list(Role.objects.all())
    return [Row(name, title(name), tuple((role, opened(role, name)) for role in roles)) for name in subjects(roles)]


def subjects(roles: list[Role]) -> list[str]:
    """The served resource types, and what else a role names."""
    named = {subject for role in roles for subject in role.permissions} - {"Directory"}
    return [*registry(), *sorted(named - set(registry()), key=title)]


def opened(role: Role, subject: str) -> tuple[str, ...]:
    """The interactions with the subject that the policy permits to somebody who holds this role alone."""
    actor = Actor("role", role.name, role.title, (role.name,), (role.permissions,), tuple(role.purposes))
    asked = (AccessRequest(actor, interaction, subject, role.purposes[0]) for interaction in INTERACTIONS)
    return tuple(WORDS[each.interaction] for each in asked if policy.permit(each).permitted)


def title(subject: str) -> str:
    """What a subject is called on pages."""
    return SUBJECTS.get(subject, subject)
