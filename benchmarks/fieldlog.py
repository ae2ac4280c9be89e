"""What it costs to note which fields a form changed, beside the same saves without it, by turns in one run.

python -m benchmarks.fieldlog [--saves 200]
"""

import argparse
import statistics
import time
from contextlib import nullcontext
from typing import Any

from benchmarks.people import patient
from benchmarks.stores import migrated


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--saves", type=int, default=200)
    wanted = parser.parse_args()
    with migrated():
        measure(wanted.saves)


def measure(saves: int) -> None:
    from auditlog.context import disable_auditlog
    from django.db import transaction

    from healthrecords.access.request import SYSTEM, Actor
    from healthrecords.fhir import store
    from healthrecords.fhir.resource import registry

    resource, person = registry()["Patient"], Actor("host", "1", "benchmark")
    with transaction.atomic():
        draft = store.draft_of(resource, patient(1), author=SYSTEM)
        store.write(resource, [store.Change(draft)], SYSTEM)
    record: Any = resource.model.objects.get()
    spent: dict[str, list[float]] = {"with": [], "without": []}
    for number in range(2 * saves):
        way = ("with", "without")[number % 2]
        started = time.perf_counter()
        with nullcontext() if way == "with" else disable_auditlog(), transaction.atomic():
            save(record, number, resource, person)
        spent[way].append((time.perf_counter() - started) * 1000)
    quick, slow = (statistics.median(spent[way]) for way in ("without", "with"))
    print(f"a form with two changed fields: {slow:.2f} ms with, {quick:.2f} ms without: {slow / quick:.2f} times")


def save(record: Any, number: int, resource: Any, person: Any) -> None:
    """What a form does that changes a sex and a family name."""
    from healthrecords.fhir import store

    record.gender = ("male", "female")[number // 2 % 2]
    record.save()
    name = record.names.first()
    name.family = f"Family{number}"
    name.save()
    store.write_stored(resource, record, person)


if __name__ == "__main__":
    main()
