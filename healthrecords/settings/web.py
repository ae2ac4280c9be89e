"""The web edge: hosts, middleware, cookies, static files, sign-in."""

import re
from ipaddress import ip_network
from pathlib import Path

from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from .environment import DATA_DIR, EMBEDDED, one_of, optional, optional_secret, required, words


def _hosts(name: str) -> list[str]:
    """The names in the address bar that are answered; `*` would answer to any, and is refused."""
    hosts = words(name, "127.0.0.1,localhost")
    if "*" in hosts:
        raise ImproperlyConfigured(f"{name} holds *; name each host that people and machines may use.")
    return hosts


def _public_url(name: str) -> str:
    """Where people reach the server; links in messages begin with it."""
    url = (optional(name, "http://127.0.0.1:8000") if EMBEDDED else required(name)).rstrip("/")
    if not (EMBEDDED or url.startswith("https://")):
        raise ImproperlyConfigured(f"{name} must begin with https://; records do not travel in the clear.")
    return url


def _proxies(name: str) -> list[str]:
    """The networks whose X-Forwarded- and X-Request-Id headers are believed."""
    if not EMBEDDED:
        required(name)
    networks = words(name)
    for network in networks:
        try:
            prefix = ip_network(network, strict=False).prefixlen
        except ValueError:
            raise ImproperlyConfigured(f"{name} holds {network}, which is no network such as 10.0.0.0/24.") from None
        if prefix == 0:
            raise ImproperlyConfigured(f"{name} holds {network}, which is everybody; name the proxy's own network.")
    return networks


def _origins(name: str) -> list[str]:
    """The origins of browser apps that may call the API, each `https://host` or `https://host:port`."""
    origins = words(name)
    for origin in origins:
        if not re.fullmatch(r"https://[a-z0-9.-]+(:\d{1,5})?", origin):
            raise ImproperlyConfigured(f"{name} holds {origin}, which is no origin such as https://app.example.org.")
    return origins


ALLOWED_HOSTS = _hosts("HEALTHCARE_ALLOWED_HOSTS")
PUBLIC_URL = _public_url("HEALTHCARE_PUBLIC_URL")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
TRUSTED_PROXIES = _proxies("HEALTHCARE_TRUSTED_PROXIES")
CORS_ORIGINS = _origins("HEALTHCARE_CORS_ORIGINS")
METRICS_TOKEN = optional_secret("HEALTHCARE_METRICS_TOKEN", shortest=32)
METRICS_ADDRESS = optional("HEALTHCARE_METRICS_ADDRESS", f"{PUBLIC_URL}/metrics")  # where our own worker asks for them
ALERTS_TOKEN = optional_secret("HEALTHCARE_ALERTS_TOKEN", shortest=32)
ALERTMANAGER = one_of("HEALTHCARE_ALERTMANAGER", "0", ("0", "1")) == "1"

MIDDLEWARE = [
    "ops.monitoring.requests.RequestMetrics",
    "healthrecords.edge.RequestIdentity",
    "healthrecords.logs.RequestLog",
    "csp.middleware.CSPMiddleware",
    "healthrecords.headers.EdgeHeaders",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "healthrecords.accounts.enforcement.SecondFactor",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "healthrecords.accounts.guessing.Guessing",
    "axes.middleware.AxesMiddleware",
]

AUTH_USER_MODEL = "healthrecords.User"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ["email", "name"]},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

# Cookies are Secure with the __Host- prefix in production; plain http on 127.0.0.1 cannot have either.
_PREFIX = "" if EMBEDDED else "__Host-"
SESSION_COOKIE_NAME = f"{_PREFIX}session"
SESSION_COOKIE_SECURE = not EMBEDDED
CSRF_COOKIE_NAME = f"{_PREFIX}csrf"
CSRF_COOKIE_SECURE = not EMBEDDED
CSRF_COOKIE_HTTPONLY = True
BROWSER_COOKIE_NAME = f"{_PREFIX}browser"
# HAProxy redirects first; a request that came another way, without TLS, gets no record either.
SECURE_SSL_REDIRECT = not EMBEDDED
SECURE_REDIRECT_EXEMPT = [r"^health$", r"^health/ready$", r"^metrics$", r"^alerts$"]  # inside the network, in plain
SECURE_HSTS_SECONDS = 0 if EMBEDDED else 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = None if EMBEDDED else ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
# Nothing inline without the page's nonce, nothing evaluated, nothing from elsewhere (docs/security/web.md).
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "frame-src": [SELF],  # the preview of a document, sandboxed by its own answer
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    }
}

WHITENOISE_ALLOW_ALL_ORIGINS = False
STATIC_URL = "/static/"
STATIC_ROOT = Path(optional("HEALTHCARE_STATIC_ROOT", str(DATA_DIR / "static")))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
