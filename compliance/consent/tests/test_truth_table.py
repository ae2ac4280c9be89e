"""The predicate against the oracle, over whole tables of consents and requests.

TRUTH_TABLE=all takes every tree of depth one and 20,000 random ones of depth two; the usual run takes a sample.
"""

import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from uuid6 import uuid7

from compliance.consent import covering, predicate, provisions
from compliance.consent.decision import Ask, Shown, decide
from compliance.consent.models import Consent, Coverage, Provision, Status
from compliance.consent.tests import oracle, trees
from compliance.consent.tests.cast import consent, deny, dose, permit
from healthrecords import bulk

pytestmark = pytest.mark.django_db

EVERYTHING = os.environ.get("TRUTH_TABLE") == "all"
AT_LEAST = 1_500_000 if EVERYTHING else 200_000


def store(people: Sequence[list[dict[str, Any]]]) -> None:
    """Write the consents of patients p0, p1 … as the server does when one is recorded."""
    consents, rows, covered = [], [], []
    for number, roots in enumerate(people):
        for root in roots:
            assert not list(provisions.faults({"provision": root}))
            key = uuid7()
            consent = Consent(uuid=key, logical_id=str(key), patient_id=f"p{number}", status=Status.ACTIVE)
            consents.append(consent)
            rows += covering.rows_of(consent, provisions.read(root))
            covered.append(Coverage(patient=f"p{number}", consent=consent))
    for model, made in ((Consent, consents), (Provision, rows)):
        bulk.insert(model, made)
    Coverage.objects.bulk_create(covered, batch_size=5000)
    with connection.cursor() as cursor:
        for model in (Provision, Coverage):
            cursor.execute(f'ANALYZE "{model._meta.db_table}"')


def answers(records: Sequence[str], request: oracle.Request) -> dict[str, bool]:
    """What the predicate says of records, each written as its patients with a comma between."""
    labels = f"string_to_array('{','.join(sorted(request.labels))}', ',')"
    permits = predicate.permits_sql("string_to_array(r.patients, ',')", labels, f"'{request.type}'")
    listed = f"unnest(string_to_array('{';'.join(records)}', ';')) AS r (patients)"
    with connection.cursor() as cursor:
        cursor.execute(*predicate.bound(f"SELECT r.patients, {permits} FROM {listed}", ask(request)))  # noqa: S608
        return dict(cursor.fetchall())


def ask(request: oracle.Request) -> Ask:
    actors = (*request.references, *(f"role:{name}" for name in request.roles))
    return Ask(actors, request.purpose, request.at)


def compared(people: Sequence[list[dict[str, Any]]], records: Sequence[str]) -> Iterator[str]:
    """For each decision an empty text, or in what the predicate and the oracle differ."""
    for request in (replace(each, type=kind) for each in trees.REQUESTS for kind in trees.TYPES):
        for record, permitted in answers(records, request).items():
            roots = [people[int(each.removeprefix("p"))] for each in record.split(",")]
            is_right = oracle.is_permitted(roots, request) == permitted
            yield "" if is_right else f"{roots}: {request}: predicate says {permitted}"


def test_the_predicate_says_what_the_oracle_says():
    seed = random.Random(8)
    depth_one = list(trees.of_depth_one()) if EVERYTHING else trees.sampled(seed, 2500)
    roots = [*depth_one, *(trees.of_depth_two(seed) for _ in range(20_000 if EVERYTHING else 1500))]
    said = [each for some in batched(trees.people(roots, seed), 4500) for each in judged(some, seed)]
    differing = [each for each in said if each]
    print(f"{len(said):,} decisions about {len(roots):,} trees, {len(differing)} mismatches")  # noqa: T201
    assert differing[:3] == []
    assert len(said) >= AT_LEAST


def batched(people: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(people), size):
        yield people[start : start + size]


