"""One patient, and one person, among many events of the trail, beside sequential scans for the same in the same run.

python -m benchmarks.accounting [--events 5000000]
"""

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

from benchmarks.stores import migrated

PATIENT, PERSON = "p77", "00000000-0000-7000-8000-000000000077"
INDEXES_OFF = "SET enable_indexscan = {0}; SET enable_bitmapscan = {0}; SET enable_indexonlyscan = {0}"
# 100,000 patients and 500 people; every 20th event is a disclosure to a registry.
FILL = """
INSERT INTO compliance_accessevent (uuid, epoch, txid, time, written_by, action, outcome, actor_kind, actor_id, actor,
    roles, purpose, address, request, route, resource_type, patient, resources, versions, detail)
SELECT gen_random_uuid(), 1, 1, now() - random() * interval '20 days', 'benchmark', 'read', 'success',
    CASE WHEN (n + n / 100000) %% 20 = 0 THEN 'token' ELSE 'user' END,
    '00000000-0000-7000-8000-' || lpad((n * 7 %% 500)::text, 12, '0'), 'Person ' || n * 7 %% 500, '{clinician}',
    CASE WHEN (n + n / 100000) %% 20 = 0 THEN 'PUBHLTH' ELSE 'TREAT' END, '192.0.2.1', gen_random_uuid()::text,
    'fhir/Patient/<logical_id>', 'Patient', 'p' || n * 13 %% 100000, ARRAY['Patient/p' || n * 13 %% 100000], '{1}', ''
FROM generate_series(1, %s) AS n
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=5_000_000)
    wanted = parser.parse_args()
    with migrated():
        fill(wanted.events)
        measure()


def fill(events: int) -> None:
    """Write the events as the trail's owner, with the indexes made afterwards."""
    from django.db import connections

    from compliance.audit import schema
    from patients.models import Patient

    Patient.objects.create(logical_id=PATIENT, display_name="Maria Jansen")
    started = time.monotonic()
    with connections["owner"].cursor() as cursor:
        schema.become_trail(cursor)
        cursor.execute("SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'compliance_accessevent'")
        indexes = [row for row in cursor.fetchall() if "_pkey" not in row[0]]
        for name, _ in indexes:
            cursor.execute(f"DROP INDEX {name}")
        cursor.execute(FILL, [events])
        for _, made in indexes:
            cursor.execute(made.replace(" ON ONLY ", " ON "))
        cursor.execute("ANALYZE compliance_accessevent")
        schema.become_owner(cursor)
    print(f"{events:,} events in {time.monotonic() - started:.0f} s\n")


def measure() -> None:
    from compliance.accounting import disclosures
    from compliance.audit_event import views
    from compliance.review import accesses
    from healthrecords.access.request import AccessRequest, Actor

    by = AccessRequest(Actor("user", "1", "Olive Officer"), "read", "Patient", "HCOMPL")
    print("| | rows | ms | sequential scan ms | ratio |\n| --- | ---: | ---: | ---: | ---: |")
    compare("accounting of one patient", lambda: disclosures.account(PATIENT, by).lines)
    compare("who saw this patient", lambda: accesses.who_saw(PATIENT, None, by))
    compare("what this person saw", lambda: accesses.seen_by(PERSON, None, by))
    page = [("patient", PATIENT), ("date", "ge2026-01-01")]
    compare("a page of AuditEvent", lambda: views.search(by.to("search", "AuditEvent"), page)["entry"])


def compare(name: str, ask: Callable[[], Any]) -> None:
    """The median of 15 answers, and of 3 without indexes."""
    from django.db import connection

    rows = len(ask())
    quick = median(ask, 15)
    with connection.cursor() as cursor:
        cursor.execute(INDEXES_OFF.format("off"))
        slow = median(ask, 3)
        cursor.execute(INDEXES_OFF.format("on"))
    print(f"| {name} | {rows} | {quick:.1f} | {slow:.0f} | 1 : {slow / quick:.0f} |", flush=True)


def median(ask: Callable[[], Any], times: int) -> float:
    """Milliseconds of `ask`, at the median."""
    spent = []
    for _ in range(times):
        started = time.perf_counter()
        ask()
        spent.append((time.perf_counter() - started) * 1000)
    return statistics.median(spent)


if __name__ == "__main__":
    main()
