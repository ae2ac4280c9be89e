"""The services that a channel may lead to, as rows: apprise knows more, but not all of them speak TLS to one host."""

import re
from dataclasses import dataclass
from urllib.parse import unquote

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

MAIL = ("mailto", "role")
# What an address may say behind its question mark: never how TLS is proved, or which file is read.
OPTIONS = frozenset(
    {"to", "from", "source", "channel", "thread", "topic", "priority", "region", "mode", "method", "sound", "tags"}
)
LONGEST = 2000  # characters of an address
_TOKEN = re.compile(r"[^/:@?&=#,]{5,}")


@dataclass(frozen=True)
class Service:
    """`kind` decides the words: sms gets one line, everything else a title and a text."""

    kind: str
    title: str


SERVICES = {
    "slack": Service("chat", "Slack"),
    "workflows": Service("chat", "Microsoft Teams"),
    "gchat": Service("chat", "Google Chat"),
    "discord": Service("chat", "Discord"),
    "mmosts": Service("chat", "Mattermost"),
    "rockets": Service("chat", "Rocket.Chat"),
    "matrixs": Service("chat", "Matrix"),
    "zulip": Service("chat", "Zulip"),
    "wxteams": Service("chat", "Webex"),
    "tgram": Service("chat", "Telegram"),
    "ntfys": Service("push", "ntfy"),
    "gotifys": Service("push", "Gotify"),
    "pover": Service("push", "Pushover"),
    "signals": Service("sms", "Signal API"),
    "twilio": Service("sms", "Twilio"),
    "vonage": Service("sms", "Vonage"),
    "msgbird": Service("sms", "MessageBird"),
    "sinch": Service("sms", "Sinch"),
    "clicksend": Service("sms", "ClickSend"),
    "bulksms": Service("sms", "BulkSMS"),
    "plivo": Service("sms", "Plivo"),
    "pagerduty": Service("pager", "PagerDuty"),
    "opsgenie": Service("pager", "Opsgenie"),
    "ilert": Service("pager", "iLert"),
    "jsons": Service("webhook", "Webhook"),
}
WEBHOOK_IN_THE_CLEAR = "json"  # by the embedded start alone, to what HEALTHCARE_OUTGOING_ALLOW names


def is_mail(address: str) -> bool:
    """Whether an address is reached by the server's own mail."""
    return address.partition(":")[0] in MAIL


def of(address: str) -> Service:
    """Return the service that an address names; raise ValidationError for one that is not in the list."""
    scheme = address.partition("://")[0]
    if scheme == WEBHOOK_IN_THE_CLEAR and settings.EMBEDDED:
        scheme = "jsons"
    if scheme not in SERVICES:
        raise ValidationError(f"An address begins with mailto:, role: or one of {', '.join(SERVICES)} and ://.")
    return SERVICES[scheme]


def title_of(address: str) -> str:
    """Return what an address leads to, in a word or two that may be shown."""
    if address.startswith("role:"):
        return f"Mail to {address.partition(':')[2].replace(',', ', ')}"
    return "Mail" if is_mail(address) else of(address).title


def refuse_bad(address: str) -> None:
    """Raise ValidationError for an address that no channel may have."""
    if len(address) > LONGEST or not address.isprintable() or " " in address:
        raise ValidationError(f"An address is one word of at most {LONGEST} printable characters.")
    scheme, _, rest = address.partition(":")
    if scheme == "mailto":
        for each in rest.split(","):
            validate_email(each)
    elif scheme != "role":
        of(address)
        _refuse_options(address)


def without_secrets(reason: str, address: str) -> str:
    """Return a complaint in one short line, without any part of the address but its scheme."""
    for part in _TOKEN.findall(unquote(address.partition("://")[2])):
        reason = reason.replace(part, "…")
    return " ".join(reason.split())[:200]


def _refuse_options(address: str) -> None:
    """Read as apprise does: everything behind the first question mark, a fragment or not."""
    for said in filter(None, re.split("[&;]", unquote(address).partition("?")[2])):
        name = said.partition("=")[0]
        if name not in OPTIONS and not name.startswith("+"):
            raise ValidationError(f"The option {name} is not taken; those that are: {', '.join(sorted(OPTIONS))}.")
