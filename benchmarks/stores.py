"""Throwaway stores with a migrated database, for benchmarks that need no web server."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import django

from healthrecords.embedded.throwaway import Throwaway


@contextmanager
def migrated() -> Iterator[None]:
    """Start the stores, migrate, and set Django up; stop and remove everything afterwards."""
    stores = Throwaway()
    os.environ.update(stores.environment(), DJANGO_SETTINGS_MODULE="healthrecords.settings")
    stores.start()
    try:
        django.setup()
        from django.core.management import call_command

        call_command("migrate", database="owner", verbosity=0, interactive=False)
        yield
    finally:
        stores.stop()
