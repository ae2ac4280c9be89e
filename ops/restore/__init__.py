"""Restores of the database: planned, fetched, verified, recovered to the moment, checked, put in place."""
