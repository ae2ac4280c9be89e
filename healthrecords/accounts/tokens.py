"""Issue, rotate and revoke API tokens. Each change leaves its row in the trail, in the same transaction."""

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone

from healthrecords import trail
from healthrecords.access.request import AccessRequest
from healthrecords.accounts.models import ApiToken
from healthrecords.accounts.people import find_role

LONGEST = 365  # days; a token that outlives a year is a token that nobody remembers
LIVE_AT_ONCE = 2  # the one in use and its successor


def issue(name: str, role_name: str, purposes: list[str], days: int, by: AccessRequest) -> tuple[ApiToken, str]:
    """Create the first token of a name; return it with its text. ValidationError says what was wrong."""
    name = _checked_name(name)
    with transaction.atomic():
        _lock(name)
        if live(name):
            raise ValidationError(f"There is a live token named {name}; tokens rotate makes its successor.")
        return _create(name, role_name, purposes, days, by)


def rotate(name: str, days: int, by: AccessRequest) -> tuple[ApiToken, str]:
    """Create the successor of a live token, with its role and purposes; both live until one is revoked."""
    with transaction.atomic():
        _lock(name)
        existing = live(name)
        if not existing:
            raise ValidationError(f"There is no live token named {name}; tokens create makes one.")
        if len(existing) >= LIVE_AT_ONCE:
            older = existing[-1].prefix
            raise ValidationError(f"{name} has two live tokens; revoke the older one first: tokens revoke {older}.")
        return _create(name, existing[0].role_id, existing[0].purposes, days, by)


def revoke(name_or_prefix: str, by: AccessRequest) -> list[ApiToken]:
    """Revoke the tokens of a name, or the one of a prefix; return those that were not revoked before."""
    wanted = name_or_prefix.removeprefix("hrt_")
    with transaction.atomic():
        found = list(ApiToken.objects.select_for_update().filter(prefix=wanted)) or list(
            ApiToken.objects.select_for_update().filter(name=name_or_prefix)
        )
        if not found:
            raise ValidationError(f"There is no token of the name or prefix {name_or_prefix}.")
        open_ones = [token for token in found if token.revoked_at is None]
        for token in open_ones:
            token.revoked_at = timezone.now()
            token.save(update_fields=["revoked_at"])
            _record("delete", token, "revoked", by)
    return open_ones


def live(name: str) -> list[ApiToken]:
    """The live tokens of a name, newest first."""
    return list(ApiToken.objects.filter(name=name, revoked_at=None, expires_at__gt=timezone.now()))


def state(token: ApiToken) -> str:
    """`live`, `expired` or `revoked`."""
    if token.revoked_at:
        return "revoked"
    return "live" if token.is_live(timezone.now()) else "expired"


def _create(name: str, role_name: str, purposes: list[str], days: int, by: AccessRequest) -> tuple[ApiToken, str]:
    if not 1 <= days <= LONGEST:
        raise ValidationError(f"A token lives for 1 to {LONGEST} days, not {days}.")
    role = find_role(role_name)
    if unknown := [code for code in purposes if code not in role.purposes]:
        open_ones = ", ".join(role.purposes)
        raise ValidationError(
            f"The role {role.name} does not have the purpose {', '.join(unknown)}; it has {open_ones}."
        )
    token, text = ApiToken.issue(name, role, purposes, days)
    _record("create", token, f"role {role.name}, purposes {','.join(token.purposes)}, {days} days", by)
    return token, text


def _checked_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > 100 or not name.isprintable():
        raise ValidationError("A token needs a name of 1 to 100 printable characters.")
    return name


def _lock(name: str) -> None:
    """One change at a time for a name, so that two rotations do not leave three live tokens."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"api-token {name}"])


def _record(action: str, token: ApiToken, detail: str, by: AccessRequest) -> None:
    fact = trail.Fact(action, resources=(f"ApiToken/{token.pk}",), detail=f"{token.name} ({token.prefix}): {detail}")
    trail.record(by.to(action, "ApiToken"), [fact])
