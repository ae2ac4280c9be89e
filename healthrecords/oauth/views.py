"""The endpoints that clients call: tokens, their revocation, and what they are."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from healthrecords.accounts.attempts import TooMany
from healthrecords.oauth import minutes
from healthrecords.oauth.server import core


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


def too_many(request: HttpRequest, interaction: str, fault: TooMany) -> HttpResponse:
    """One guess too many: the first of a window leaves a row."""
    if fault.first:
        minutes.record_refusal(request, interaction, "too many attempts: client")
    said: dict[str, Any] = {"error": "invalid_request", "error_description": str(fault)}
    return JsonResponse(said, status=429, headers={"Retry-After": str(fault.wait)})


def _reason(body: str) -> str:
    said = json.loads(body or "{}")
    return f"{said.get('error', '')}: {said.get('error_description', '')}"[:300]
