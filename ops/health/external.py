"""What the server leans on outside: mail, the virus scanner, the repository of backups, the provider of sign-ins."""

import smtplib
import ssl
from datetime import timedelta

from django.conf import settings
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Min
from django.utils import timezone

from documents.scanning import clamd
from healthrecords.accounts import oidc
from healthrecords.outgoing import OutgoingError
from ops.backup.faults import BackupFault
from ops.backup.repository import repository
from ops.proof import publishing

from .registry import OPTIONAL, NotConfigured, Problem, check

PATIENCE = 4.0  # seconds for each answer of the mail server


@check("mail", "external", limit=10, next_step="Correct HEALTHCARE_SMTP_URL, or start the mail server.")
def mail() -> str:
    """Greet the mail server and sign in as a message would; send nothing."""
    if not settings.MAIL_IS_SET:
        raise NotConfigured("No mail server: HEALTHCARE_SMTP_URL is not set, so that no message goes out.")
    try:
        with _greeted() as server:
            if settings.EMAIL_HOST_USER:
                server.login(settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD)
            server.noop()
    except smtplib.SMTPAuthenticationError as fault:
        raise Problem("The mail server refuses the credentials.", "Correct HEALTHCARE_SMTP_URL.") from fault
    except (OSError, smtplib.SMTPException) as fault:
        raise Problem(f"The mail server {settings.EMAIL_HOST}:{settings.EMAIL_PORT} does not answer.") from fault
    return f"{settings.EMAIL_HOST} takes mail."


def _greeted() -> smtplib.SMTP:
    where, tls = (settings.EMAIL_HOST, settings.EMAIL_PORT), ssl.create_default_context()
    if settings.EMAIL_USE_SSL:
        return smtplib.SMTP_SSL(*where, timeout=PATIENCE, context=tls)
    server = smtplib.SMTP(*where, timeout=PATIENCE)
    if settings.EMAIL_USE_TLS:
        server.starttls(context=tls)
    return server


@check(
    "scanner",
    "external",
    limit=3,
    ready=OPTIONAL,
    next_step="Start clamd, or correct HEALTHCARE_CLAMAV; uploads stay in quarantine meanwhile.",
)
def scanner() -> str:
    """Ping the virus scanner."""
    if not settings.CLAMAV:
        raise NotConfigured("No virus scanner: HEALTHCARE_CLAMAV is not set, so that nothing is scanned.")
    try:
        clamd.reach(settings.CLAMAV)
    except clamd.ScannerFault as fault:
        raise Problem(str(fault)) from fault
    return "The virus scanner answers."


@check(
    "backup-repository", "external", limit=15, next_step="`backup list` says what is there; docs/runbooks/backup.md."
)
def backup_repository() -> str:
    """Whether a backup could be written now."""
    if not settings.BACKUP_REPOSITORY:
        raise NotConfigured("No backups here: HEALTHCARE_BACKUP_REPOSITORY is not set for this process.")
    try:
        repository().check()
    except BackupFault as fault:
        raise Problem(str(fault)) from fault
    return "The repository takes backups."


@check("backups", "external", limit=10, needs="database", next_step="Run `backup database`, then `backup test`.")
def backups() -> str:
    """How old the newest backup and the last proven restore are; a server of the first day needs none yet."""
    notices = publishing.notices()
    if notices and _is_new():
        return f"This server is new: {notices[0]}"
    if notices:
        raise Problem(" ".join(notices))
    return "The newest backup and the last proven restore are recent."


def _is_new() -> bool:
    """Whether the first backup is not due yet."""
    begun = MigrationRecorder.Migration.objects.aggregate(Min("applied"))["applied__min"]
    return bool(begun and timezone.now() - begun < timedelta(hours=settings.BACKUP_MAX_HOURS))


@check("sign-in-provider", "external", limit=15, next_step="Correct HEALTHCARE_OIDC_ISSUER, or ask the provider.")
def sign_in_provider() -> str:
    """Read the OpenID provider's configuration, as each single sign-on does."""
    if not settings.OIDC_ISSUER:
        raise NotConfigured("No single sign-on: HEALTHCARE_OIDC_ISSUER is not set.")
    try:
        oidc.configuration()
    except (OutgoingError, oidc.NotAccepted) as fault:
        raise Problem(str(fault)) from fault
    return "The provider of single sign-on answers."
