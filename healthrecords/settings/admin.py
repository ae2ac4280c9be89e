"""The look of the admin (django-unfold)."""

UNFOLD = {
    "SITE_TITLE": "HealthRecords",
    "SITE_HEADER": "HealthRecords",
}
