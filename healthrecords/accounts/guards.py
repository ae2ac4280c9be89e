"""The one place where tries at second factors are counted, before they are looked at, and failures recorded."""

from collections.abc import Iterator
from contextlib import contextmanager

from allauth.core import context
from django.core.exceptions import ValidationError

from healthrecords.accounts import signing
from healthrecords.accounts.models import User


@contextmanager
def guarded(person: User, what: str) -> Iterator[None]:
    """Count a try of this person, refuse one too many (TooMany), record one that fails. `what` is in LIMITS."""
    request = context.request
    signing.guess(request, what, str(person.pk), person)
    try:
        yield
    except ValidationError:
        signing.refuse(request, person, f"wrong {what}")
        raise
    signing.right(request, what, str(person.pk), person)
