"""Encryption of single values: keys, the envelope around a value, encrypted fields, blind indexes."""
