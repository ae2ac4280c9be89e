"""Recurring work on what clients were given."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from healthrecords.cli import counted
from healthrecords.oauth.models import AccessToken, Authorization, Grant, Launch, RefreshToken, UsedAssertion

UNUSED = timedelta(days=1)  # how old a permission is, at least, that is forgotten with its last token


@shared_task
def clear_what_ended() -> str:
    """Delete codes, tokens, launches and permissions whose time is over; return what was done, in words."""
    now = timezone.now()
    for kind in (UsedAssertion, Launch):
        kind.objects.filter(expires_at__lt=now).delete()
    Grant.objects.filter(expires__lt=now).delete()
    _clear_tokens()
    access, refresh = (kind.objects.filter(authorization=OuterRef("pk")) for kind in (AccessToken, RefreshToken))
    idle = Q(~Exists(access), ~Exists(refresh), given_at__lt=now - UNUSED)
    over = Authorization.objects.filter(Q(ended_at__lt=now - UNUSED) | idle)
    return f"{counted(over.delete()[1].get(Authorization._meta.label, 0), 'permission')} removed."


def _clear_tokens() -> None:
    """A refresh token that was used stays as long as it could have been, to notice that it comes again; one that can
    still be used keeps the access token from which its age is told."""
    now = timezone.now()
    dead = now - timedelta(days=settings.OAUTH_REFRESH_DAYS)
    lost, old = Q(revoked=None, access_token=None), Q(access_token__expires__lt=dead)
    RefreshToken.objects.filter(Q(revoked__lt=dead) | lost | old).delete()
    AccessToken.objects.filter(expires__lt=now, refresh_token=None).delete()
