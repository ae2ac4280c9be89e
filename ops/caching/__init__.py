"""The cache (Valkey): what is in it and why, how often it helps, what has no owner."""
