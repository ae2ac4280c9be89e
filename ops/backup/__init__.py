"""Backups of the database: taken, sealed, stored, listed; the write-ahead log received all the time."""
