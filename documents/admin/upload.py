"""Filing documents of a patient: each file goes up by itself and streams to the store; then one form files them all."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.utils import timezone

from documents import contents
from documents.admin import giving, labels, page, words
from documents.admin.upload_forms import lines_of
from documents.ccda import filling, header
from documents.models import Content, Status
from documents.receiving import body_of
from healthrecords.access.request import actor_of_user
from healthrecords.console.minutes import asked_of, minutes_of, recorded
from healthrecords.console.record_admin import RecordAdmin
from healthrecords.fhir import store
from healthrecords.fhir.acceptance import refuse_invalid
from healthrecords.fhir.outcome import FHIRError
from healthrecords.fhir.primitives import CODE
from healthrecords.fhir.store import instant
from patients.admin.page import birth
from patients.models import Patient

JSON = dict[str, Any]


class UploadScreens(RecordAdmin):
    """The page on which files are dropped, and where their bytes go."""

    def upload_screens(self) -> dict[str, tuple[str, Any]]:
        """Its address and view."""
        return {"upload": ("upload/<str:object_id>/", self.upload_view)}

    def get_urls(self) -> list[URLPattern]:
        """The bytes of a file have an address of their own: they stream before the transaction begins."""
        info = f"{self.opts.app_label}_{self.opts.model_name}"
        received = self.admin_site.streaming_view(self.receive_view)
        return [path("receive/<str:object_id>/", received, name=f"{info}_receive"), *super().get_urls()]

    def may_file(self, request: HttpRequest) -> bool:
        """Whether the person may file new documents."""
        return self.permits(request, "create") and giving.may_open(request, "create")

    def require_content(self, request: HttpRequest, interaction: str) -> None:
        """Raise PermissionDenied unless the person's roles open content for this interaction."""
        if not giving.may_open(request, interaction):
            minutes_of(request).asked = asked_of(request, interaction, "Binary")
            raise PermissionDenied

    # --- the page

    def upload_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Choose files, say what they are, file them."""
        people, patient = self._patient(request, object_id)
        older = self._replaced(request, patient)
        lines = lines_of(request.POST if request.method == "POST" else None, most=1 if older else 50)
        if request.method == "POST" and lines.is_valid() and self._filed(request, patient, lines, older):
            return HttpResponseRedirect(people.address("page", patient.pk))
        people.note(request, "read", [patient])
        context = {
            "title": "Replace a document" if older else "Add documents",
            "older": words.title_of(older) if older else "",
            "subtitle": f"{patient}, born {birth(patient)}",
            "lines": lines,
            "patient_address": people.address("page", patient.pk),
            "receive_address": self.address("receive", patient.pk),
        }
        return self.page(request, "documents/upload.html", patient, context)

    def _patient(self, request: HttpRequest, key: str) -> tuple[Any, Patient]:
        people: Any = admin.site.get_model_admin(Patient)
        try:
            self.require(request, "create")
            self.require_content(request, "create")
        finally:
            minutes_of(request).target = people.target(key)
        found: Any = people._found(people.visible(request, "read"), key)
        return people, found

    def _replaced(self, request: HttpRequest, patient: Patient) -> Any:
        """The document of this patient that the new one is to replace, if the address names one; raise Http404."""
        key = request.GET.get("replaces", "")
        if not key:
            return None
        self.require(request, "update", key)
        rows = self.visible(request, "update").filter(patient_id=patient.logical_id, status=Status.CURRENT)
        found = self._found(rows.select_for_update(of=("self",)) if request.method == "POST" else rows, key)
        if request.method == "GET":
            self.note(request, "read", [found])
        return found

    def _filed(self, request: HttpRequest, patient: Patient, lines: Any, older: Any) -> bool:
        """File all lines; False where one cannot be, which its form then tells."""
        asked = self.asked(request, "create")
        changes = []
        for form in lines.forms:
            try:
                changes.append(self._change(patient, form.cleaned_data, asked.actor, older))
            except FHIRError as fault:
                form.add_error(None, fault.text)
        if any(form.errors for form in lines.forms):
            return False
        store.write(self.resource, changes, asked.actor)
        self.note(request, "create", [change.record for change in changes])
        if older:
            older.status = Status.SUPERSEDED
            store.write_stored(self.resource, older, asked.actor)
            self.note(request, "update", [older])
        count = len(changes)
        messages.success(request, "The document was filed." if count == 1 else f"{count} documents were filed.")
        return True

    def _change(self, patient: Patient, said: JSON, actor: Any, older: Any) -> store.Change:
        content = Content.objects.filter(pk=said["content"]).first()
        if content is None or not content.is_by(actor) or content.uses.exists():
            raise FHIRError.of(422, "value", "This file was filed already, or did not arrive; choose it again.")
        body = _body(patient, said, content)
        if older:
            target = {"reference": f"DocumentReference/{older.logical_id}", "display": words.title_of(older)}
            body["relatesTo"] = [{"code": "replaces", "target": target}]
        refuse_invalid(self.resource, body)
        return store.Change(store.draft_of(self.resource, body, author=actor))

    # --- the bytes of one file

    def receive_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Take one file; answer what it is, and what its own header says of it."""
        if request.method != "POST" or not self.may_file(request):
            return recorded(self._refused)(request, object_id)
        try:
            with contents.kept(_pieces(request), _claimed(request), actor_of_user(request.user)) as content:
                return recorded(self._received)(request, object_id, content)
        except FHIRError as fault:
            return JsonResponse({"fault": fault.text}, status=fault.status)

    def _refused(self, request: HttpRequest, object_id: str) -> HttpResponse:
        self._patient(request, object_id)
        return HttpResponse(status=405)

    def _received(self, request: HttpRequest, object_id: str, content: Content) -> HttpResponse:
        _, patient = self._patient(request, object_id)
        content.save(force_insert=True)
        giving.note(asked_of(request, "create", "Binary"), request, content, [])
        return JsonResponse(_told(content, patient))


