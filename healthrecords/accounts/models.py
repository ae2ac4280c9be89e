"""The user model, roles as data, API tokens and one-time enrolment links."""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils import timezone
from uuid6 import uuid7

from healthrecords.crypto.fields import EncryptedTextField


class Role(models.Model):
    """What a person or token may do: interactions by resource type, and the purposes of use open to it.

    `permissions` maps a resource type (or `Directory`, `User`, `Trail`) to letters as in SMART scopes: c(reate),
    r(ead, with its versions), u(pdate), d(elete), s(earch, with histories of a type).
    """

    name = models.SlugField(primary_key=True, max_length=40)
    title = models.CharField(max_length=80)
    permissions = models.JSONField(default=dict)
    purposes = ArrayField(models.CharField(max_length=20), default=list)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.title


class UserManager(BaseUserManager["User"]):
    """Makes people; an e-mail address is compared without case."""

    def invite(self, email: str, name: str, roles: list[Role]) -> "User":
        """Create a person who cannot sign in until they have used an enrolment link."""
        person = self.model(email=email.strip().lower(), name=name.strip())
        person.set_unusable_password()
        person.save(using=self._db)
        person.roles.set(roles)
        return person

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser):
    """A person. What they may do follows from their roles alone; there is no superuser."""

    uuid = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField("e-mail", unique=True)
    name = models.CharField(max_length=200)
    roles = models.ManyToManyField(Role, related_name="people")
    is_active = models.BooleanField("may sign in", default=True)
    provider_subject = models.TextField(null=True, unique=True, help_text="Who it is at the OpenID provider (`sub`).")
    practitioner = models.TextField(
        blank=True, default="", help_text="Logical id of the Practitioner that this person is."
    )
    unlocks = models.PositiveIntegerField(default=0, editable=False, help_text="How often wrong tries were forgotten.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name or self.email

    def guessed_as(self, subject: str) -> str:
        """Under what tries at this person's secrets are counted: each unlocking begins new counts."""
        return f"{subject}|{self.unlocks}" if self.unlocks else subject

    @property
    def is_staff(self) -> bool:
        """Whether the admin opens at all; each screen asks the policy again."""
        return self.is_active and bool(self.role_list)

    @property
    def role_list(self) -> list[Role]:
        """The roles, read once for the life of this object."""
        if not hasattr(self, "_roles"):
            self._roles = list(self.roles.all()) if self.pk else []
        return self._roles

    @property
    def references(self) -> tuple[str, ...]:
        """The directory entries that the person is: Practitioner, active PractitionerRoles and their Organizations."""
        if not self.practitioner:
            return ()
        from healthrecords.directory.models import PractitionerRole

        roles = PractitionerRole.objects.live().filter(practitioner_id=self.practitioner).exclude(active=False)
        found = [f"Practitioner/{self.practitioner}"]
        for role, organization in roles.values_list("logical_id", "organization_id"):
            found += [f"PractitionerRole/{role}", *([f"Organization/{organization}"] if organization else [])]
        return tuple(dict.fromkeys(found))

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Deny: screens ask the access policy, and what does not ask it stays shut."""
        return False

    def has_perms(self, perms: Any, obj: Any = None) -> bool:
        return False

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_staff


def digest(secret: str) -> bytes:
    """How random secrets of 256 bits are stored: SHA-256 is enough where nothing can be guessed."""
    return hashlib.sha256(secret.encode()).digest()


class ApiToken(models.Model):
    """A bearer token `hrt_PREFIX_SECRET`: shown once, kept as its prefix and hash, with one role."""

    uuid = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=100)
    role = models.ForeignKey(Role, models.PROTECT)
    purposes = ArrayField(models.CharField(max_length=20), default=list)
    prefix = models.CharField(max_length=12, unique=True, editable=False)
    secret_digest = models.BinaryField(max_length=32)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "API token"

    def __str__(self) -> str:
        return f"{self.name} (hrt_{self.prefix})"

    @classmethod
    def issue(cls, name: str, role: Role, purposes: list[str], days: int) -> tuple["ApiToken", str]:
        """Create a token of `days` days; return it with the text that is shown once."""
        prefix, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        token = cls.objects.create(
            name=name,
            role=role,
            purposes=purposes or role.purposes,
            prefix=prefix,
            secret_digest=digest(secret),
            expires_at=timezone.now() + timedelta(days=days),
        )
        return token, f"hrt_{prefix}_{secret}"

    def fits(self, secret: str) -> bool:
        """Whether `secret` is this token's, compared in constant time."""
        return hmac.compare_digest(bytes(self.secret_digest), digest(secret))

    def is_live(self, now: datetime) -> bool:
        return self.revoked_at is None and now < self.expires_at


class GuessCount(models.Model):
    """A count of guesses while the cache is down (healthrecords.accounts.attempts); the key is a keyed hash."""

    key = models.CharField(primary_key=True, max_length=80)
    count = models.IntegerField()
    ends_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.count} until {self.ends_at}"


class EnrolmentLink(models.Model):
    """A one-time link with which an invited person sets a password and signs in."""

    uuid = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="links")
    secret_digest = models.BinaryField(max_length=32, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"link for {self.user}"

    @classmethod
    def issue(cls, user: User, hours: int = 72) -> str:
        """Void the person's earlier links and return the secret of a new one."""
        cls.objects.filter(user=user, used_at=None).delete()
        secret = secrets.token_urlsafe(32)
        cls.objects.create(user=user, secret_digest=digest(secret), expires_at=timezone.now() + timedelta(hours=hours))
        return secret

    @classmethod
    def find(cls, secret: str) -> "EnrolmentLink | None":
        """The unused, unexpired link of `secret`, locked until the transaction ends."""
        live = cls.objects.filter(used_at=None, expires_at__gt=timezone.now(), user__is_active=True)
        return live.select_for_update(of=("self",)).filter(secret_digest=digest(secret)).first()


class Session(AbstractBaseSession):
    """A browser's session: whose, since when, from where. Its row is the session; without the row it has ended."""

    person = models.ForeignKey(User, models.CASCADE, null=True, related_name="sessions")
    started_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now, help_text="To the minute.")
    address = models.TextField(default="")
    browser = models.TextField(default="", help_text="In words, such as Firefox on Windows.")

    class Meta:
        ordering = ["-seen_at"]

    @classmethod
    def get_session_store_class(cls) -> Any:
        from healthrecords.accounts.sessions import SessionStore

        return SessionStore


class FactorSecret(models.Model):
    """A secret of a second factor (the authenticator app's, the seed of recovery codes), sealed; allauth keeps its key.

    A column of its own, so that the rotation of keys finds it.
    """

    uuid = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    secret = EncryptedTextField()

    def __str__(self) -> str:
        return str(self.uuid)
