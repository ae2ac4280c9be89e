"""Provenance: who made or changed records elsewhere, as integrators say it."""
