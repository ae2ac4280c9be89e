"""The way to the OpenID provider and back; who comes back signs in with a second factor, the provider's or ours."""

from dataclasses import asdict
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from healthrecords.access.request import Actor
from healthrecords.accounts import arrivals, oidc, signing
from healthrecords.accounts.models import User
from healthrecords.outgoing import OutgoingError

KEPT = "oidc"  # in the session
PROVIDER = Actor("system", "", "single sign-on", purposes=("HSYSADMIN",))


@never_cache
def begin(request: HttpRequest) -> HttpResponse:
    """Send the browser to the provider."""
    _refuse_without_provider()
    wanted = request.GET.get("next", "")
    attempt = oidc.Attempt.new(wanted if get_adapter(request).is_safe_url(wanted) else "")
    try:
        address = oidc.address(attempt, _back(request), again=request.user.is_authenticated)
    except (oidc.NotAccepted, OutgoingError) as fault:
        return _refused(request, str(fault))
    request.session[KEPT] = asdict(attempt)
    return HttpResponseRedirect(address)


@never_cache
def back(request: HttpRequest) -> HttpResponse:
    """Take the provider's answer: sign the person in, or say that they may not come in."""
    _refuse_without_provider()
    kept = request.session.pop(KEPT, None)
    try:
        if kept is None:
            raise oidc.NotAccepted("The answer belongs to no sign-in of this browser.")
        said = oidc.claims(oidc.Attempt(**kept), _back(request), request.GET.dict())
        with transaction.atomic():
            person = arrivals.receive(said, signing.asked(request, PROVIDER, "update"))
            return _enter(request, person, said, kept["next"])
    except (oidc.NotAccepted, OutgoingError) as fault:
        return _refused(request, str(fault))
    except ValidationError as fault:
        return _refused(request, " ".join(fault.messages))


def _enter(request: HttpRequest, person: User, said: dict[str, Any], next_page: str) -> HttpResponse:
    adapter = get_adapter(request)
    if request.user.is_authenticated and request.user != person:
        adapter.logout(request)
    again = True if request.user.is_authenticated else None
    record_authentication(request, person, "single sign-on", reauthenticated=again)
    if not arrivals.factor_given(said):
        return perform_login(request, Login(user=person, redirect_url=next_page or None))
    record_authentication(request, person, "mfa", type="provider", reauthenticated=again)
    adapter.login(request, person)
    return HttpResponseRedirect(next_page or reverse("admin:index"))


def _refused(request: HttpRequest, reason: str) -> HttpResponse:
    """The page tells no more than that it failed; the trail tells why."""
    signing.refuse(request, None, f"single sign-on: {reason}")
    return render(request, "accounts/sso_refused.html", {"provider": settings.OIDC_NAME}, status=403)


def _refuse_without_provider() -> None:
    if not settings.OIDC_ISSUER:
        raise Http404


def _back(request: HttpRequest) -> str:
    return request.build_absolute_uri(reverse("accounts:sso-back"))
