"""The endpoints that clients call: tokens, their revocation, and what they are."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from healthrecords import trail
from healthrecords.accounts.attempts import TooMany
from healthrecords.oauth import authorizations, minutes
from healthrecords.oauth.models import AccessToken, Client, RefreshToken, digest
from healthrecords.oauth.server import core, known


@csrf_exempt
@require_POST
def token(request: HttpRequest) -> HttpResponse:
    """The token endpoint (RFC 6749, 3.2)."""
    try:
        _, headers, body, status = core().create_token_response(request)
    except TooMany as fault:
        return too_many(request, "token", fault)
    if status != 200:
        minutes.record_refusal(request, "token", getattr(request, "refusal", "") or _reason(body))
    return HttpResponse(body, status=status, headers={"Content-Type": "application/json", **headers})


def _by_client(view: Callable[[HttpRequest, Client], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Decorate a view about tokens: the client proves who it is first, a public one by its id alone."""

    @csrf_exempt
    @require_POST
    @wraps(view)
    def inner(request: HttpRequest) -> HttpResponse:
        interaction = view.__name__
        try:
            client = known(request)
        except TooMany as fault:
            return too_many(request, interaction, fault)
        if client is None:
            minutes.record_refusal(request, interaction, getattr(request, "refusal", "") or "no client")
            return JsonResponse({"error": "invalid_client"}, status=401)
        if not request.POST.get("token"):
            return JsonResponse({"error": "invalid_request", "error_description": "token is missing"}, status=400)
        return view(request, client)

    return inner


@_by_client
@transaction.atomic
def revoke(request: HttpRequest, client: Client) -> HttpResponse:
    """End a token (RFC 7009): of an app with all that came of the same permission; 200 also for what is none."""
    checksum = digest(request.POST["token"])
    for kind in (AccessToken, RefreshToken):
        found = kind.objects.filter(token_checksum=checksum, application=client).first()
        if found is None:
            continue
        asked = minutes.asked(request, minutes.actor_of_client(client), "revoke")
        if found.authorization:
            authorizations.end(found.authorization, "revoked by the app", asked)
        else:
            found.delete()
            trail.record(asked, [minutes.about("revoke", client, f"{client.name}: its access token")])
    return HttpResponse(status=200)


@_by_client
def introspect(request: HttpRequest, client: Client) -> JsonResponse:
    """What a token of the client itself is (RFC 7662); anything else is not active."""
    if not client.is_confidential:
        return JsonResponse({"error": "invalid_client"}, status=401)
    found = AccessToken.objects.select_related("authorization__person")
    found = found.filter(token_checksum=digest(request.POST["token"]), application=client).first()
    if found is None or not _is_active(found):
        return JsonResponse({"active": False})
    said = {"active": True, "scope": found.scope, "client_id": client.client_id, "token_type": "Bearer"}  # nosec B105
    said |= {"exp": int(found.expires.timestamp()), "iat": int(found.created.timestamp()), "iss": settings.PUBLIC_URL}
    if kept := found.authorization:
        said |= {"sub": str(kept.person_id), **({"patient": kept.patient} if kept.patient else {})}
    return JsonResponse(said)


def _is_active(found: AccessToken) -> bool:
    kept = found.authorization
    return not found.is_expired() and (kept is None or (kept.ended_at is None and kept.person.is_active))


def too_many(request: HttpRequest, interaction: str, fault: TooMany) -> HttpResponse:
    """One guess too many: the first of a window leaves a row."""
    if fault.first:
        minutes.record_refusal(request, interaction, "too many attempts: client")
    said: dict[str, Any] = {"error": "invalid_request", "error_description": str(fault)}
    return JsonResponse(said, status=429, headers={"Retry-After": str(fault.wait)})


def _reason(body: str) -> str:
    said = json.loads(body or "{}")
    return f"{said.get('error', '')}: {said.get('error_description', '')}"[:300]
