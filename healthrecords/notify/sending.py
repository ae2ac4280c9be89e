"""The seam to apprise and to the mail server: send a message to an address, or say why it was not taken.

An address is `mailto:a@clinic.example,b@clinic.example` and `role:NAME` (who holds the role), both by the server's own
mail (HEALTHCARE_SMTP_URL), or the URL of one of the services in `kinds`.
"""

import json
import os
import subprocess
import sys
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from typing import Any

from django.conf import settings

from healthrecords import outgoing
from healthrecords.accounts.models import User
from healthrecords.notify import kinds
from healthrecords.notify.wording import Message

SECONDS = 30.0  # for one message, whatever the other side does
BY_DEFAULT = "role:operator,administrator"
_SEVEN_BITS = SMTP.clone(cte_type="7bit")  # what every mail server takes
_KEPT = ("PATH", "LANG", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")


class NotTaken(Exception):
    """The message was not sent, or may not have been; the text is a sentence without the address's secrets."""


def send(address: str, message: Message) -> str:
    """Send a message; return what is to be noted though it was taken, and raise NotTaken with the reason."""
    if kinds.is_mail(address):
        return _run({"mail": _mail(recipients(address), message), "permitted": _mail_servers()}, "")
    kind = kinds.of(address).kind
    text = {"title": "", "body": message.brief} if kind == "sms" else {"title": message.title, "body": message.body}
    return _run({"url": address, "permitted": outgoing.exceptions(), "severity": message.severity, **text}, address)


def check(address: str) -> None:
    """Raise NotTaken where apprise cannot make anything of an address; nothing is sent."""
    if not kinds.is_mail(address):
        _run({"url": address, "permitted": []}, address)


def recipients(address: str) -> list[str]:
    """Return the mail addresses that an address of mail stands for."""
    scheme, _, names = address.partition(":")
    if scheme == "mailto":
        return names.split(",")
    people = User.objects.filter(is_active=True, roles__name__in=names.split(","))
    return list(people.order_by("email").values_list("email", flat=True).distinct())


def _mail(to: list[str], message: Message) -> dict[str, Any]:
    if not settings.MAIL_IS_SET:
        raise NotTaken("No mail server is set; HEALTHCARE_SMTP_URL names one.")
    if not to:
        raise NotTaken("Nobody who can sign in holds the role.")
    tls = "from-the-start" if settings.EMAIL_USE_SSL else "starttls" if settings.EMAIL_USE_TLS else ""
    return {
        "host": settings.EMAIL_HOST, "port": settings.EMAIL_PORT, "tls": tls, "user": settings.EMAIL_HOST_USER,
        "password": settings.EMAIL_HOST_PASSWORD, "sender": settings.DEFAULT_FROM_EMAIL, "recipients": to,
        "text": _text(to, message),
    }  # fmt: skip


def _text(to: list[str], message: Message) -> str:
    mail = EmailMessage(_SEVEN_BITS)
    mail["Subject"], mail["From"], mail["To"] = message.brief, settings.DEFAULT_FROM_EMAIL, ", ".join(to)
    mail["Date"], mail["Message-ID"] = formatdate(), f"<{message.id}@healthrecords.invalid>"
    mail.set_content(message.body)
    return mail.as_string()


def _mail_servers() -> list[tuple[str, int]]:
    """The mail server may be inside: whoever sets up this server has named it."""
    try:
        return [(each, settings.EMAIL_PORT) for each in outgoing.resolve(settings.EMAIL_HOST, settings.EMAIL_PORT)]
    except OSError:
        raise NotTaken(f"The name {settings.EMAIL_HOST} is not known.") from None


def _run(job: dict[str, Any], address: str) -> str:
    """Have the program send it; return its note, and raise NotTaken unless it says that the message was taken."""
    surroundings = {name: os.environ[name] for name in _KEPT if name in os.environ}
    command = [sys.executable, "-m", "healthrecords.notify.sender"]
    try:
        done = subprocess.run(
            command, input=json.dumps(job), capture_output=True, text=True, timeout=SECONDS, env=surroundings,
            cwd=settings.BASE_DIR, check=False,
        )  # fmt: skip
        said = json.loads(done.stdout)
        reason, note = str(said["reason"]), str(said["note"])
    except subprocess.TimeoutExpired:
        raise NotTaken(f"It took longer than {SECONDS:.0f} seconds.") from None
    except (OSError, ValueError, KeyError):
        raise NotTaken("The sending process broke off.") from None
    if reason:
        raise NotTaken(kinds.without_secrets(reason, address))
    return note
