"""The one place where tries at second factors are counted, before they are looked at, and failures recorded."""

from collections.abc import Iterator
from contextlib import contextmanager

from allauth.account.adapter import get_adapter
from allauth.core import context
from django.core.exceptions import ValidationError

from healthrecords.accounts import attempts, signing
from healthrecords.accounts.models import User


@contextmanager
def guarded(person: User, what: str) -> Iterator[None]:
    """Count a try of this person, refuse one too many, record one that fails; success starts the count anew."""
    request = context.request
    address = getattr(request, "client_address", "")
    if attempts.exhausted(f"{what} {person.pk}", address):
        signing.refuse(request, person, f"{what}: too many attempts")
        raise get_adapter().validation_error("too_many_login_attempts")
    try:
        yield
    except ValidationError:
        signing.refuse(request, person, f"wrong {what}")
        raise
    attempts.forget(f"{what} {person.pk}", address)
