"""The one SQL condition by which consent narrows every list, read, history, count and include.

It looks at a version's patients and labels, so that the same text serves records and their old versions. A provision
decides when it and those around it match and none inside it does (compliance.consent.decision says the same).
"""

import re
from typing import Any

from django.db.models import BooleanField, F, Func

from compliance.breakglass.models import BreakGlass
from compliance.consent.decision import Ask
from compliance.consent.models import AbsoluteMark, Coverage, Provision, PurposeDefault
from healthrecords.access.request import EMERGENCY
from healthrecords.provenance.models import ProvenanceTarget
from healthrecords.records import RecordVersion

BY_ROLE_ALONE = frozenset({"Consent", "AuditEvent"})  # types of which consent has nothing to say

# {n} is an alias of the table of provisions; {labels} and {kind} are SQL for the record's labels and type.
MATCHES = """(
    ({n}.actors IS NULL OR {n}.actors && %(actors)s::text[])
    AND ({n}.purposes IS NULL OR %(purpose)s = ANY ({n}.purposes))
    AND ({n}.classes IS NULL OR {kind} = ANY ({n}.classes))
    AND ({n}.labels IS NULL OR {n}.labels && {labels})
    AND ({n}.starts_at IS NULL OR {n}.starts_at <= %(at)s)
    AND ({n}.ends_at IS NULL OR {n}.ends_at > %(at)s)
)"""

# A provision of type {denies} decides about one of {covered}. The Patient record obeys only what lists its class.
# OFFSET 0 makes PostgreSQL go from the record's patients to their provisions: it takes the criteria for more selective
# than they are, and would else read all provisions there are, once for each record.
DECIDES = """EXISTS (
    SELECT 1 FROM (SELECT consent_id FROM {coverage} WHERE patient = {covered} OFFSET 0) c
    CROSS JOIN LATERAL (SELECT * FROM {provision} o WHERE o.consent_id = c.consent_id OFFSET 0) n
    LEFT JOIN LATERAL (SELECT * FROM {provision} o WHERE o.uuid = n.parent_id OFFSET 0) a ON true
    LEFT JOIN LATERAL (SELECT * FROM {provision} o WHERE o.uuid = a.parent_id OFFSET 0) b ON true
    WHERE n.denies = {denies} {only}
    AND {n} AND (a.uuid IS NULL OR {a}) AND (b.uuid IS NULL OR {b})
    AND NOT EXISTS (SELECT 1 FROM (SELECT * FROM {provision} o WHERE o.parent_id = n.uuid OFFSET 0) k WHERE {k})
    AND ({kind} <> 'Patient' OR n.classes IS NOT NULL OR a.classes IS NOT NULL OR b.classes IS NOT NULL)
)"""

ABSOLUTE = "AND EXISTS (SELECT 1 FROM {absolute} m WHERE m.consent_id = n.consent_id)"

# All patients of the record must permit: by the purpose's default and no denial, or else each by a consent.
PERMITS = """CASE WHEN EXISTS (SELECT 1 FROM {default} d WHERE d.purpose = %(purpose)s AND d.permits)
    THEN NOT {denied_to_any}
    ELSE NOT EXISTS (SELECT 1 FROM unnest({patients}) AS p (id) WHERE {denied} OR NOT {permitted})
END"""

# In an emergency: the patient of a live declaration, unless a denial that binds by law stands against it.
EMERGENCY_PERMITS = """(cardinality({patients}) > 0 AND NOT EXISTS (
    SELECT 1 FROM unnest({patients}) AS p (id)
    WHERE {denied} OR NOT EXISTS (
        SELECT 1 FROM {breakglass} g WHERE g.patient = p.id AND g.actor_kind = %(actor_kind)s
        AND g.actor_id = %(actor_id)s AND g.opened_at <= %(at)s AND g.expires_at > %(at)s AND g.ended_at IS NULL
    )
))"""

