"""Invite people, change their roles, shut them out. Each change leaves its row in the trail, in the same transaction.

Another administrator who can sign in always remains, so that a server is never left without one by these functions.
"""

from collections.abc import Iterable

from django.conf import settings
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse

from healthrecords import trail
from healthrecords.access.request import AccessRequest
from healthrecords.accounts import factors, sessions
from healthrecords.accounts.models import EnrolmentLink, Role, User

ADMINISTRATOR = "administrator"
FIRST_EMAIL = "first@localhost.localdomain"  # a placeholder; the first person puts their own on the enrolment page
FIRST_NAME = "First administrator"
DEMO_ROLES = ("clinician", "operator", ADMINISTRATOR)


def invite(email: str, name: str, role_names: Iterable[str], by: AccessRequest) -> tuple[User, str]:
    """Create a person; return them with their enrolment link. ValidationError says what was wrong."""
    validate_email(email.strip())
    if not name.strip() or len(name) > 200 or not name.isprintable():
        raise ValidationError("A person needs a name of 1 to 200 printable characters.")
    roles = _find_roles(role_names)
    with transaction.atomic():
        if User.objects.filter(email=email.strip().lower()).exists():
            raise ValidationError(f"{email} is known already; users reset-factor makes a new enrolment link.")
        person = User.objects.invite(email, name, roles)
        _record("create", person, f"invited with {_named(roles)}", by)
        return person, enrolment_link(person)


def disable(email: str, by: AccessRequest) -> bool:
    """Shut a person out at once, with their sessions and links; False when they were so already."""
    with transaction.atomic():
        person = _locked(email)
        if not person.is_active:
            return False
        _keep_an_administrator(person)
        person.is_active = False
        person.save(update_fields=["is_active"])
        person.links.filter(used_at=None).delete()
        sessions.end(person)
        _record("update", person, "disabled", by)
    return True


def enable(email: str, by: AccessRequest) -> bool:
    """Let a person sign in again; False when they could already."""
    with transaction.atomic():
        person = _locked(email)
        if person.is_active:
            return False
        person.is_active = True
        person.save(update_fields=["is_active"])
        _record("update", person, "enabled", by)
    return True


def unlock(email: str, by: AccessRequest) -> User:
    """Forget the wrong tries at a person's password and second factor, so that they need not wait; return them.

    What is counted for an address, whoever is tried from it, stays counted.
    """
    with transaction.atomic():
        person = _locked(email)
        person.unlocks += 1
        person.save(update_fields=["unlocks"])
        _record("update", person, "unlocked", by)
    return person


def change_roles(
    email: str, add: Iterable[str], remove: Iterable[str], by: AccessRequest, keep: str | None = None
) -> list[str]:
    """Give and take roles; return the names of those that the person holds now.

    A change ends the person's sessions but the one of the key `keep`: the one in which they do it themselves.
    """
    added, removed = _find_roles(add, least=0), _find_roles(remove, least=0)
    with transaction.atomic():
        person = _locked(email)
        before = set(person.roles.all())
        after = (before | set(added)) - set(removed)
        if not after:
            raise ValidationError("A person keeps at least one role; users disable shuts them out.")
        if ADMINISTRATOR in {role.name for role in before - after}:
            _keep_an_administrator(person)
        person.roles.set(after)
        if before != after:
            sessions.end(person, but=keep)
            _record("update", person, f"roles {_named(before)} became {_named(after)}", by)
    return sorted(role.name for role in after)


def reset_factor(email: str, by: AccessRequest) -> tuple[User, str]:
    """Void a person's password, second factors, recovery codes and sessions; return them with a new enrolment link."""
    with transaction.atomic():
        person = _locked(email)
        if not person.is_active:
            raise ValidationError(f"{person.email} is disabled; users enable comes first.")
        person.set_unusable_password()
        person.save(update_fields=["password"])
        lost = factors.state(person)
        factors.remove_all(person)
        sessions.end(person)
        _record("update", person, f"password and second factors ({lost}) voided, enrolment link made", by)
        return person, enrolment_link(person)


def first(demo: bool, by: AccessRequest) -> tuple[User, str] | None:
    """The first person with a fresh link while nobody can sign in yet, else None."""
    roles = _find_roles(DEMO_ROLES if demo else [ADMINISTRATOR])
    with transaction.atomic():
        _lock_administration()
        if _able_to_sign_in().exists():
            return None
        person = User.objects.filter(email=FIRST_EMAIL, is_active=True).first()
        if person is None:
            person = User.objects.invite(FIRST_EMAIL, FIRST_NAME, roles)
            _record("create", person, f"first person, with {_named(roles)}", by)
        return person, enrolment_link(person)


def enrolment_link(person: User) -> str:
    """A new one-time link for a person; their earlier ones are void."""
    return settings.PUBLIC_URL + reverse("accounts:enrol", args=[EnrolmentLink.issue(person)])


def find_role(name: str) -> Role:
    """The role of that name; ValidationError lists those that exist."""
    role = Role.objects.filter(name=name).first()
    if role is None:
        known = ", ".join(Role.objects.values_list("name", flat=True))
        raise ValidationError(f"There is no role '{name}'; the roles are {known}.")
    return role


def state(person: User) -> str:
    """`active`, `invited` (no password yet) or `disabled`."""
    if not person.is_active:
        return "disabled"
    return "active" if person.has_usable_password() else "invited"


def _find_roles(names: Iterable[str], least: int = 1) -> list[Role]:
    roles = [find_role(name) for name in dict.fromkeys(names)]
    if len(roles) < least:
        raise ValidationError("A person needs at least one role.")
    return roles


def _locked(email: str) -> User:
    _lock_administration()
    person = User.objects.select_for_update().filter(email=email.strip().lower()).first()
    if person is None:
        raise ValidationError(f"Nobody has the e-mail address {email}; users list shows who is known.")
    return person


def _lock_administration() -> None:
    """One change of people at a time: two administrators who disable each other at once must not both succeed."""
    Role.objects.select_for_update().get(pk=ADMINISTRATOR)


def _able_to_sign_in() -> QuerySet[User]:
    return User.objects.filter(is_active=True).exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX)


def _keep_an_administrator(person: User) -> None:
    """Refuse what would leave nobody who can administer people."""
    if not person.roles.filter(pk=ADMINISTRATOR).exists():
        return
    if not _able_to_sign_in().filter(roles=ADMINISTRATOR).exclude(pk=person.pk).exists():
        raise ValidationError(
            f"{person.email} is the last administrator who can sign in; give somebody else that role first."
        )


def _named(roles: Iterable[Role]) -> str:
    return ", ".join(sorted(role.name for role in roles))


def _record(action: str, person: User, detail: str, by: AccessRequest) -> None:
    fact = trail.Fact(action, resources=(f"User/{person.pk}",), detail=f"{person.name}: {detail}")
    trail.record(by.to(action, "User"), [fact])
