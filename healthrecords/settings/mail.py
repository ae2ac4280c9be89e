"""The server's outgoing mail: to privacy officers, to the witness of the trail."""

from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from .environment import optional

_ADDRESS = optional("HEALTHCARE_SMTP_URL")
_PARTS = urlsplit(_ADDRESS)
if _ADDRESS and (_PARTS.scheme not in ("smtp", "smtps", "smtp+tls") or not _PARTS.hostname):
    raise ImproperlyConfigured("HEALTHCARE_SMTP_URL must begin with smtp+tls://, smtps:// or smtp:// and name a host.")
if _ADDRESS and _PARTS.password and _PARTS.scheme == "smtp":
    raise ImproperlyConfigured("HEALTHCARE_SMTP_URL sends a password in the clear; use smtp+tls:// or smtps://.")

MAIL_IS_SET = bool(_ADDRESS)
EMAIL_HOST = _PARTS.hostname or "localhost"
EMAIL_PORT = _PARTS.port or {"smtps": 465, "smtp+tls": 587}.get(_PARTS.scheme, 25)
EMAIL_HOST_USER = unquote(_PARTS.username or "")
EMAIL_HOST_PASSWORD = unquote(_PARTS.password or "")
EMAIL_USE_TLS = _PARTS.scheme == "smtp+tls"
EMAIL_USE_SSL = _PARTS.scheme == "smtps"
EMAIL_TIMEOUT = 20  # seconds
DEFAULT_FROM_EMAIL = SERVER_EMAIL = optional("HEALTHCARE_MAIL_FROM", "healthrecords@localhost")
