"""The FHIR R4 API: a resource is declared once; interactions, search and capabilities follow from the declaration."""
