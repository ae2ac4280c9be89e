"""What machines and apps may do here: the OAuth 2 server with SMART scopes."""
