"""Health: what the server needs, asked part by part."""
