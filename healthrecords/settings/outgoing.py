"""Where the server itself may send requests (healthrecords.outgoing)."""

import re

from django.core.exceptions import ImproperlyConfigured

from .environment import words

_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[1-9][0-9]{0,4})?")


def _allowed_hosts(name: str) -> list[str]:
    """The hosts that may have a private address or another port than 443, as NAME or NAME:PORT."""
    hosts = [word.lower() for word in words(name)]
    for host in hosts:
        if not _HOST.fullmatch(host):
            raise ImproperlyConfigured(f"{name} holds {host}, which is no host such as keys.clinic.example:8443.")
    return hosts


OUTGOING_ALLOW = _allowed_hosts("HEALTHCARE_OUTGOING_ALLOW")
