"""Integrity of the records: their versions, whom they are about, their documents in the store, their FHIR."""

import json
from collections.abc import Iterator
from typing import Any

from django.db.models import F, Q

from documents.checking import check as compare_documents
from documents.storage import StoreFault
from healthrecords.cli import counted
from healthrecords.fhir import validation
from healthrecords.fhir.resource import Resource, registry

from .login import connected
from .pages import LONG, RESTORE
from .registry import Problem, check

SAMPLE = 20  # records of each type
SHOWN = 5  # that a sentence names


@check("records", "integrity", limit=LONG, needs="database", next_step=RESTORE)
def records() -> str:
    """Whether each record stands on its own newest version."""
    found = [f"{count} of {name}" for name, each in registry().items() if (count := _adrift(each))]
    if found:
        raise Problem(f"Records do not stand on their own newest version: {', '.join(found)}.")
    return f"The records of {counted(len(registry()), 'type')} stand on their newest versions."


def _adrift(resource: Resource) -> int:
    own = Q(current__resource_type=resource.name, current__logical_id=F("logical_id"), current__version=F("version"))
    rows = resource.model.objects.all()
    return int(rows.count() - rows.filter(own).count())


@check("references", "integrity", limit=LONG, needs="database", next_step=RESTORE)
def references() -> str:
    """Whether every patient whom a version is about is, or was, here."""
    with connected() as connection:
        connection.execute("SET statement_timeout = 0")
        rows = connection.execute(
            "SELECT resource_type, count(*) FROM healthrecords_recordversion, unnest(patients) AS patient"
            " WHERE NOT EXISTS (SELECT FROM patients_patient WHERE logical_id = patient) GROUP BY 1 ORDER BY 1"
        ).fetchall()
    found = [f"{count} versions of {name}" for name, count in rows]
    if found:
        raise Problem(f"They are about patients who never were here: {', '.join(found)}.")
    return "Every version is about patients who are here."


@check(
    "documents", "integrity", limit=LONG, needs="database", next_step="Run `documents check`, then `documents mend`."
)
def documents() -> str:
    """Whether rows and objects fit together, by their sizes; the timetable reads every content each night."""
    try:
        found = compare_documents(read=False)
    except StoreFault as fault:
        raise Problem(fault.text) from fault
    if found.missing or found.different:
        lost = len(found.missing) + len(found.different)
        raise Problem(f"{counted(lost, 'content')} missing or different in the store.", "Run `restore documents`.")
    if found.without_row:
        raise Problem(f"{counted(len(found.without_row), 'object')} in the store that no record knows.")
    return f"{counted(found.contents, 'content')} lie in the store as their records say."


@check("fhir", "integrity", limit=120, needs="database", next_step="Correct what is named; see docs/api/validation.md.")
def fhir() -> str:
    """Validate records at random, as they leave the API."""
    sampled = [(name, body) for name, each in registry().items() for body in _sample(each)]
    faults = [text for name, body in sampled for text in _faults(name, body)]
    if faults:
        more = f" and {len(faults) - SHOWN} more" if len(faults) > SHOWN else ""
        raise Problem(f"Of {counted(len(sampled), 'record')}: {'; '.join(faults[:SHOWN])}{more}.")
    return f"{counted(len(sampled), 'record')} at random are valid FHIR."


def _sample(resource: Resource) -> Iterator[Any]:
    for record in resource.model.objects.live().select_related("current").order_by("?")[:SAMPLE]:
        if record.current:
            yield json.loads(str(record.current.content))


def _faults(name: str, body: Any) -> Iterator[str]:
    """Where a record is not valid: its id and the path, never a value."""
    wrong = [issue for issue in validation.validate(body, name) if issue.severity in ("error", "fatal")]
    if wrong:
        yield f"{name}/{body.get('id')} at {wrong[0].path or name}"
