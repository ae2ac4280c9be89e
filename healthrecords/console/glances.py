"""What the home page says at a glance: the apps fill it (setting CONSOLE_GLANCES)."""

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django.utils.module_loading import import_string


@dataclass(frozen=True)
class Glance:
    """One thing to know: what it is, how it is in a few words, and the page that says more.

    `state` (good, caution, grave, calm) picks its color; `text` says the same in words.
    """

    title: str
    text: str
    address: str
    state: str = "good"
    note: str = ""


def glances_for(request: HttpRequest) -> list[Glance]:
    """All that concerns this person, in the order of the setting; each function asks the access policy itself."""
    return [glance for path in settings.CONSOLE_GLANCES for glance in import_string(path)(request)]
