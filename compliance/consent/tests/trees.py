"""Consents for the truth table: every tree of depth one over a vocabulary, and random ones of depth two."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product
from typing import Any

from compliance.consent.tests.cast import CONFIDENTIALITY, provision
from compliance.consent.tests.oracle import Request

JSON = dict[str, Any]
Patients = list[list[JSON]]  # of one record: for each patient the root provisions of their consents

ACTORS: list[JSON] = [{}, {"actors": ["Practitioner/p"]}, {"roles": ["integrator"]}]
PURPOSES: list[JSON] = [{}, {"purposes": ["TREAT"]}]
CLASSES: list[JSON] = [{}, {"classes": ["Immunization"]}]
LABELS: list[JSON] = [{}, {"labels": ["R", "V"]}]
PERIODS: list[JSON] = [{}, {"end": "2026-03-31"}]
# What the random trees have besides.
MORE = [
    [*ACTORS, {"actors": ["Organization/o"], "roles": ["front-desk"]}, {"actors": ["Device/d"]}],
    [*PURPOSES, {"purposes": ["PUBHLTH", "HMARKT"]}],
    [*CLASSES, {"classes": ["Patient", "DocumentReference"]}],
    LABELS,
    [*PERIODS, {"start": "2026-04-01", "end": "2026-04-01T00:00:00Z"}],
]

CRITERIA = [{k: v for part in parts for k, v in part.items()} for parts in product(
    ACTORS, PURPOSES, CLASSES, LABELS, PERIODS
)]  # fmt: skip
KINDS = ("permit", "deny")

WHO = [
    (frozenset({"Practitioner/p", "PractitionerRole/r", "Organization/o"}), frozenset({"clinician"})),
    (frozenset({"Device/d", "Organization/o"}), frozenset({"integrator"})),
    (frozenset[str](), frozenset({"front-desk", "administrator"})),
]
WHEN = [datetime(2026, 3, 31, 23, 59, 59, 500000, UTC), datetime(2026, 4, 1, tzinfo=UTC)]
HELD = [frozenset[str](), frozenset({f"{CONFIDENTIALITY}|R", f"{CONFIDENTIALITY}|N"})]
# 24 requests: three askers, two purposes, two instants, two sets of labels of the record.
REQUESTS = [
    Request(references, roles, purpose, at, "", labels)
    for (references, roles), purpose, at, labels in product(WHO, ("TREAT", "PUBHLTH"), WHEN, HELD)
]
TYPES = ("Immunization", "Patient")


def singles() -> Iterator[JSON]:
    """Each provision alone."""
    for kind, criteria in product(KINDS, CRITERIA):
        yield provision(kind, **criteria)


def of_depth_one() -> Iterator[JSON]:
    """Each provision alone, and with each other one inside it."""
    yield from singles()
    for outer, inner in product(product(KINDS, CRITERIA), repeat=2):
        yield provision(outer[0], provision(inner[0], **inner[1]), **outer[1])


def sampled(seed: random.Random, number: int) -> list[JSON]:
    """A sample of the trees of depth one, every single provision among them."""
    pairs = [[(seed.choice(KINDS), seed.choice(CRITERIA)) for _ in range(2)] for _ in range(number)]
    return [*singles(), *(provision(o[0], provision(i[0], **i[1]), **o[1]) for o, i in pairs)]


def of_depth_two(seed: random.Random) -> JSON:
    """A random tree with up to three exceptions, and up to three to each of them."""

    def made(depth: int) -> JSON:
        inside = [made(depth - 1) for _ in range(seed.randint(0, 3))] if depth else []
        return provision(seed.choice(KINDS), *inside, **_criteria(seed))

    return made(2)


def _criteria(seed: random.Random) -> JSON:
    """Few criteria, so that provisions inside each other often match together."""
    few: JSON = {}
    for options in MORE:
        few |= seed.choice(options) if seed.random() < 0.4 else {}
    return few


def people(roots: list[JSON], seed: random.Random) -> list[list[JSON]]:
    """A patient for each tree; one in ten has a second consent."""
    return [[root, *([seed.choice(roots)] if seed.random() < 0.1 else [])] for root in roots]
