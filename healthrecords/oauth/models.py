"""Clients of the OAuth 2 server, what people allowed them, and the codes and tokens that follow from it.

django-oauth-toolkit's own models are swapped for these (settings/oauth.py): columns that nothing here reads are left
out, codes and tokens are kept as hashes alone, and each that acts for a person belongs to an `Authorization`.
"""

import hashlib
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from oauth2_provider.models import AbstractAccessToken, AbstractApplication, AbstractGrant, AbstractRefreshToken
from uuid6 import uuid7

from healthrecords.accounts.models import Role, User
from healthrecords.crypto.fields import EncryptedTextField


def digest(secret: str) -> str:
    """How codes and tokens are stored: they are random, so that SHA-256 is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


class Client(AbstractApplication):
    """A program that signs in for itself (a backend), or an app in which people let it act for them.

    A backend has a role and purposes of its own; an app has those of whoever allowed it. `scope` is the most that
    either may be given. `jwks` are its public keys, by value or as last read from `jwks_url`.
    """

    user = skip_authorization = client_secret = hash_client_secret = algorithm = None
    post_logout_redirect_uris = allowed_origins = registration_source = cimd_expires_at = None

    role = models.ForeignKey(Role, models.PROTECT, null=True, related_name="+")
    purposes = ArrayField(models.CharField(max_length=20), default=list)
    scope = models.TextField()
    jwks = models.JSONField(default=dict)
    jwks_url = models.TextField(default="")
    keys_read_at = models.DateTimeField(null=True)
    launch_url = models.TextField(default="")
    disabled_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["name"]

    @property
    def is_backend(self) -> bool:
        """Whether it signs in for itself, with no person behind it."""
        return self.authorization_grant_type == self.GRANT_CLIENT_CREDENTIALS

    @property
    def is_confidential(self) -> bool:
        """Whether it has keys by which it proves who it is."""
        return self.client_type == self.CLIENT_CONFIDENTIAL

    def is_usable(self, request: Any) -> bool:
        return self.disabled_at is None

    def redirect_uri_allowed(self, uri: str) -> bool:
        """Whether it is one of the registered addresses, character for character (RFC 9700, 4.1.3)."""
        return uri in self.redirect_uris.split()


class Authorization(models.Model):
    """What a person allowed an app: the scopes, for which patient, and until when. Its end is its tokens' end.

    Without `offline_access` it ends with the session in which it was given; the session's key is kept as a hash.
    """

    uuid = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    person = models.ForeignKey(User, models.CASCADE, related_name="authorizations")
    client = models.ForeignKey(Client, models.CASCADE, related_name="authorizations")
    scope = models.TextField()
    patient = models.TextField(null=True, help_text="The logical id of the patient in context.")
    session = models.TextField(null=True, db_index=True, help_text="Hash of the session that it ends with.")
    given_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-given_at"]

    def __str__(self) -> str:
        return f"{self.client} for {self.person}"


class CodeField(models.CharField):
    """A one-time code, kept and looked up as its hash."""

    def get_prep_value(self, value: Any) -> Any:
        return digest(str(super().get_prep_value(value)))


class Grant(AbstractGrant):
    """An authorization code; a used one is kept until it would have expired, to notice that it is used again."""

    user = claims = resource = None
    code = CodeField(max_length=255, unique=True)
    authorization = models.ForeignKey(Authorization, models.CASCADE, related_name="+")
    used_at = models.DateTimeField(null=True)


class AccessToken(AbstractAccessToken):
    """What opens the API for minutes; kept as its hash."""

    user = id_token = resource = None
    authorization = models.ForeignKey(Authorization, models.CASCADE, null=True, related_name="+")


class RefreshToken(AbstractRefreshToken):
    """What is exchanged, once, for another access token and refresh token; kept as its hash."""

    user = resource = None
    authorization = models.ForeignKey(Authorization, models.CASCADE, related_name="+")


class UsedAssertion(models.Model):
    """The `jti` of a client's assertion, kept as a hash until the assertion expires, so that it counts once."""

    key = models.CharField(primary_key=True, max_length=64)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"until {self.expires_at}"


class Launch(models.Model):
    """A person's wish to open an app for a patient: what the app is handed as `launch`, once, kept as its hash."""

    key = models.CharField(primary_key=True, max_length=64)
    person = models.ForeignKey(User, models.CASCADE)
    client = models.ForeignKey(Client, models.CASCADE)
    patient = models.TextField(help_text="The patient's logical id.")
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.client} until {self.expires_at}"


class SigningKey(models.Model):
    """A key that id tokens are signed with; its private part is sealed. The newest signs, all that are kept verify."""

    kid = models.CharField(primary_key=True, max_length=64)
    private = EncryptedTextField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.kid
