"""Whose content it is: seen by whoever sees every document that points to it; before there is one, by its sender."""

from typing import Any
from uuid import UUID

from documents.models import Content, DocumentReference
from healthrecords.access import policy
from healthrecords.access.request import AccessRequest
from healthrecords.fhir.outcome import not_found


def visible_content(asked: AccessRequest, logical_id: str) -> tuple[Content, list[str]]:
    """The content under a logical id, and the patients that it is about; raise FHIRError 404 for what is not seen."""
    content = _find(logical_id)
    if content is None:
        raise not_found("Binary")
    documents = list(content.uses.values_list("document", flat=True))
    if not documents:
        if not content.is_by(asked.actor):
            raise not_found("Binary")
        return content, []
    patients = _patients(asked, documents)
    if not patients:
        raise not_found("Binary")
    return content, patients


def _patients(asked: AccessRequest, documents: list[str]) -> list[str]:
    """The patients of those documents, if the asker may see each: a new document does not open what another hides."""
    live: Any = DocumentReference.objects.live().filter(logical_id__in=documents)
    seen = policy.visible(live, asked.to("read", "DocumentReference")).values_list("patient_id", flat=True)
    return sorted(set(seen)) if len(seen) == live.count() else []


def _find(logical_id: str) -> Content | None:
    try:
        key = UUID(logical_id)
    except ValueError:
        return None
    return Content.objects.filter(pk=key).first() if str(key) == logical_id else None
