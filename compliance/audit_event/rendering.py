"""A row of the trail as an AuditEvent (R4), in the shapes of IHE Basic Audit Log Patterns 1.1.3."""

import base64
from typing import Any

from django.conf import settings

from compliance.audit_event import codes
from compliance.phi_access.models import AccessEvent
from healthrecords.fhir.resource import registry
from healthrecords.fhir.store import instant

JSON = dict[str, Any]
PROFILE = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
_ENTITY = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
_REQUEST = {"system": "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType", "code": "XrequestId"}
_PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
_SOURCE_ROLE = codes.Coding(codes.DCM, "110153", "Source Role ID")
_DESTINATION_ROLE = codes.Coding(codes.DCM, "110152", "Destination Role ID")
_RECEIVING = ("read", "history", "export")  # the data flows to the client
ALSO_SERVED = frozenset({"Binary", "AuditEvent", "Consent", "Bundle"})


def as_fhir(event: AccessEvent) -> JSON:
    """Return the AuditEvent; whatever the row says is in it."""
    word = codes.word_of(event.action, event.detail)
    kind = codes.kind_of(word, event.resource_type)
    said = {
        "resourceType": "AuditEvent",
        "id": str(event.uuid),
        "meta": {"lastUpdated": instant(event.time), **_profile(event, word, kind)},
        "type": kind.type.as_fhir(),
        "subtype": [each.as_fhir() for each in (*kind.subtypes, *_group(event))],
        "action": kind.action,
        "recorded": instant(event.time),
        "outcome": codes.outcome_of(event.outcome),
        "outcomeDesc": _description(event),
        "purposeOfEvent": _purpose(event),
        "agent": _agents(event, word),
        "source": {"observer": _server(), "type": [_SERVER]},
        "entity": _entities(event, word),
    }
    return {name: value for name, value in said.items() if value}


def _group(event: AccessEvent) -> list[codes.Coding]:
    """The group of a command: backup, restore, keys."""
    return [codes.Coding(codes.OWN, event.route.partition(" ")[0])] if event.action == "command" and event.route else []


def _description(event: AccessEvent) -> str:
    outcome = "" if event.outcome == "success" else event.outcome
    return ": ".join(filter(None, [outcome, event.detail]))


def _profile(event: AccessEvent, word: str, kind: codes.Kind) -> JSON:
    """The BALP profile, claimed for a success over the network that has what the profile asks for."""
    names = {"read": "Read", "create": "Create", "update": "Update", "search": "Query"}
    if word not in names or kind.type != codes.RESTFUL or event.outcome != "success" or not event.address:
        return {}
    if word == "search" and not event.query:
        return {}
    if word != "search" and len(event.resources) != 1:
        return {}
    about = "Patient" if event.patient else ""
    return {"profile": [f"{PROFILE}{about}{names[word]}"]}


# --- Who ----------------------------------------------------------------------------------------------------------

_SERVER = {"system": "http://terminology.hl7.org/CodeSystem/security-source-type", "code": "4"}
_ADDRESS, _URI = "2", "5"  # network-type: IP address, URI


def _agents(event: AccessEvent, word: str) -> list[JSON]:
    """The person, where there is one; the client, by its network address; this server."""
    ends = [_DESTINATION_ROLE, _SOURCE_ROLE] if word in _RECEIVING else [_SOURCE_ROLE, _DESTINATION_ROLE]
    client, server = ({"coding": [end.as_fhir()]} for end in ends)
    here = {"type": server, "who": _server(), "requestor": False}
    here["network"] = {"address": settings.PUBLIC_URL, "type": _URI}
    machine = {"type": client, **_network(event)}
    if event.actor_kind == "user":
        by_browser = {**machine, "who": {"display": "web browser"}, "requestor": False}
        return [_person(event, word), by_browser, here]
    return [{**machine, **_asker(event), "requestor": True}, here]


def _person(event: AccessEvent, word: str) -> JSON:
    role = "IRCP" if word in (*_RECEIVING, "search") else "AUT"
    return {"type": {"coding": [{"system": _PARTICIPATION, "code": role}]}, **_asker(event), "requestor": True}


def _asker(event: AccessEvent) -> JSON:
    identifier = {"system": f"urn:healthrecords:{event.actor_kind}", "value": event.actor_id}
    who = {"display": event.actor, **({"identifier": identifier} if event.actor_id else {})}
    said = {"who": who, "name": event.actor, "role": [{"text": role} for role in event.roles]}
    said["purposeOfUse"] = _purpose(event)
    return {name: value for name, value in said.items() if value}


def _purpose(event: AccessEvent) -> list[JSON]:
    return [{"coding": [{"system": _REASON, "code": event.purpose}]}] if event.purpose else []


def _network(event: AccessEvent) -> JSON:
    return {"network": {"address": event.address, "type": _ADDRESS}} if event.address else {}


def _server() -> JSON:
    identifier = {"system": "urn:ietf:rfc:3986", "value": settings.PUBLIC_URL}
    return {"identifier": identifier, "display": settings.ORGANIZATION_NAME}


# --- What ---------------------------------------------------------------------------------------------------------


def _entities(event: AccessEvent, word: str) -> list[JSON]:
    versions = [*event.versions, *[0] * len(event.resources)]
    shown = [_data(name, version, word) for name, version in zip(event.resources, versions, strict=False)]
    patient = [_patient(event.patient)] if event.patient else []
    request = [{"what": {"identifier": {"value": event.request}}, "type": _REQUEST}] if event.request else []
    return [*patient, *shown, *_query(event), *request]


def _patient(logical_id: str) -> JSON:
    type_, role = {"system": _ENTITY, "code": "1"}, {"system": _ROLE, "code": "1"}
    return {"what": {"reference": f"Patient/{logical_id}"}, "type": type_, "role": role}


def _data(name: str, version: int, word: str) -> JSON:
    """A resource. In a query the type is the resource's own: BALP keeps "system object" for the query itself."""
    kind = name.partition("/")[0]
    served = kind in registry() or kind in ALSO_SERVED
    versioned = f"/_history/{version}" if version and served else ""
    what = {"reference": f"{name}{versioned}"} if served else {"identifier": {"value": name}}
    of_its_own = {"system": "http://hl7.org/fhir/resource-types", "code": kind}
    type_ = of_its_own if served and word == "search" else {"system": _ENTITY, "code": "2"}
    return {"what": what, "type": type_, "role": {"system": _ROLE, "code": "4"}}


def _query(event: AccessEvent) -> list[JSON]:
    if not event.query:
        return []
    sent = base64.b64encode(str(event.query).encode()).decode()
    return [{"type": {"system": _ENTITY, "code": "2"}, "role": {"system": _ROLE, "code": "24"}, "query": sent}]
