"""What a client finds out before it is known: where the endpoints are, what they do, and by which keys they sign."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from healthrecords.oauth import keysets, signingkeys

CAPABILITIES = (
    *("launch-ehr", "launch-standalone", "authorize-basic", "client-public", "client-confidential-asymmetric"),
    *("sso-openid-connect", "context-banner", "context-ehr-patient", "context-standalone-patient"),
    *("permission-offline", "permission-online", "permission-patient", "permission-user"),
    *("permission-v1", "permission-v2"),
)
SCOPES = (
    *("openid", "fhirUser", "profile", "launch", "launch/patient", "offline_access", "online_access"),
    *("patient/*.rs", "patient/*.cruds", "user/*.cruds", "system/*.cruds"),
)


@require_safe
def smart(request: HttpRequest) -> JsonResponse:
    """`.well-known/smart-configuration` of the FHIR API (SMART App Launch 2)."""
    return JsonResponse({**_endpoints(), "capabilities": CAPABILITIES})


@require_safe
def openid(request: HttpRequest) -> JsonResponse:
    """`.well-known/openid-configuration` (OpenID Connect Discovery 1.0)."""
    claims = ("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "fhirUser", "name")
    signing = {"id_token_signing_alg_values_supported": [signingkeys.ALGORITHM], "subject_types_supported": ["public"]}
    return JsonResponse({**_endpoints(), **signing, "claims_supported": claims})


@require_safe
def keys(request: HttpRequest) -> JsonResponse:
    """The keys that id tokens are verified with."""
    return JsonResponse(signingkeys.published())


def _endpoints() -> dict[str, Any]:
    """The endpoints and grants that there are."""
    at = settings.PUBLIC_URL
    return {
        "issuer": at,
        "jwks_uri": f"{at}/.well-known/jwks.json",
        "authorization_endpoint": f"{at}/oauth/authorize",
        "token_endpoint": f"{at}/oauth/token",
        "introspection_endpoint": f"{at}/oauth/introspect",
        "revocation_endpoint": f"{at}/oauth/revoke",
        "management_endpoint": f"{at}/accounts/security/",
        "token_endpoint_auth_methods_supported": ["private_key_jwt", "none"],
        "token_endpoint_auth_signing_alg_values_supported": list(keysets.KINDS),
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "scopes_supported": SCOPES,
    }
