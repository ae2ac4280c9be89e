"""Beat and the workers say that they live, in the database, where others see it when they are dead."""

import logging
from datetime import timedelta
from time import monotonic

import psycopg
from django.conf import settings
from django.utils import timezone

from .apart import apart
from .judging import AHEAD

log = logging.getLogger(__name__)

# A pause, or a time that is yet to come, begins a new `steady`.
_SAY = """
INSERT INTO ops_pulse (name, time, steady) VALUES (%(name)s, %(now)s, %(now)s)
ON CONFLICT (name) DO UPDATE SET time = %(now)s, steady = CASE
    WHEN ops_pulse.time BETWEEN %(now)s - %(silence)s AND %(now)s + %(ahead)s THEN ops_pulse.steady
    ELSE %(now)s END
"""
_last: dict[str, float] = {}


def say(name: str) -> None:
    """Note that `name` lives, if it was not just said; a database that is away is logged, and tried again next time."""
    if monotonic() - _last.get(name, -settings.SCHEDULE_SILENCE) < settings.SCHEDULE_SILENCE / 12:
        return
    _last[name] = monotonic()
    silence = timedelta(seconds=settings.SCHEDULE_SILENCE)
    try:
        with apart() as line:
            line.execute(_SAY, {"name": name, "now": timezone.now(), "silence": silence, "ahead": AHEAD})
    except psycopg.Error as fault:
        log.warning("The database does not take the sign of life of %s: %s", name, type(fault).__name__)
