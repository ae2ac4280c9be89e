"""The CapabilityStatement (R4 §3.1.0.13), generated from the declarations that the server runs on."""

from functools import cache
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from healthrecords import __version__

from .answer import base_url
from .renderers import MEDIA_TYPE
from .resource import Resource, registry
from .search.params import ReferenceParam

_PUBLISHED = "2026-11-25"
_INTERACTIONS = ("read", "vread", "update", "delete", "history-instance", "history-type", "create", "search-type")


@cache
def statement() -> dict[str, Any]:
    """What this server can do."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": _PUBLISHED,
        "kind": "instance",
        "software": {"name": "HealthRecords", "version": __version__},
        "implementation": {"description": settings.ORGANIZATION_NAME, "url": base_url()},
        "fhirVersion": "4.0.1",
        "format": [MEDIA_TYPE, "json"],
        "rest": [{"mode": "server", "security": _security(), "resource": [*_records(), *_others()]}],
    }


def types() -> frozenset[str]:
    """The names of all types that this server has."""
    return frozenset(each["type"] for each in (*_records(), *_others()))


_VALIDATE = "http://hl7.org/fhir/OperationDefinition/Resource-validate"
_SMART = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
_SERVICE = "http://terminology.hl7.org/CodeSystem/restful-security-service"


def _security() -> dict[str, Any]:
    """How clients sign in (SMART App Launch 1, "Declaring support for OAuth 2.0 endpoints"; R4 §6.1.0.1)."""
    endpoints = ("authorize", "token", "introspect", "revoke")
    said = [{"url": name, "valueUri": f"{settings.PUBLIC_URL}/oauth/{name}"} for name in endpoints]
    return {
        "extension": [{"url": _SMART, "extension": said}],
        "service": [{"coding": [{"system": _SERVICE, "code": "SMART-on-FHIR"}]}],
        "description": "Bearer tokens (Authorization: Bearer …); every access leaves a row in the trail.",
    }


def _records() -> list[dict[str, Any]]:
    return [_described(resource) for resource in registry().values()]


def _others() -> list[dict[str, Any]]:
    """What the types of the setting FHIR_URLS say of themselves."""
    return [each for module in settings.FHIR_URLS for each in import_string(f"{module}.CAPABILITIES")]


def _described(resource: Resource) -> dict[str, Any]:
    return {
        "type": resource.name,
        "interaction": [{"code": code} for code in _INTERACTIONS],
        "versioning": "versioned-update",
        "readHistory": True,
        "updateCreate": True,
        "conditionalCreate": True,
        "conditionalRead": "full-support",
        "conditionalUpdate": False,
        "conditionalDelete": "not-supported",
        "operation": [{"name": "validate", "definition": _VALIDATE}],
        "searchParam": [
            {"name": each.name, "type": each.type}
            for each in sorted(resource.params.values(), key=lambda param: param.name)
        ],
        "searchInclude": [f"{resource.name}:{each.name}" for each in _references(resource)],
        "searchRevInclude": [
            f"{other.name}:{each.name}"
            for other in registry().values()
            for each in _references(other)
            if resource.name in each.kinds
        ],
    }


def _references(resource: Resource) -> list[ReferenceParam]:
    return [each for each in resource.params.values() if isinstance(each, ReferenceParam)]
