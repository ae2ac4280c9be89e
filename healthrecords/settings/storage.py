"""The S3 store that holds documents (sealed before they leave the application)."""

from django.core.exceptions import ImproperlyConfigured

from .environment import number, optional, required, secret

S3_ENDPOINT = required("HEALTHCARE_S3_ENDPOINT")
if not S3_ENDPOINT.startswith(("http://", "https://")):
    raise ImproperlyConfigured("HEALTHCARE_S3_ENDPOINT must be a URL that begins with http:// or https://.")
S3_ACCESS_KEY = secret("HEALTHCARE_S3_ACCESS_KEY", shortest=8)
S3_SECRET_KEY = secret("HEALTHCARE_S3_SECRET_KEY", shortest=20)
S3_BUCKET = optional("HEALTHCARE_S3_BUCKET", "documents")
S3_AUDIT_BUCKET = optional("HEALTHCARE_S3_AUDIT_BUCKET", "audit")
DOCUMENT_MAX_BYTES = number("HEALTHCARE_DOCUMENT_MAX_MB", 250, least=1) * 1024 * 1024
DOCUMENT_RETENTION_YEARS = number("HEALTHCARE_DOCUMENT_RETENTION_YEARS", 10, least=1)
