"""The documents on a patient's page."""

from typing import Any

from django.contrib import admin
from django.db.models import F
from django.http import HttpRequest

from documents.admin import words
from documents.models import DocumentReference
from patients.admin.panels import Panel, on_patient_page
from patients.models import Patient

MOST = 100  # documents on one page; the list has them all


@on_patient_page
def documents(request: HttpRequest, patient: Patient) -> Panel | None:
    """The newest documents of a patient, each of them noted as read."""
    screen: Any = admin.site.get_model_admin(DocumentReference)
    if not screen.permits(request, "read"):
        return None
    rows = screen.visible(request, "read").filter(patient_id=patient.logical_id).prefetch_related("contents")
    found = list(rows.order_by(F("date_from").desc(nulls_last=True), "-uuid")[: MOST + 1])
    shown = found[:MOST]
    if shown:
        screen.note(request, "read", shown)
    may_file = screen.may_file(request)
    return Panel(
        "documents/section.html",
        {
            "rows": [_row(screen, each) for each in words.filed(shown)],
            "has_more": len(found) > MOST,
            "upload_address": screen.address("upload", patient.pk) if may_file else "",
        },
        ("documents/documents.css",),
    )


def _row(screen: Any, filed: words.Filed) -> dict[str, Any]:
    document = filed.document
    kind, title = words.kind_of(document), words.title_of(document)
    return {
        "address": screen.address("page", document.pk),
        "title": title,
        "kind": kind if kind != title else "",
        "date": words.dated(document),
        "author": words.author_of(document),
        "size": filed.size,
        "flags": filed.flags,
    }
