"""Proof of the backups: hashed, restored every day, thinned out, and told to those who watch."""
