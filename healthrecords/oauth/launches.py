"""The EHR launch: a person opens an app from a patient's page, and the app is handed a word that stands for both."""

import secrets
from datetime import timedelta
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.utils import timezone

from healthrecords.accounts.models import User
from healthrecords.fhir.answer import base_url
from healthrecords.oauth.models import Client, Launch, digest

LIFE = timedelta(minutes=5)


def openable() -> QuerySet[Client]:
    """The apps that can be opened for a patient."""
    return Client.objects.filter(disabled_at=None).exclude(launch_url="")


def start(person: User, client: Client, patient: str) -> str:
    """Return the address at which the app opens, with a word that counts once, for this person, for five minutes."""
    word, now = secrets.token_urlsafe(32), timezone.now()
    Launch.objects.filter(expires_at__lt=now).delete()
    Launch.objects.create(key=digest(word), person=person, client=client, patient=patient, expires_at=now + LIFE)
    joint = "&" if "?" in client.launch_url else "?"
    return f"{client.launch_url}{joint}{urlencode({'iss': base_url(), 'launch': word})}"


def find(word: str, person: User, client: Client) -> Launch | None:
    """The launch that a word stands for, if it is this person's for this app and not over."""
    live = Launch.objects.filter(person=person, client=client, expires_at__gt=timezone.now())
    return live.filter(key=digest(word)).first()


def use_up(launch: Launch) -> bool:
    """Take a launch; False for all but the first who do."""
    return bool(Launch.objects.filter(pk=launch.pk).delete()[0])
