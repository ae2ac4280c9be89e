"""What people allowed apps: how it begins, and all that ends it."""

from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.signals import pre_delete
from django.dispatch import receiver
from django.utils import timezone

from healthrecords import trail
from healthrecords.access.request import AccessRequest
from healthrecords.accounts import sessions
from healthrecords.accounts.models import Session, User
from healthrecords.oauth import minutes
from healthrecords.oauth.models import AccessToken, Authorization, Client, RefreshToken, digest

LASTING = "offline_access"  # the scope that outlives the session


def begin(
    person: User, client: Client, scopes: list[str], *, patient: str | None, session: str, by: AccessRequest
) -> Authorization:
    """Note that a person allows an app these scopes, in the session of that key, with its row in the trail."""
    kept = Authorization(person=person, client=client, scope=" ".join(scopes), patient=patient)
    kept.session = None if LASTING in scopes else digest(session)
    with transaction.atomic():
        kept.save()
        trail.record(by, [minutes.about("app-allowed", client, f"{client.name}: {kept.scope}", patient=patient)])
    return kept


def end(kept: Authorization, reason: str, by: AccessRequest) -> bool:
    """End what was allowed, with its tokens; False if it had ended before."""
    with transaction.atomic():
        if not _end(Authorization.objects.filter(pk=kept.pk)):
            return False
        trail.record(by, [minutes.about("app-ended", kept.client, f"{kept.client.name}: {reason}")])
    return True


def live(person: User) -> QuerySet[Authorization]:
    """What a person allows at present: what has a token that opens something, or can get one; the newest first."""
    access = AccessToken.objects.filter(authorization=OuterRef("pk"), expires__gt=timezone.now())
    refresh = RefreshToken.objects.filter(authorization=OuterRef("pk"), revoked=None)
    renewable = Q(Exists(refresh)) & (Q(session=None) | Q(session__in=_sessions(person)))
    allowed = person.authorizations.filter(ended_at=None, client__disabled_at=None)
    return allowed.filter(Q(Exists(access)) | renewable).select_related("client")


def is_present(kept: Authorization) -> bool:
    """Whether the session that it hangs on, if it does, is still in use."""
    return kept.session is None or kept.session in _sessions(kept.person)


def _sessions(person: User) -> list[str]:
    return [digest(each.session_key) for each in sessions.live(person)]


@receiver(sessions.ended)
def end_with_all_sessions(person: User, but: str | None, **_: Any) -> None:
    """What ends a person's sessions (disabled, other roles, another password) ends all that they allowed elsewhere."""
    _end(person.authorizations.exclude(session=digest(but)) if but else person.authorizations.all())


@receiver(pre_delete, sender=Session)
def end_with_session(instance: Session, **_: Any) -> None:
    """A session that somebody ends takes its apps along; one that ran out while an app was in use does not."""
    if instance.expire_date > timezone.now():
        _end(Authorization.objects.filter(session=digest(instance.session_key)))


def _end(allowed: QuerySet[Authorization]) -> int:
    ended = allowed.filter(ended_at=None)
    AccessToken.objects.filter(authorization__in=ended).delete()
    return ended.update(ended_at=timezone.now())