def judged(people: Sequence[list[dict[str, Any]]], seed: random.Random) -> list[str]:
    """Compare records of these patients, each alone and some of two together; nothing stays behind."""
    store(people)
    pairs = {",".join(sorted({f"p{seed.randrange(len(people))}" for _ in range(2)})) for _ in range(len(people) // 10)}
    said = list(compared(people, [*(f"p{n}" for n in range(len(people))), *(pair for pair in pairs if "," in pair)]))
    for model in (Provision, Coverage, Consent):
        model.objects.all().delete()
    return said


def test_the_preview_says_what_the_oracle_says():
    seed = random.Random(9)
    for roots in trees.people([trees.of_depth_two(seed) for _ in range(500)], seed):
        nodes = [provisions.read(root) for root in roots]
        for request in (replace(each, type=kind) for each in trees.REQUESTS for kind in trees.TYPES):
            default = request.purpose in oracle.PERMITTED_BY_DEFAULT
            said = decide(nodes, ask(request), Shown(request.type, request.labels), default)
            assert said == oracle.is_permitted([roots], request), (roots, request)


def test_the_api_says_what_the_oracle_says(integrator, caller_with_role):
    """A smaller table, through HTTP: consents recorded and records read as any client would."""
    seed = random.Random(10)
    officer = caller_with_role("compliance-officer")
    callers = {name: caller_with_role(name) for name in ("integrator", "front-desk", "clinician")}
    asked = [("integrator", "TREAT"), ("integrator", "PUBHLTH"), ("front-desk", "TREAT"), ("clinician", "HPAYMT")]
    decisions, differing = 0, []
    for root in [trees.of_depth_two(seed) for _ in range(100)]:
        patient = integrator.create()["id"]
        paths = {
            "Patient": f"Patient/{patient}",
            "Immunization": f"Immunization/{integrator.create(dose(patient))['id']}",
        }
        officer.create(consent(patient, root))
        for (role, purpose), (kind, path) in product(asked, paths.items()):
            request = oracle.Request(frozenset(), frozenset({role}), purpose, timezone.now(), kind, frozenset())
            expected = 200 if oracle.is_permitted([[root]], request) else 404
            status = callers[role].get(path, X_Purpose_Of_Use=purpose).status_code
            decisions += 1
            differing += [] if status == expected else [(root, role, purpose, kind, status)]
    print(f"{decisions} decisions through the API, {len(differing)} mismatches")  # noqa: T201
    assert differing == []
    assert decisions >= 800


def test_a_date_is_that_whole_day_in_the_installation_s_time_zone(settings):
    settings.TIME_ZONE = "America/New_York"
    people = [[deny(start="2026-03-08", end="2026-03-08")]]  # a day of 23 hours there
    store(people)
    for hour, minute, shown in ((8, 4, True), (8, 5, False), (9, 3, False), (9, 4, True)):
        at = datetime(2026, 3, hour, minute, tzinfo=UTC)
        request = replace(trees.REQUESTS[0], at=at, type="Immunization")
        assert answers(["p0"], request)["p0"] is shown is oracle.is_permitted(people, request, "America/New_York")


MUTANTS = {
    "a period ends a day early": ("MATCHES", "{n}.ends_at > %(at)s", "{n}.ends_at > %(at)s + '1 day'"),
    "the first instant of a period is outside": ("MATCHES", "{n}.starts_at <= %(at)s", "{n}.starts_at < %(at)s"),
    "labels are not looked at": ("MATCHES", "{n}.labels && {labels}", "true"),
    "a label must be the only one": ("MATCHES", "{n}.labels && {labels}", "{n}.labels @> {labels}"),
    "purposes are not looked at": ("MATCHES", "%(purpose)s = ANY ({n}.purposes)", "%(purpose)s <> ''"),
    "what an exception stands in need not match": ("DECIDES", "(a.uuid IS NULL OR {a})", "true"),
    "an exception changes nothing": ("DECIDES", "o.parent_id = n.uuid", "false"),
    "a Patient record obeys every provision": ("DECIDES", "{kind} <> 'Patient' OR", "true OR"),
    "a permission beats a denial": (
        "PERMITS",
        "THEN NOT {denied_to_any}",
        "THEN NOT {denied_to_any} OR EXISTS (SELECT 1 FROM unnest({patients}) AS p (id) WHERE {permitted})",
    ),
    "every purpose is permitted by default": ("PERMITS", "d.purpose = %(purpose)s AND", "%(purpose)s <> '' AND"),
    "one of several patients is enough": ("PERMITS", "ELSE NOT EXISTS", "ELSE true OR NOT EXISTS"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_changed_predicate_is_caught(monkeypatch, name):
    part, right, wrong = MUTANTS[name]
    text = getattr(predicate, part)
    assert text.count(right) == 1
    monkeypatch.setattr(predicate, part, text.replace(right, wrong))
    seed = random.Random(10)
    people = trees.people([*trees.singles(), *(trees.of_depth_two(seed) for _ in range(300)), permit()], seed)
    store(people)
    records = [*(f"p{n}" for n in range(len(people))), *(f"p{n},p{n + 1}" for n in range(0, len(people) - 1, 2))]
    assert any(compared(people, records))
