"""The FHIR API: which resource types are served (one line each), and Django REST Framework's part."""

from typing import Any

from .environment import number

FHIR_RESOURCES = [
    "healthrecords.directory.fhir.organization.ORGANIZATION",
    "healthrecords.directory.fhir.practitioner.PRACTITIONER",
    "healthrecords.directory.fhir.location.LOCATION",
    "healthrecords.directory.fhir.practitioner_role.PRACTITIONER_ROLE",
    "patients.fhir.patient.PATIENT",
    "immunizations.fhir.immunization.IMMUNIZATION",
    "documents.fhir.document_reference.DOCUMENT_REFERENCE",
    "compliance.consent.fhir.CONSENT",
    "healthrecords.provenance.fhir.PROVENANCE",  # after what it is about
]
# Types that are no records, with addresses of their own: modules with `urlpatterns` and `CAPABILITIES`.
FHIR_URLS = ["documents.fhir.urls", "compliance.audit_event.urls", "compliance.breakglass.urls"]
FHIR_MAX_BODY = 10 * 1024 * 1024  # bytes
RATE_UNITS_PER_MINUTE = number("HEALTHCARE_RATE_UNITS", 30_000, least=60)  # of one client (healthrecords.fhir.throttle)
FHIR_MAX_DEPTH = 60
FHIR_PAGE_SIZE = 20
FHIR_MAX_PAGE_SIZE = 200
FHIR_MAX_LISTS = 20  # searches and histories among them
FHIR_MAX_ENTRIES = 1000  # entries of a batch or transaction
FHIR_MAX_INCLUDED = 1000  # records that a page may carry beside its matches
FHIR_MAX_SORTED = 100_000  # rows whose order a sorted search may fix for its pages

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["healthrecords.accounts.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["healthrecords.fhir.renderers.FHIRJSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "healthrecords.fhir.parsers.FHIRJSONParser",
        "healthrecords.fhir.parsers.PlainJSONParser",
        "healthrecords.fhir.parsers.OldJSONParser",
    ],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "healthrecords.fhir.renderers.FHIRNegotiation",
    "EXCEPTION_HANDLER": "healthrecords.fhir.outcome.exception_handler",
    "DEFAULT_METADATA_CLASS": None,
    "UNAUTHENTICATED_USER": "healthrecords.access.request.nobody",
}
