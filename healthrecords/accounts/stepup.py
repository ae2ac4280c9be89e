"""Step-up: what matters most asks for a second factor of the last five minutes, at one place.

`proved` is asked of every page (healthrecords.accounts.enforcement), `fresh` by what is decorated with `required`:
exports, break-glass, keys, changes of people, roles, tokens and settings.
"""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect

from healthrecords.accounts import factors

AGAIN = "Nothing was changed yet. Confirm that it is you; then send the form again."


def proved(request: HttpRequest) -> bool:
    """Whether a second factor was given in this session."""
    return bool(_moments(request, "mfa"))


def fresh(request: HttpRequest) -> bool:
    """Whether the factor was given within STEP_UP_MINUTES; password or provider stand in while there is no factor."""
    person: Any = request.user
    moments = _moments(request, "mfa")
    if person.is_authenticated and not moments and not factors.held(person):
        moments = _moments(request, "password") + _moments(request, "single sign-on")
    return bool(moments) and time.time() - max(moments) < settings.STEP_UP_MINUTES * 60


def ask(request: HttpRequest) -> HttpResponseBase | None:
    """None for a fresh factor; else the way to the page that asks for it, which comes back to this address."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    if fresh(request):
        return None
    if request.method not in ("GET", "HEAD"):
        messages.warning(request, AGAIN)
    address = get_adapter(request).get_reauthentication_methods(request.user)[0]["url"]
    return HttpResponseRedirect(f"{address}?{urlencode({REDIRECT_FIELD_NAME: request.get_full_path()})}")


def required(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Decorate a view, or a method that is one, with `ask`."""

    @wraps(view)
    def inner(*args: Any, **kwargs: Any) -> HttpResponseBase:
        request = next(each for each in args if isinstance(each, HttpRequest))
        return ask(request) or view(*args, **kwargs)

    return inner


def _moments(request: HttpRequest, method: str) -> list[float]:
    """When this person gave such a proof in this session, in seconds since 1970."""
    person: Any = request.user
    return [each["at"] for each in get_authentication_records(request, person) if each["method"] == method]
