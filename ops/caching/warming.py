"""Loads what each process keeps for itself, so that no request waits for it.

Nothing that a request reads of patients is cached: an answer from a cache would be a disclosure without its row in the
trail. What is worth keeping is what the program is made of: addresses, definitions, code tables. Web processes load it
before they take their first request; `cache warm` lets all load it again, after new code tables for instance.
"""

import logging
import time
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.urls import get_resolver

from healthrecords.access.policy import policy
from healthrecords.fhir import capability
from healthrecords.fhir.resource import registry
from healthrecords.fhir.validation import profiles, table
from immunizations.codes import lookup

log = logging.getLogger(__name__)


def _codes() -> Any:
    lookup.forget()
    return lookup.current()


LOADERS: dict[str, Callable[[], Any]] = {
    "addresses": lambda: get_resolver().url_patterns,
    "resources": registry,
    "access policy": policy,
    "capabilities": capability.statement,
    "R4 definitions": table.rows,
    "profiles": lambda: profiles.named("http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient"),
    "code tables": _codes,
}


def load() -> dict[str, float | None]:
    """Load everything; return the milliseconds that each part took, None for one that could not be loaded."""
    try:
        return {name: _timed(name, loader) for name, loader in LOADERS.items()}
    finally:
        connection.close()  # this thread answers no request, and would keep a connection from the pool


def _timed(name: str, loader: Callable[[], Any]) -> float | None:
    begun = time.perf_counter()
    try:
        loader()
    except Exception as fault:  # a database that is down must not keep a process from starting
        log.warning("The %s could not be loaded beforehand: %s", name, type(fault).__name__)
        return None
    return round(1000 * (time.perf_counter() - begun), 1)
