"""Doses that were recorded twice: found, linked, reviewed by a person where it is not certain, never deleted."""
