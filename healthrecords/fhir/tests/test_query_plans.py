"""Every declared search parameter is served by an index: PostgreSQL's own plan says so."""

import json
from urllib.parse import parse_qsl

import pytest
from django.db import connection, transaction

from healthrecords.access.request import SYSTEM, AccessRequest
from healthrecords.fhir.resource import registry
from healthrecords.fhir.search import query

VALUES = {"string": ["jansen"], "token": ["x"], "reference": ["abc"], "date": ["1980-05-17", "gt1980", "lt1980"],
          "uri": ["urn:example:a"], "composite": ["DocumentReference/abc$replaces"]}  # fmt: skip


def searches(resource):
    for param in resource.params.values():
        values = ["true"] if type(param).__name__ == "BooleanParam" else VALUES[param.type]
        yield from (f"{param.name}={value}" for value in values)
        if param.type == "string":
            yield from (f"{param.name}:exact=Jansen", f"{param.name}:contains=anse")
        if param.type == "reference":
            yield from (f"{param.name}={kind}/abc" for kind in param.targets)


ALL = [(name, terms) for name, resource in registry().items() for terms in searches(resource)]


def scans(plan):
    """The leaves of a plan."""
    inner = plan.get("Plans", [])
    return [leaf for each in inner for leaf in scans(each)] if inner else [plan]


def unserved(plan):
    """The scans that read a table or an index from end to end."""
    return [
        f"{s['Node Type']} of {s.get('Relation Name', s.get('Index Name'))}"
        for s in scans(plan)
        if "Index Cond" not in s
    ]


def explain(resource, terms):
    rows = query.parse(resource, parse_qsl(terms), AccessRequest(SYSTEM, "search", resource.name)).narrow(
        resource.model.objects.live()
    )
    with transaction.atomic(), connection.cursor() as cursor:
        for way in ("seqscan", "indexscan", "indexonlyscan", "mergejoin"):  # a bitmap scan needs a condition
            cursor.execute(f"SET LOCAL enable_{way} = off")
        text = rows.values("uuid").explain(format="json")
    return json.loads(text)[0]["Plan"]


@pytest.mark.parametrize(("name", "terms"), ALL, ids=lambda value: value)
def test_a_search_is_served_by_an_index(db, name, terms):
    assert unserved(explain(registry()[name], terms)) == []


def test_a_search_that_no_index_serves_would_be_seen(db):
    rows = registry()["Practitioner"].model.objects.filter(gender="male")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        assert unserved(json.loads(rows.values("uuid").explain(format="json"))[0]["Plan"])
