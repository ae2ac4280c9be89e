"""Clients of the OAuth 2 server, written against the public specifications with jwcrypto and requests alone."""
