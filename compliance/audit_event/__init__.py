"""The trail as FHIR AuditEvent, in the shapes of IHE BALP: to read and to search, never to write."""
