"""Counts guesses before they are looked at, so that a burst of them gets no more answers than one after the other.

A count belongs to a window of time; `take` adds one to each count that a guess falls under and refuses the guess if
that is one too many: by subject and address together (tight), by subject from all addresses, and by address (wide, so
that one who guesses from within a clinic does not shut its people out). A browser in which the person signed in before
has counts of its own: nobody elsewhere can shut out the person who sits there.

The counts are in the cache; while it is down they are in PostgreSQL, which is slower and just as strict, and with both
down every guess is refused. No key names a person: all are keyed hashes.
"""

import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from django.core.cache import cache
from django.db import DatabaseError, connections
from django.utils.crypto import salted_hmac
from prometheus_client import Counter

from healthrecords.accounts import blocking

logger = logging.getLogger(__name__)

MOST = 10  # guesses at one subject from one address, or from one known browser, in a window
WINDOW = 15 * 60  # seconds


@dataclass(frozen=True)
class Limit:
    """At most `most` guesses in each window of `seconds`; the windows follow the clock."""

    by: Literal["pair", "subject", "address"]
    most: int
    seconds: int = WINDOW


# A password is one of very many; a code of six digits is not, so that a day has a limit, too.
_WORDS = (Limit("pair", MOST), Limit("subject", 50), Limit("address", 200))
_CODES = (Limit("pair", MOST), Limit("subject", 30), Limit("subject", 100, 24 * 3600), Limit("address", 200))
_RANDOM = (Limit("pair", MOST), Limit("address", 100))  # secrets of 256 bits, which nobody finds by trying
PERSONAL = frozenset({"password", "second factor", "new authenticator app", "passkey"})
LIMITS: dict[str, tuple[Limit, ...]] = {
    "password": _WORDS,
    "second factor": _CODES,  # of an authenticator app, or a recovery code
    "new authenticator app": _CODES,
    "passkey": _WORDS,
    "enrolment link": _RANDOM,
    "client": _RANDOM,  # a signature, or a code: nobody can shut a client out from elsewhere
    "token": _RANDOM,
}

REFUSED = Counter("guesses_refused", "Guesses that were not looked at, since there were too many before.", ["kind"])
for _kind in LIMITS:
    REFUSED.labels(_kind)


class TooMany(Exception):
    """One guess too many. `wait` is in seconds; `first` is true for one guess of a window, the one to record."""

    def __init__(self, kind: str, wait: int, first: bool) -> None:
        super().__init__(sentence(wait))
        self.kind, self.wait, self.first = kind, wait, first


@dataclass(frozen=True)
class _Count:
    key: str
    most: int
    ends: int  # seconds since the epoch


def take(kind: str, subject: str, address: str, browser: str = "") -> None:
    """Count one guess; raises TooMany if it must not be looked at. `browser` names one that is known to the subject."""
    counts = _counts(kind, subject, address, browser)
    reached = _add(counts)
    over = [(count, value) for count, value in zip(counts, reached, strict=True) if value > count.most]
    if over:
        ends = max(count.ends for count, _ in over)
        wait = ends - int(time.time())
        REFUSED.labels(kind).inc()
        blocking.note(address, ends)
        raise TooMany(kind, max(wait, 1), first=any(value == count.most + 1 for count, value in over))


def forgive(kind: str, subject: str, address: str, browser: str = "") -> None:
    """Take a guess that was right off the counts; that of a known browser starts anew.

    A person's tries from one address stay counted, since a burst would otherwise get more of them when one is right;
    whoever signed in goes on in a known browser.
    """
    pair, *others = _counts(kind, subject, address, browser)
    try:
        if browser:
            cache.delete(pair.key)
            return
        for count in others if kind in PERSONAL else [pair, *others]:
            cache.decr(count.key)
    except Exception as fault:  # whatever the cache's client raises; a count that stays too high is the safe side
        logger.warning("A count of guesses was not reset: %s", type(fault).__name__)


def sentence(wait: int) -> str:
    """What is told to whoever has to wait."""
    minutes = -(-wait // 60)
    return f"There were too many attempts; wait {minutes} minute{'s' if minutes > 1 else ''} and try again."


def _counts(kind: str, subject: str, address: str, browser: str) -> list[_Count]:
    """The counts that a guess falls under, the one of the pair first."""
    named = {"pair": f"{subject}|{browser or address}", "subject": subject, "address": address}
    limits = LIMITS[kind][:1] if browser else LIMITS[kind]
    return [_count(kind, limit, named[limit.by].strip().lower()) for limit in limits]


def _count(kind: str, limit: Limit, value: str) -> _Count:
    number = int(time.time()) // limit.seconds
    named = salted_hmac("healthrecords.attempts", f"{kind}|{limit}|{number}|{value}", algorithm="sha256").hexdigest()
    return _Count(f"guesses:{named}", limit.most, (number + 1) * limit.seconds)


def _add(counts: list[_Count]) -> list[int]:
    """Add one to each count and return what they are now, each number once, however many do it at a time."""
    try:
        return [_add_in_cache(count) for count in counts]
    except Exception as fault:  # whatever the cache's client raises
        logger.warning("Guesses are counted in PostgreSQL, the cache does not answer: %s", type(fault).__name__)
    try:
        return [_add_in_database(count) for count in counts]
    except DatabaseError as fault:
        logger.error("A guess is refused, since nothing counts it: %s", type(fault).__name__)
        return [count.most + 2 for count in counts]


def _add_in_cache(count: _Count) -> int:
    cache.add(count.key, 0, count.ends - int(time.time()) + 60)
    return int(cache.incr(count.key))


_ADD = """
    INSERT INTO healthrecords_guesscount AS held (key, count, ends_at) VALUES (%s, 1, %s)
    ON CONFLICT (key) DO UPDATE SET count = held.count + 1 RETURNING count
"""


def _add_in_database(count: _Count) -> int:
    """By the connection of what must outlive a rollback; old counts go when a new one comes."""
    with connections["trail"].cursor() as cursor:
        cursor.execute(_ADD, [count.key, datetime.fromtimestamp(count.ends, UTC)])
        reached = int(cursor.fetchone()[0])
        if reached == 1:
            cursor.execute("DELETE FROM healthrecords_guesscount WHERE ends_at < now()")
    return reached
