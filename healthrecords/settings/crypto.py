"""The files that hold the keys; they are read and checked by healthrecords.crypto at the start."""

from django.core.exceptions import ImproperlyConfigured

from .environment import optional, required

FIELD_KEY_FILE = required("HEALTHCARE_FIELD_KEY_FILE")
INDEX_KEY_FILE = required("HEALTHCARE_INDEX_KEY_FILE")
AUDIT_KEY_FILE = optional("HEALTHCARE_AUDIT_KEY_FILE")  # only where the trail is sealed: the worker
if FIELD_KEY_FILE == INDEX_KEY_FILE:
    raise ImproperlyConfigured(
        "HEALTHCARE_INDEX_KEY_FILE names the same file as HEALTHCARE_FIELD_KEY_FILE; each needs its own key."
    )
