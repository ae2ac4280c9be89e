"""`POST Patient/{id}/$break-glass`: a client's own declaration of an emergency (docs/security/break-glass.md)."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from rest_framework.request import Request
from rest_framework.response import Response

from compliance.breakglass.declaring import declare, may_declare
from compliance.breakglass.models import BreakGlass
from healthrecords.access.request import EMERGENCY, AccessRequest, from_http
from healthrecords.fhir.outcome import FHIRError, not_found
from healthrecords.fhir.store import instant
from healthrecords.fhir.views import FHIRView
from patients.models import Patient


class BreakGlassView(FHIRView):
    """Takes Parameters with `reason` (string); answers Parameters with `declaration` and `expires`."""

    asked: AccessRequest | None = None

    def post(self, request: Request, logical_id: str) -> Response:
        asked = self.asked = from_http(request, self.actor, "break-glass", "Patient")
        if not may_declare(asked):
            raise FHIRError.of(403, "forbidden", f"This {asked.actor.kind} may not use the purpose {EMERGENCY}.")
        reason = _reason(request.data)
        with transaction.atomic():
            if not Patient.objects.live().filter(logical_id=logical_id).exists():
                raise not_found("Patient")
            try:
                declared = declare(asked, logical_id, reason)
            except ValidationError as fault:
                raise FHIRError.of(422, "invalid", fault.messages[0], "Parameters.parameter.value") from None
        return Response(_answer(declared))


def _reason(body: Any) -> str:
    """The string of the one parameter; raise FHIRError 400 for anything else."""
    parameters = body.get("parameter") if isinstance(body, dict) else None
    given = parameters if isinstance(parameters, list) and body.get("resourceType") == "Parameters" else []
    said = [each.get("valueString") for each in given if isinstance(each, dict) and each.get("name") == "reason"]
    if len(given) != 1 or len(said) != 1 or not isinstance(said[0], str):
        text = "Send Parameters with one parameter, 'reason', a valueString that says why this cannot wait."
        raise FHIRError.of(400, "required", text, "Parameters.parameter")
    return said[0]


def _answer(declared: BreakGlass) -> dict[str, Any]:
    return {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "declaration", "valueId": str(declared.pk)},
            {"name": "purpose", "valueCode": EMERGENCY},
            {"name": "expires", "valueInstant": instant(declared.expires_at)},
        ],
    }
