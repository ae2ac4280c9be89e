"""Import of FHIR Bundles and NDJSON: streaming, resumable, idempotent, nothing lost in silence."""
