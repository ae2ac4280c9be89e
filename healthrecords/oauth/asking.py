"""The request of an app for a person's permission, checked before anything is shown (SMART App Launch 2, RFC 9700)."""

import re
from copy import copy
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, QueryDict
from oauth2_provider.exceptions import FatalClientError, OAuthToolkitError
from oauthlib.oauth2.rfc6749.errors import InvalidRequestError, OAuth2Error

from healthrecords.accounts.models import User
from healthrecords.fhir.answer import base_url
from healthrecords.oauth import launches, scopes
from healthrecords.oauth.models import Client, Launch
from healthrecords.oauth.server import core

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")  # SHA-256 in base64url
IN_CONTEXT = frozenset({"launch", "launch/patient"})


class Unanswerable(Exception):
    """A request whose answer may not be sent to the address that it names; the text is a sentence for its reader."""


@dataclass(frozen=True)
class Asking:
    """What an app asks for, of whom, and where the answer goes."""

    client: Client
    scopes: list[str]
    credentials: dict[str, Any]
    launch: Launch | None

    @property
    def needs_patient(self) -> bool:
        """Whether it is about one patient."""
        about_one = any(scope.level == "patient" for scope in scopes.parse(" ".join(self.scopes)))
        return about_one or bool(IN_CONTEXT & set(self.scopes))


def read(request: HttpRequest) -> Asking:
    """Return what is asked; raises Unanswerable, or OAuth2Error with the redirect_uri that is told of it."""
    if "redirect_uri" not in request.GET:
        raise Unanswerable("The app did not say where to return to.")
    try:
        granted, credentials = core().validate_authorization_request(as_get(request))
    except FatalClientError as fault:
        raise Unanswerable(
            f"The app is not known here, or returns elsewhere than registered ({_code(fault)})."
        ) from None
    except OAuthToolkitError as fault:
        raise fault.oauthlib_error from None
    client = credentials.pop("request").client
    _refuse_incomplete(request.GET, credentials)
    person: Any = request.user
    return Asking(client, granted, credentials, _launch(request.GET, granted, person, client))


def as_get(request: HttpRequest) -> HttpRequest:
    """The request as it came first: what our own forms send is no part of what the app asked."""
    plain = copy(request)
    plain.method, plain.POST = "GET", QueryDict()
    return plain


def _refuse_incomplete(sent: QueryDict, credentials: dict[str, Any]) -> None:
    """What SMART demands beyond OAuth 2: state, the right audience, and PKCE with S256."""
    if not sent.get("state"):
        _refuse("state is missing", credentials)
    if sent.get("aud", "").rstrip("/") != base_url():
        _refuse("aud must be the address of this FHIR server", credentials)
    if sent.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(sent.get("code_challenge", "")):
        _refuse("code_challenge_method must be S256, with its code_challenge", credentials)
    if sent.keys() & {"request", "request_uri", "response_mode"}:
        _refuse("request objects and response modes are not taken", credentials)


def _launch(sent: QueryDict, granted: list[str], person: User, client: Client) -> Launch | None:
    if "launch" not in sent:
        return None
    if "launch" not in granted:
        raise Unanswerable("The app was opened for a patient, but is not registered for the scope launch.")
    found = launches.find(str(sent["launch"]), person, client)
    if found is None:
        raise Unanswerable("This launch is over, or not yours; open the app again from the patient's page.")
    return found


def _refuse(reason: str, credentials: dict[str, Any]) -> None:
    fault = InvalidRequestError(description=reason, state=credentials.get("state"))
    fault.redirect_uri = credentials["redirect_uri"]
    raise fault


def _code(fault: FatalClientError) -> str:
    error: OAuth2Error = fault.oauthlib_error
    return str(error.error)