def _told(content: Content, patient: Patient) -> JSON:
    """What the page fills into the line of a file."""
    root = filling.header_in(content)
    kind = "C-CDA" if root is not None else labels.KIND.get(content.true_type, content.true_type)
    told = {"content": str(content.pk), "about": f"{kind}, {words.size_in_words(content.size)}"}
    if root is None:
        return told
    said, subject = header.elements_of(root), header.subject_of(root)
    codings: Any = said.get("type", {}).get("coding", [{}])
    warning = f"It names another patient: {page.differing(subject)}." if subject.clearly_differs(patient) else ""
    return {
        **told, "type": codings[0].get("code", ""), "type_words": codings[0].get("display", ""),
        "title": said.get("description", ""), "date": header.attachment_of(root).get("creation", "")[:10],
        "warning": warning,
    }  # fmt: skip


def _body(patient: Patient, said: JSON, content: Content) -> JSON:
    """The DocumentReference of a line: what was said, what the content's header adds, and now as the time of filing."""
    made = {"contentType": content.true_type, "url": f"Binary/{content.pk}", "title": said["title"]}
    body: JSON = {
        "resourceType": "DocumentReference",
        "status": "current",
        "docStatus": "final",
        "subject": {"reference": f"Patient/{patient.logical_id}"},
        "description": said["title"],
        "content": [{"attachment": {**made, "creation": said["date"]}}],
    }
    root = filling.header_in(content)
    found: JSON = filling.filled(body, root, 0) if root is not None else {}
    known = found.get("type", {}).get("coding", [{}])[0].get("code")
    if said["type"] and said["type"] != known:
        coding = {"system": "http://loinc.org", "code": said["type"]}
        body["type"] = {"coding": [coding], "text": labels.TYPE.get(said["type"], said["type"])}
    return body if found.get("date") else {**body, "date": instant(timezone.now())}


def _claimed(request: HttpRequest) -> str:
    """The type that the browser names for a file, which nothing here believes."""
    said = request.headers.get("X-File-Type", "")
    return said if CODE.fullmatch(said) and len(said) <= 200 else "application/octet-stream"


def _pieces(request: HttpRequest) -> Iterator[bytes]:
    """The body as it comes; raise FHIRError where it is empty, too long or ends early."""
    length = int(request.META.get("CONTENT_LENGTH") or 0)
    contents.refuse_too_large(length)
    if not length:
        raise FHIRError.of(400, "required", "This file is empty.")
    yield from body_of(request, length)
