"""Django's own frame: apps, templates, language and time."""

from zoneinfo import ZoneInfo

from django.core.exceptions import ImproperlyConfigured

from .environment import BASE_DIR, optional, secret


def _time_zone(name: str) -> str:
    """Return the IANA name in the setting `name`."""
    try:
        return ZoneInfo(optional(name, "UTC")).key
    except (ValueError, OSError, LookupError):
        raise ImproperlyConfigured(f"{name} is no time zone; give an IANA name such as America/New_York.") from None


SECRET_KEY = secret("HEALTHCARE_SECRET_KEY", shortest=50)
DEBUG = False

INSTALLED_APPS = [
    "healthrecords.console.apps.ThemeConfig",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "auditlog",
    "axes",
    "oauth2_provider",
    "django_typer",
    "rest_framework",
    "healthrecords",
    "patients",
    "immunizations",
    "documents",
    "ops",
    "compliance",
]
ROOT_URLCONF = "healthrecords.urls"
WSGI_APPLICATION = "healthrecords.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "healthrecords" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

LANGUAGE_CODE = "en-us"
USE_I18N = False
USE_TZ = True
TIME_ZONE = _time_zone("HEALTHCARE_TIME_ZONE")
ORGANIZATION_NAME = optional("HEALTHCARE_ORGANIZATION", "HealthRecords")
ORGANIZATION_ID = optional("HEALTHCARE_ORGANIZATION_ID")
