"""What a client finds out before it is known: where the endpoints are and what they do."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from healthrecords.oauth import keysets

CAPABILITIES = ("client-confidential-asymmetric", "permission-v1", "permission-v2")
SCOPES = ("system/*.cruds", "system/Patient.rs", "system/Immunization.rs", "system/DocumentReference.rs")


@require_safe
def smart(request: HttpRequest) -> JsonResponse:
    """`.well-known/smart-configuration` of the FHIR API (SMART App Launch 2)."""
    return JsonResponse(configuration())


def configuration() -> dict[str, Any]:
    """The endpoints, grants and capabilities that there are."""
    return {
        "issuer": settings.PUBLIC_URL,
        "token_endpoint": f"{settings.PUBLIC_URL}/oauth/token",
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": list(keysets.KINDS),
        "grant_types_supported": ["client_credentials"],
        "scopes_supported": list(SCOPES),
        "code_challenge_methods_supported": ["S256"],
        "capabilities": list(CAPABILITIES),
    }
