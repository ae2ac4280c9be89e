"""Whether rows and objects fit together: nothing too much, nothing missing, nothing changed. Reads, changes nothing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.utils import timezone

from . import contents, storage
from .models import Content

UNDERWAY = timedelta(hours=1)  # an upload that young may still get its row


@dataclass
class Findings:
    """Names of objects that no row knows, each with its time, and rows whose object is missing or differs, by id."""

    objects: int = 0
    contents: int = 0
    without_row: dict[str, datetime] = field(default_factory=dict)
    unfinished: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether everything fits."""
        return not (self.without_row or self.unfinished or self.missing or self.different)


def check(read: bool, advance: Callable[[float], None] = lambda _: None) -> Findings:
    """Compare the store with the rows; with `read` every content is opened, else its size is asked for.

    Raises StoreFault when the store does not answer.
    """
    found = Findings(unfinished=list(storage.unfinished(timezone.now() - UNDERWAY)))
    _look_at_objects(found)
    for content in Content.objects.order_by("pk").iterator(200):
        found.contents += 1
        _look_at(content, read, found)
        advance(1)
    return found


def _look_at_objects(found: Findings) -> None:
    old = timezone.now() - UNDERWAY
    listed = (each for each in storage.names() if storage.is_document(each[0]) and each[1] < old)
    for page in map(dict, _pages(listed, 500)):
        known = set(Content.objects.filter(object_name__in=list(page)).values_list("object_name", flat=True))
        found.objects += len(page)
        found.without_row |= {name: since for name, since in page.items() if name not in known}


def _look_at(content: Content, read: bool, found: Findings) -> None:
    try:
        if read:
            for _ in contents.unguarded(content):
                pass
        elif not contents.is_of_its_size(content):
            found.different.append(str(content))
    except storage.Missing:
        found.missing.append(str(content))
    except contents.Different:
        found.different.append(str(content))


def _pages(items: Iterator[Any], size: int) -> Iterator[list[Any]]:
    while page := list(islice(items, size)):
        yield page
