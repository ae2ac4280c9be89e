"""What must hold before the server starts: filled sockets, readable keys. No policy or no key means no data."""

from typing import Any

from django.conf import settings
from django.core.checks import Error, Tags, register
from django.utils.module_loading import import_string

from healthrecords.crypto import keys

SOCKETS = {
    "ACCESS_POLICY": "who may see what",
    "AUDIT_SINK": "where access is written down",
    "READINESS": "what readiness means",
    "OPERATIONS_LOG": "where the runs of commands are kept",
    "METRICS": "what Prometheus reads",
    "ALERTS": "where Alertmanager posts",
}


@register(Tags.security)
def sockets_are_filled(**_: Any) -> list[Error]:
    """An error for each socket of the kernel that is empty or names what cannot be imported."""
    return [fault for name, purpose in SOCKETS.items() if (fault := _socket_fault(name, purpose))]


def _socket_fault(name: str, purpose: str) -> Error | None:
    path = getattr(settings, name, "")
    try:
        import_string(path)
    except ImportError as fault:
        return Error(f"The setting {name} ({purpose}) is empty or wrong: {fault}.", id=f"healthrecords.{name}")
    return None


def refuse_bad_keys() -> None:
    """Read every key file once; raise ImproperlyConfigured with a sentence for a missing, malformed or open one."""
    keys.field_keys()
    keys.index_keys()


def refuse_foreign_keys() -> None:
    """Compare the keys with those that the database was sealed with; raise ImproperlyConfigured with a sentence.

    For the start of a process that serves; needs the database, so that it comes after Django's set-up.
    """
    from healthrecords.crypto import known

    known.refuse_foreign_keys()