# A Provenance tells of its targets: it is seen by those who may see all of them as they are.
TARGETS_PERMIT = """NOT EXISTS (
    SELECT 1 FROM {target} t CROSS JOIN LATERAL (
        SELECT v.patients, v.labels, v.resource_type FROM {version} v
        WHERE v.resource_type = t.target_type AND v.logical_id = t.target_id ORDER BY v.version DESC LIMIT 1
    ) v WHERE t.record_id = {record} AND NOT {permits}
)"""

# No consent is about any of the patients, and the purpose is permitted by default: PERMITS cannot say otherwise.
UNTOUCHED = """(EXISTS (SELECT 1 FROM {default} d WHERE d.purpose = %s AND d.permits)
    AND NOT EXISTS (SELECT 1 FROM {coverage} WHERE patient = ANY ({patients})))"""

_TABLES = {
    "absolute": AbsoluteMark,
    "coverage": Coverage,
    "provision": Provision,
    "default": PurposeDefault,
    "breakglass": BreakGlass,
    "target": ProvenanceTarget,
    "version": RecordVersion,
}
_NAMES = {name: f'"{model._meta.db_table}"' for name, model in _TABLES.items()}
_PARAMETER = re.compile(r"%\((\w+)\)s")


def permits_sql(patients: str, labels: str, kind: str, emergency: bool = False) -> str:
    """The condition over SQL for a record's patients, labels (arrays) and type, with named parameters (`bound`)."""

    def decides(covered: str, denies: bool) -> str:
        matches = {n: MATCHES.format(n=n, labels=labels, kind=kind) for n in "nabk"}
        only = ABSOLUTE.format(**_NAMES) if emergency else ""
        said = {"covered": covered, "denies": denies, "kind": kind, "only": only}
        return DECIDES.format(**_NAMES, **matches, **said)

    parts = {"patients": patients, "denied": decides("p.id", True)}
    if emergency:
        return EMERGENCY_PERMITS.format(**_NAMES, **parts)
    to_any = decides(f"ANY ({patients})", True)
    return PERMITS.format(**_NAMES, **parts, denied_to_any=to_any, permitted=decides("p.id", False))


def bound(sql: str, ask: Ask) -> tuple[str, list[Any]]:
    """Put the facts of a request in the place of the named parameters."""
    facts: dict[str, Any] = {
        "actors": list(ask.actors),
        "purpose": ask.purpose,
        "at": ask.at,
        "actor_kind": ask.kind,
        "actor_id": ask.id,
    }
    return _PARAMETER.sub("%s", sql), [facts[name] for name in _PARAMETER.findall(sql)]


class Permits(Func):
    """Whether consent permits a row, by its columns of patients and labels; `kind` is its resource type."""

    output_field = BooleanField()

    def __init__(self, patients: str, labels: str, kind: str, ask: Ask) -> None:
        super().__init__(F(patients), F(labels))
        self.kind, self.ask = kind, ask

    def as_sql(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        patients, labels = (compiler.compile(each)[0] for each in self.source_expressions)
        kind = f"'{self.kind}'"  # a name of the registry, never a client's text
        return bound(permits_sql(patients, labels, kind, self.ask.purpose == EMERGENCY), self.ask)


class Untouched(Func):
    """Whether consent has nothing to say of a row, by its column of patients, and the purpose's default permits it."""

    output_field = BooleanField()

    def __init__(self, patients: str, purpose: str) -> None:
        super().__init__(F(patients))
        self.purpose = purpose

    def as_sql(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        if self.purpose == EMERGENCY:
            return "false", []
        patients = compiler.compile(self.source_expressions[0])[0]
        return UNTOUCHED.format(**_NAMES, patients=patients), [self.purpose]


class TargetsPermit(Func):
    """Whether consent permits every target of a Provenance, by the column of its key."""

    output_field = BooleanField()

    def __init__(self, record: str, ask: Ask) -> None:
        super().__init__(F(record))
        self.ask = ask

    def as_sql(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        permits = permits_sql("v.patients", "v.labels", "v.resource_type", self.ask.purpose == EMERGENCY)
        record = compiler.compile(self.source_expressions[0])[0]
        return bound(TARGETS_PERMIT.format(**_NAMES, record=record, permits=f"({permits})"), self.ask)
