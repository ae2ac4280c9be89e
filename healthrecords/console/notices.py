"""What every page of the console says first: the apps add to it (setting CONSOLE_NOTICES)."""

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django.utils.module_loading import import_string


@dataclass(frozen=True)
class Notice:
    """A sentence; `kind` (warning, error) picks its color. `link` leads to `address`, `button` sends a POST to it."""

    text: str
    kind: str = "warning"
    address: str = ""
    link: str = ""
    button: str = ""


def notices_for(request: HttpRequest) -> list[Notice]:
    """All that the person is to be told on every page."""
    return [notice for path in settings.CONSOLE_NOTICES for notice in import_string(path)(request)]
