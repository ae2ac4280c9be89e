"""What consent costs: lists and reads with the filter and without, turn by turn in the same run.

    .venv/bin/python -m benchmarks.consent [--doses 1000000] [--rounds 60]

Starts a server of its own on a throwaway directory and makes doses of 100,000 patients, of whom each hundredth has a
consent with two exceptions.
"""

import argparse
import os
import time
from collections.abc import Callable
from statistics import median
from typing import Any

from benchmarks.api import scratch_server

PATIENTS = 100_000
VERSIONS = """INSERT INTO healthrecords_recordversion
    (uuid, resource_type, logical_id, version, interaction, recorded_at, author, patients, labels, content)
    SELECT md5('v' || n)::uuid, 'Immunization', 'dose' || n, 1, 'create', now(), 'benchmark', ARRAY['p' || n %% %s],
    '{}', content FROM healthrecords_recordversion, generate_series(1, %s) n WHERE logical_id = %s"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measures the filter of consent.")
    parser.add_argument("--doses", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=60)
    options = parser.parse_args()
    os.environ["HEALTHCARE_LOG_LEVEL"] = "ERROR"
    with scratch_server():
        import django

        django.setup()
        _doses(options.doses)
        _consents()
        print("\n".join(_compared(options.rounds)))


def _doses(count: int) -> None:
    """Copy one dose so many times: what is measured reads no content."""
    from django.db import connection
    from django.test import Client

    from compliance.consent.tests.cast import dose
    from healthrecords.accounts.models import ApiToken, Role
    from immunizations.models import Immunization

    token = ApiToken.issue("benchmark", Role.objects.get(name="integrator"), [], 1)[1]
    made = Client(SERVER_NAME="127.0.0.1").post(
        "/fhir/Immunization", dose("p0"), content_type="application/fhir+json",
        headers={"Authorization": f"Bearer {token}"},
    )  # fmt: skip
    own = {"uuid": "md5('d' || n)::uuid", "logical_id": "'dose' || n", "current_id": "md5('v' || n)::uuid"}
    own |= {"patient_id": f"'p' || n % {PATIENTS}"}
    columns = [str(field.column) for field in Immunization._meta.concrete_fields]
    values = ", ".join(own.get(each, f'"{each}"') for each in columns)
    table, names = Immunization._meta.db_table, ", ".join(f'"{each}"' for each in columns)
    copied = (
        f"INSERT INTO {table} ({names}) SELECT {values} FROM {table}, generate_series(1, {count}) n WHERE source <> ''"  # noqa: S608
    )
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(VERSIONS, [PATIENTS, count, made.json()["id"]])
        cursor.execute(copied)


def _consents() -> None:
    from django.db import connections
    from uuid6 import uuid7

    from compliance.consent.covering import rows_of
    from compliance.consent.models import Consent, Coverage, Provision
    from compliance.consent.provisions import read
    from compliance.consent.tests.cast import deny, permit
    from healthrecords import bulk

    root = read(permit(deny(classes=["DocumentReference"]), deny(roles=["front-desk"])))
    made = [Consent(uuid=(key := uuid7()), logical_id=str(key), patient_id=f"p{n}") for n in range(0, PATIENTS, 100)]
    bulk.insert(Consent, made)
    bulk.insert(Provision, [row for each in made for row in rows_of(each, root)])
    Coverage.objects.bulk_create(Coverage(patient=each.patient_id, consent=each) for each in made)
    with connections["owner"].cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("ANALYZE")


def _compared(rounds: int) -> list[str]:
    from healthrecords.access import policy
    from healthrecords.access.request import AccessRequest, actor_of_token
    from healthrecords.accounts.models import ApiToken
    from immunizations.models import Immunization

    asked = AccessRequest(actor_of_token(ApiToken.objects.get()), "search", "Immunization", "TREAT")
    every: Any = Immunization.objects.live()

    def page(rows: Any) -> Callable[[], Any]:
        return lambda: list(rows().order_by("uuid").values_list("uuid", "current__version", "current__patients")[:50])

    plain, seen = (lambda: every), (lambda: policy.visible(every, asked))
    pairs = {
        "a page of 50 of all": (page(seen), page(plain)),
        "the doses of a patient without a consent": (
            page(lambda: seen().filter(patient_id="p7")), page(lambda: plain().filter(patient_id="p7"))
        ),
        "the doses of a patient with one": (
            page(lambda: seen().filter(patient_id="p100")), page(lambda: plain().filter(patient_id="p100"))
        ),
    }  # fmt: skip
    return [_line(name, *_medians(rounds, *pair)) for name, pair in pairs.items()]


def _medians(rounds: int, *acts: Callable[[], Any]) -> list[float]:
    taken: list[list[float]] = [[] for _ in acts]
    for _ in range(rounds):
        for times, act in zip(taken, acts, strict=True):
            begun = time.perf_counter()
            act()
            times.append((time.perf_counter() - begun) * 1000)
    return [median(times) for times in taken]


def _line(name: str, filtered: float, plain: float) -> str:
    return f"* {name}: {filtered:.2f} ms with the filter, {plain:.2f} ms without"


if __name__ == "__main__":
    main()
