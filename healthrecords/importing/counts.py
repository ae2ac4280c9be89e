"""How many records and kept resources there are."""

from django.db.models import Count

from healthrecords.fhir.resource import registry

from .models import KeptResource


def live() -> dict[str, int]:
    """Live records by type, of every type that is served."""
    return {name: resource.model.objects.live().count() for name, resource in registry().items()}


def kept() -> dict[str, int]:
    """Resources that are kept aside, by type."""
    rows = KeptResource.objects.values_list("resource_type").annotate(number=Count("pk")).order_by("resource_type")
    return dict(rows)
