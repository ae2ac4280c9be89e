"""What no log holds: names, ids and values of records, paths with ids, secrets of links.

An exception is told by its type and the lines of code that it passed, never by its text, which quotes what was sent;
PostgreSQL's quote whole rows. Settings name these functions, so that nothing here may import Django's models.
"""

import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

Event = MutableMapping[str, Any]
_DETAIL = re.compile(
    r"(?im)^\s*(DETAIL|CONTEXT|HINT|QUERY):.*?$"
    r"|(Key \().*?(\) (?:already exists|is (?:not|still)).*)$"
    r"|Failing row contains.*$"
)
_LINK = re.compile(r"(/accounts/enrol/)[\w-]+")


def scrub(text: str) -> str:
    """Cut out of a message what PostgreSQL prints of a row, and the secret of an enrolment link."""
    return _LINK.sub(r"\1[removed]", _DETAIL.sub("[row values removed]", text))


class WithoutAddress(logging.Filter):
    """Django's own lines about a request end with its path; leaves what stands before it (`Not Found`)."""

    def filter(self, record: logging.LogRecord) -> bool:
        if hasattr(record, "request"):
            record.msg, record.args = record.getMessage().partition(": ")[0], ()
        return True


def exceptions_without_text(_: Any, __: str, event: Event) -> Event:
    """Replace an exception by its types and lines of code, the first cause first."""
    found = event.pop("exc_info", None)
    if found:
        fault = found if isinstance(found, BaseException) else sys.exc_info()[1] if found is True else found[1]
        event["exception"] = "\n".join(_told(each) for each in _chain(fault))
    return event


def _chain(fault: BaseException | None) -> list[BaseException]:
    chain: list[BaseException] = []
    while fault is not None and fault not in chain:
        chain.insert(0, fault)
        fault = fault.__cause__ or (None if fault.__suppress_context__ else fault.__context__)
    return chain


def _told(fault: BaseException) -> str:
    kind, state = type(fault), getattr(fault, "sqlstate", None)
    name = f"{kind.__module__}.{kind.__qualname__}" + (f" (SQLSTATE {state})" if state else "")
    return "".join(traceback.format_tb(fault.__traceback__)) + name


def scrubbed(_: Any, __: str, event: Event) -> Event:
    """Cut row values and enrolment secrets out of the text, wherever it came from."""
    event["event"] = scrub(str(event.get("event", "")))
    return event
