"""The page on which a person allows an app, or does not; before it, where needed, the one on which they pick a patient.

Whoever gets here is signed in with their second factor (healthrecords.accounts.enforcement). The app's request stays in
the address; what the person picks and decides is posted to it, so that no name stands in an address.
"""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from oauthlib.common import add_params_to_uri
from oauthlib.oauth2.rfc6749.errors import AccessDeniedError, OAuth2Error

from healthrecords.access.request import actor_of_user
from healthrecords.fhir.search.faults import BadSearch
from healthrecords.oauth import asking, authorizations, launches, minutes, picking, words
from healthrecords.oauth.asking import Asking, Unanswerable
from healthrecords.oauth.server import core


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def authorize(request: HttpRequest) -> HttpResponse:
    """The authorization endpoint (RFC 6749, 3.1; SMART App Launch 2)."""
    try:
        asked = asking.read(request)
        return _answer(request, asked)
    except Unanswerable as fault:
        minutes.record_refusal(request, "app-allowed", str(fault), actor_of_user(request.user))
        return render(request, "oauth/unanswerable.html", {"reason": str(fault)}, status=400)
    except OAuth2Error as fault:
        minutes.record_refusal(
            request, "app-allowed", f"{fault.error}: {fault.description}", actor_of_user(request.user)
        )
        return _back(fault.redirect_uri, fault)


def _answer(request: HttpRequest, asked: Asking) -> HttpResponse:
    decision = request.POST.get("decision")
    if decision == "deny":
        fault = AccessDeniedError(description="The person did not allow it", state=asked.credentials["state"])
        fault.redirect_uri = asked.credentials["redirect_uri"]
        raise fault
    patient = asked.launch.patient if asked.launch else request.POST.get("patient")
    if asked.needs_patient and not patient:
        return _pick(request, asked)
    return _allow(request, asked, patient) if decision == "allow" else _ask(request, asked, patient)


def _pick(request: HttpRequest, asked: Asking) -> HttpResponse:
    """The search for the patient that the app is to show."""
    sought = {"name": request.POST.get("name", "").strip(), "born": request.POST.get("born", "").strip()}
    page: dict[str, Any] = {"client": asked.client, "most": picking.MOST, **sought}
    try:
        page["found"] = picking.find(_by(request, "search"), **sought)
    except BadSearch:
        page["fault"] = "Write the date of birth as 1980-05-17, or leave it empty."
    return _for(asked, render(request, "oauth/pick.html", page))


def _ask(request: HttpRequest, asked: Asking, patient: str | None) -> HttpResponse:
    page = {
        "client": asked.client,
        "host": urlsplit(asked.credentials["redirect_uri"]).hostname or "an app on your device",
        "patient": picking.name_of(_by(request, "read"), patient) if patient else None,
        "opens": words.described(_granted(request, asked)),
        "lasts": words.lasting(_granted(request, asked), settings.OAUTH_REFRESH_DAYS),
        "launched": asked.launch is not None,
    }
    return _for(asked, render(request, "oauth/allow.html", page))


@transaction.atomic
def _allow(request: HttpRequest, asked: Asking, patient: str | None) -> HttpResponse:
    if patient:
        picking.name_of(_by(request, "read"), patient)
    if asked.launch and not launches.use_up(asked.launch):
        raise Unanswerable("This launch was used already; open the app again from the patient's page.")
    person: Any = request.user
    scopes = _granted(request, asked)
    session, by = str(request.session.session_key), _by(request, "app-allowed")
    kept = authorizations.begin(person, asked.client, scopes, patient=patient, session=session, by=by)
    credentials = {**asked.credentials, "authorization": kept}
    address, *_ = core().create_authorization_response(asking.as_get(request), scopes, credentials, allow=True)
    return _redirect(address)


def _granted(request: HttpRequest, asked: Asking) -> list[str]:
    """The scopes without `fhirUser` for a person who is no Practitioner of the directory."""
    person: Any = request.user
    return [scope for scope in asked.scopes if scope != "fhirUser" or person.practitioner]


def _by(request: HttpRequest, interaction: str) -> Any:
    return minutes.asked(request, actor_of_user(request.user), interaction)


def _for(asked: Asking, page: HttpResponse) -> HttpResponse:
    """Let the page's form lead to the app: browsers hold redirects after a form to `form-action`, too."""
    parts = urlsplit(asked.credentials["redirect_uri"])
    source = f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"
    page._csp_update = {"form-action": [source]}  # type: ignore[attr-defined]
    return page


def _back(address: str, fault: OAuth2Error) -> HttpResponse:
    return _redirect(add_params_to_uri(fault.in_uri(address), [("iss", settings.PUBLIC_URL)]))


def _redirect(address: str) -> HttpResponse:
    """A redirect to an address that was registered, of whatever scheme."""
    return HttpResponse(status=302, headers={"Location": address})
