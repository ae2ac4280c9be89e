"""The list of documents, the page of one with its preview, and its content as a file."""

from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from unfold.decorators import display

from documents.admin import giving, labels, page, words
from documents.admin.keeping import KeepingScreens
from documents.admin.preview import preview_of
from documents.admin.upload import UploadScreens
from documents.models import DocumentReference, Status
from healthrecords.console.filters import ChoiceFilter, TextFilter
from healthrecords.console.forms import RecordForm, coded, text_field
from healthrecords.console.lines import Flag
from healthrecords.fhir.primitives import span
from patients.admin import search as patient_search
from patients.models import Patient


class PatientFilter(TextFilter):
    title, parameter_name, hint = "patient", "patient", "Name, number or birth date"

    def condition(self, request: HttpRequest, queryset: Any, text: str) -> Any:
        people: Any = admin.site.get_model_admin(Patient)
        found = patient_search.narrow(people.visible(request, "search"), text)
        return queryset.filter(patient_id__in=found.values("logical_id"))


class TypeFilter(ChoiceFilter):
    title, parameter_name, column = "type", "type", "type_code"
    choices_offered = labels.TYPE


class StatusFilter(ChoiceFilter):
    title, parameter_name, column = "status", "status", "status"
    choices_offered = labels.STATUS


class DateFilter(TextFilter):
    title, parameter_name, hint = "filed", "date", "2024, 2024-05 or 2024-05-17"

    def condition(self, request: HttpRequest, queryset: Any, text: str) -> Any:
        try:
            begin, end = span(text)
        except ValueError:
            return queryset.none()
        return queryset.filter(date_from__gte=begin, date_from__lt=end)


class DocumentForm(RecordForm):
    """What staff may put right: the words and the state; content never changes."""

    status = coded("Status", labels.STATUS)
    description = text_field("Title")

    def clean_status(self) -> str:
        return self.cleaned_data["status"] or self.instance.status or Status.CURRENT


@admin.register(DocumentReference)
class DocumentAdmin(UploadScreens, KeepingScreens):
    """Documents: found by patient, type, day and status; filed from the patient's page."""

    form = DocumentForm
    fieldsets = [("Document", {"fields": [("description", "status")]})]
    page_template = "documents/page.html"
    list_title = "Documents"
    list_display = ["name", "kind", "day", "person", "author", "status", "size"]
    list_filter = [PatientFilter, TypeFilter, DateFilter, StatusFilter]
    sortable_by = ["day"]

    def screens(self) -> dict[str, tuple[str, Any]]:
        """A document is filed from its patient's page, so that there is no form without a patient."""
        shared = {name: screen for name, screen in super().screens().items() if name != "add"}
        return {
            **self.upload_screens(),
            **self.keeping_screens(),
            **shared,
            "show": ("<str:object_id>/content/<str:key>/", self.show_view),
            "download": ("<str:object_id>/file/<str:key>/", self.download_view),
        }

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("contents")

    @display(description="Document")
    def name(self, document: DocumentReference) -> str:
        return words.title_of(document)

    @display(description="Type")
    def kind(self, document: DocumentReference) -> str:
        return words.kind_of(document)

    @display(description="Date", ordering="date_from")
    def day(self, document: DocumentReference) -> str:
        return words.dated(document)

    @display(description="Patient")
    def person(self, document: DocumentReference) -> str:
        return str(getattr(document, "shown_patient", None) or "Not open to you")

    @display(description="Author")
    def author(self, document: DocumentReference) -> str:
        return words.author_of(document)

    @display(description="Status")
    def status(self, document: DocumentReference) -> str:
        return words.status_of(document)

    @display(description="Size")
    def size(self, document: DocumentReference) -> str:
        return str(getattr(document, "shown_size", ""))

    def row_flags(self, record: DocumentReference) -> list[Flag]:
        return list(getattr(record, "shown_flags", []))

    def listed(self, request: HttpRequest, rows: list[Any], query: str) -> None:
        """Name the patients that may be seen, and note them with their documents."""
        super().listed(request, rows, query)
        screen: Any = admin.site.get_model_admin(Patient)
        people = screen.shown(request, {each.patient_id for each in rows})
        for each in words.filed(rows):
            shown: Any = each.document
            shown.shown_patient, shown.shown_size = people.get(shown.patient_id), each.size
            shown.shown_flags = each.flags

    def page_context(self, request: HttpRequest, record: DocumentReference) -> dict[str, Any]:
        people: Any = admin.site.get_model_admin(Patient)
        heading = people.heading(request, record.patient_id)
        patient = heading["patient"]
        [filed] = words.filed([record])
        is_open = giving.may_open(request)
        previews = [preview_of(giving.seen(request, str(each.pk))) for each in filed.contents] if is_open else []
        return {
            **page.facts(record, filed, patient, previews),
            **heading,
            "replace_address": self._replacing(request, record, patient),
            "may_keep": self.permits(request, "update"),
            "is_held": filed.is_held,
            "is_open": is_open,
        }

    def _replacing(self, request: HttpRequest, record: DocumentReference, patient: Patient | None) -> str:
        """Where a newer file takes the place of this document; nothing where the person may not."""
        may = self.may_file(request) and self.permits(request, "update") and record.status == Status.CURRENT
        return f"{self.address('upload', patient.pk)}?replaces={record.pk}" if may and patient else ""

    def show_view(self, request: HttpRequest, object_id: str, key: str) -> HttpResponseBase:
        """Content for a frame or a picture on the page of its document."""
        self._document_of(request, object_id, key)
        return giving.shown(giving.seen(request, key))

    def download_view(self, request: HttpRequest, object_id: str, key: str) -> HttpResponseBase:
        """Content as a file."""
        document = self._document_of(request, object_id, key)
        return giving.downloaded(giving.seen(request, key), words.title_of(document))

    def _document_of(self, request: HttpRequest, object_id: str, key: str) -> DocumentReference:
        """The document that points to this content; raise PermissionDenied or Http404."""
        self.require(request, "read", object_id)
        self.require_content(request, "read")
        document: Any = self._found(self.visible(request, "read"), object_id)
        if key not in {str(each) for each in words.keys_of(document)}:
            raise Http404("This document has no such content.")
        return document
