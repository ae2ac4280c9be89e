"""Takes the sample of a minute: asks /metrics, as Prometheus would, and keeps what `figures` makes of it."""

import logging
from datetime import datetime, timedelta
from http.client import HTTPException
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

from django.conf import settings
from django.utils import timezone

from . import figures
from .models import Sample
from .reading import Reading

log = logging.getLogger(__name__)

SECONDS = 10  # for an answer; a server that is slower than that is down
MOST = 8 * 1024 * 1024  # bytes of an answer
FORGOTTEN = timedelta(minutes=5)  # after a longer pause, growth is no rate of this minute
AT = "at"  # the counters' own moment, in seconds since 1970

_opener = build_opener(ProxyHandler({}))  # our own address, never by way of a proxy


class Silent(Exception):
    """The server did not say how it is."""


def take(now: datetime | None = None) -> Sample | None:
    """Keep the sample of this minute. A server that does not answer leaves a gap, which the charts show as one."""
    now = now or timezone.now()
    try:
        reading = scrape()
    except Silent as fault:
        log.warning("No sample of this minute: %s", fault)
        return None
    return keep(reading, now)


def scrape() -> Reading:
    """What the server says now; Silent where it does not, with the reason."""
    request = Request(settings.METRICS_ADDRESS, headers={"Authorization": f"Bearer {settings.METRICS_TOKEN}"})  # noqa: S310
    try:
        with _opener.open(request, timeout=SECONDS) as answer:
            return Reading.of(answer.read(MOST).decode())
    except (URLError, HTTPException, OSError, ValueError) as fault:
        raise Silent(f"{settings.METRICS_ADDRESS} gave no metrics ({fault}).") from None


def keep(reading: Reading, now: datetime) -> Sample:
    """Work a minute's figures out and store them; a second sample of the same minute takes the place of the first."""
    minute = now.replace(second=0, microsecond=0)
    before, after = Sample.counted(minute - FORGOTTEN, minute), figures.counters(reading)
    minutes = (now.timestamp() - before.get(AT, 0.0)) / 60
    seen = figures.Minute(reading, after, before, minutes)
    found = {figure.name: figure.worth(seen) for figure in figures.FIGURES}
    kept = {"seconds": 60, "figures": found, "counters": {**after, AT: now.timestamp()}}
    return Sample.objects.update_or_create(time=minute, defaults=kept)[0]
