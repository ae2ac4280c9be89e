"""Recurring work: whether store and records fit together, each night."""

from contextlib import suppress
from io import StringIO

from celery import shared_task
from django.core.management import call_command
from django.core.management.base import CommandError


@shared_task
def check() -> None:
    """Run `documents check`; what it finds stands in its operations record, as when an operator runs it."""
    with suppress(CommandError):
        call_command("documents", "check", stdout=StringIO(), stderr=StringIO())
