"""The OAuth 2 server (django-oauth-toolkit) with the models, grants and checks of healthrecords.oauth."""

from .web import PUBLIC_URL

OAUTH2_PROVIDER_APPLICATION_MODEL = "healthrecords.Client"
OAUTH2_PROVIDER_GRANT_MODEL = "healthrecords.Grant"
OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL = "healthrecords.AccessToken"  # noqa: S105  # nosec B105  the name of a model
OAUTH2_PROVIDER_REFRESH_TOKEN_MODEL = "healthrecords.RefreshToken"  # noqa: S105  # nosec B105
OAUTH_BACKEND_SECONDS = 5 * 60  # life of a backend's access token
OAUTH_APP_SECONDS = 60 * 60  # life of the access token of an app
OAUTH_REFRESH_DAYS = 30  # without use, after which a refresh token is dead

OAUTH2_PROVIDER = {
    "OIDC_ISS_ENDPOINT": PUBLIC_URL,
    "OAUTH2_VALIDATOR_CLASS": "healthrecords.oauth.validator.Validator",
    "OAUTH2_SERVER_CLASS": "healthrecords.oauth.server.Server",
    "OAUTH2_BACKEND_CLASS": "healthrecords.oauth.server.Core",
    "AUTHORIZATION_CODE_EXPIRE_SECONDS": 60,
    "REFRESH_TOKEN_EXPIRE_SECONDS": OAUTH_REFRESH_DAYS * 24 * 3600,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,  # nosec B105  no password
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],  # healthrecords.oauth.clients checks more narrowly
    # What RFC 9700 advises against is refused.
    **{
        f"COMPLIANT_BCP_RFC9700_{name}": True
        for name in (
            "IMPLICIT_GRANT",
            "PASSWORD_GRANT",
            "PKCE_METHOD",
            "ACCESS_TOKEN_TRANSPORT",
            "AUTHZ_RESPONSE_ISS",
            "TOKEN_STORAGE",
            "REFRESH_TOKEN",
            "REDIRECT_URI_SCHEME",
            "REDIRECT_URI_MATCHING",
            "PKCE_REQUIRED",
        )
    },
}
