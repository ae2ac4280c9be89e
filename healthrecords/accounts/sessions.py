"""Sessions in PostgreSQL (the setting SESSION_ENGINE): whose, since when, from where; and how they end.

A session ends after SESSION_IDLE_MINUTES without a request and, whatever happens, SESSION_HOURS after sign-in.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.db.models import QuerySet
from django.dispatch import Signal
from django.utils import timezone

from healthrecords.accounts.models import Session, User

SEEN_IS_NOTED_EVERY = timedelta(minutes=1)
ended = Signal()  # all sessions of `person` have ended, or all `but` one: what else is open to them must end, too
_FACTS = ("address", "browser")  # kept in the session, so that they outlive a new key


class SessionStore(db.SessionStore):
    """Django's database sessions with the columns of Session."""

    row: Session | None = None

    @classmethod
    def get_model_class(cls) -> Any:
        return Session

    def load(self) -> dict[str, Any]:
        self.row = self._get_session_from_db()  # type: ignore[attr-defined]
        return self.decode(self.row.session_data) if self.row else {}

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """The row to save: what is saved was seen just now."""
        now = timezone.now()
        started = datetime.fromisoformat(data["started"]) if "started" in data else now
        return Session(
            session_key=self._get_or_create_session_key(),  # type: ignore[attr-defined]
            session_data=self.encode(data),
            expire_date=deadline(started, now),
            person_id=data.get(SESSION_KEY),
            started_at=started,
            seen_at=now,
            **{name: data.get(name, "") for name in _FACTS},
        )


def deadline(started: datetime, seen: datetime) -> datetime:
    """When a session ends that nobody uses any more."""
    idle = seen + timedelta(minutes=settings.SESSION_IDLE_MINUTES)
    return min(idle, started + timedelta(hours=settings.SESSION_HOURS))


def begin(session: Any, address: str, browser: str) -> None:
    """Note in a session, at sign-in, since when and from where it is used."""
    session.update({"started": timezone.now().isoformat(), "address": address, "browser": browser})


def touch(session: Any, every: timedelta = SEEN_IS_NOTED_EVERY) -> None:
    """Note that a session is in use, at most once in `every`; it then lasts for another idle time."""
    now, row = timezone.now(), session.row
    if row and now - row.seen_at >= every:
        row.seen_at, row.expire_date = now, deadline(row.started_at, now)
        Session.objects.filter(pk=row.pk).update(seen_at=row.seen_at, expire_date=row.expire_date)


def left(session: Any) -> int:
    """The seconds that a session lasts if nobody uses it from now on; 0 where there is none yet."""
    return max(int((session.row.expire_date - timezone.now()).total_seconds()), 0) if session.row else 0


def live(person: User) -> QuerySet[Session]:
    """A person's sessions, the one used last first."""
    return person.sessions.filter(expire_date__gt=timezone.now())


def number(session: Session) -> str:
    """How pages name a session; its key would open it."""
    return hashlib.sha256(session.session_key.encode()).hexdigest()[:16]


def end(person: User, but: str | None = None) -> int:
    """End a person's sessions at once, all or all `but` the one of that key; return how many were live."""
    count = live(person).exclude(pk=but).count()
    person.sessions.exclude(pk=but).delete()
    ended.send(sender=Session, person=person, but=but)
    return count
