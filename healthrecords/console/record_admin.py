"""The admin's seam for records: the policy decides each screen and each row, the minutes keep what was shown."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.db import transaction
from django.db.models import ForeignKey
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse

from healthrecords import fieldlog, trail
from healthrecords.access import policy
from healthrecords.access.request import Disclosure
from healthrecords.console import changes
from healthrecords.console.forms import rebase
from healthrecords.console.minutes import minutes_of
from healthrecords.console.policy_admin import GONE, PolicyAdmin
from healthrecords.fhir import store
from healthrecords.fhir.acceptance import refuse_invalid
from healthrecords.fhir.outcome import FHIRError
from healthrecords.fhir.resource import Resource, resource_of
from healthrecords.jsontext import parse_json
from healthrecords.records import Record

READS = frozenset({"read", "history", "search"})
Rows = list[tuple[str, int, list[str]]]


class RecordAdmin(PolicyAdmin):
    """Screens of one record type: list, page, form, deletion, history. Only live records show."""

    change_form_template = "console/form.html"

    @property
    def resource(self) -> Resource:
        """The declaration of the records behind these screens."""
        return resource_of(self.model)

    @property
    def subject(self) -> str:  # type: ignore[override]
        return self.resource.name

    def require(self, request: HttpRequest, interaction: str, key: str = "") -> None:
        super().require(request, interaction, key)
        minutes_of(request).discloses = not self.resource.directory

    # --- which rows

    def visible(self, request: HttpRequest, interaction: str) -> Any:
        """The live records that the person may see for this interaction."""
        return policy.visible(self.model._default_manager.live(), self.asked(request, interaction))

    def get_queryset(self, request: HttpRequest) -> Any:
        """What lists and pick lists choose from."""
        return self.visible(request, "search").order_by(*self.get_ordering(request) or self.opts.ordering)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Record:
        """The record that a form is about; locked while it is saved. Raise Http404 when there is none to see."""
        rows = self.visible(request, "update")
        return self._found(rows.select_for_update(of=("self",)) if request.method == "POST" else rows, object_id)

    def _found(self, rows: Any, key: str) -> Record:
        record = rows.filter(pk=key).first() if _is_key(key) else None
        if record is None:
            if _is_key(key):
                policy.note_withheld(self.model, pk=key)
            raise Http404(GONE)
        return record

    def target(self, key: str) -> tuple[str, str | None] | None:
        """The record that an address names, for the trail, whether or not it may be seen."""
        if not _is_key(key):
            return None
        row = self.model._default_manager.filter(pk=key).first()
        name = row.logical_id if row else key
        patients = row.patient_ids() if row else []
        return f"{self.resource.name}/{name}", patients[0] if patients else None

    # --- what is written down

    def note(self, request: HttpRequest, interaction: str, records: Iterable[Record], query: str = "") -> None:
        """Note that `records` are shown or changed; reads of the directory disclose nobody and are not kept."""
        if self.resource.directory and interaction in READS:
            return
        rows = [(record.logical_id, record.version, record.patient_ids()) for record in records]
        self._note(request, interaction, rows, query)

    def _note(self, request: HttpRequest, interaction: str, rows: Rows, query: str = "") -> None:
        shown = [Disclosure(self.resource.name, rows)] if rows else []
        minutes_of(request).note(self.asked(request, interaction), trail.disclosed(interaction, shown, query=query))

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Nothing: versions and the trail tell it, and Django's own log would keep names."""

    log_change = log_addition

    def listed(self, request: HttpRequest, rows: list[Any], query: str) -> None:
        self.note(request, "search", rows, query)

    # --- screens

    def screens(self) -> dict[str, tuple[str, Any]]:
        """List and form and, for each record, its page, form, deletion and history."""
        shared = super().screens()
        return {
            "changelist": shared["changelist"],
            "add": ("add/", self.add_view),
            "page": shared["page"],
            "change": ("<str:object_id>/change/", self.change_view),
            "delete": ("<str:object_id>/delete/", self.delete_view),
            "history": ("<str:object_id>/history/", self.history_view),
        }

    def page_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """The page of a record, to read."""
        self.require(request, "read", object_id)
        record = self._found(self.visible(request, "read"), object_id)
        self.note(request, "read", [record])
        return self.page(request, self.page_template, record, self.page_context(request, record))

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Who changed what, when, in words."""
        self.require(request, "history", object_id)
        record = self._found(self.visible(request, "history"), object_id)
        versions = changes.versions_of(self.asked(request, "history"), record)
        if not self.resource.directory:
            rows = [(version.logical_id, version.version, version.patients) for version in versions]
            self._note(request, "history", rows)
        sent = fieldlog.by_version(record)
        context = {
            "steps": [(step, sent.get(step.version)) for step in changes.history_of(versions)],
            "has_older": versions[-1].version > 1,
            "title": "History of changes",
            "subtitle": str(record),
        }
        return self.page(request, "console/history.html", record, context)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask, then mark the record as deleted; its versions stay."""
        self.require(request, "delete", object_id)
        rows = self.visible(request, "delete").select_for_update(of=("self",))
        record = self._found(rows, object_id)
        fresh = request.POST.get("expected") == str(record.version)
        if request.method == "POST" and fresh:
            return self._deleted(request, record)
        self.note(request, "read", [record])
        context = {"title": f"Delete {self.opts.verbose_name}", "stale": request.method == "POST"}
        return self.page(request, "console/delete.html", record, context)

    def _deleted(self, request: HttpRequest, record: Record) -> HttpResponse:
        asked = self.asked(request, "delete")
        store.remove(self.resource, record, asked.actor)
        self.note(request, "delete", [record])
        messages.success(request, f"The {self.opts.verbose_name} was deleted. Its earlier versions are kept.")
        return HttpResponseRedirect(self.address("changelist"))

    def page(self, request: HttpRequest, template: str, row: Any, context: dict[str, Any]) -> TemplateResponse:
        ways = {"change": "update", "delete": "delete", "history": "history"}
        links = {
            f"{screen}_address": self.address(screen, row.pk)
            for screen, interaction in ways.items()
            if self.permits(request, interaction)
        }
        return super().page(request, template, row, {**links, **context})

    # --- forms

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Without Django's links to forms in pop-up windows."""
        made = super().formfield_for_dbfield(db_field, request, **kwargs)
        return unwrapped(made)

    def get_formset_kwargs(self, request: HttpRequest, obj: Any, inline: Any, prefix: str) -> dict[str, Any]:
        """The parts as sent; those of a page that is no longer current are pointed at the rows of today."""
        options = super().get_formset_kwargs(request, obj, inline, prefix)
        if "data" in options and obj.pk and request.POST.get("expected") != str(obj.version):
            rebase(options["data"], prefix, [str(row.pk) for row in getattr(obj, prefix).all()])
        return options

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Save the parts; new ones come last, in the order in which they were entered."""
        known = len(formset.initial_forms)
        for place, part in enumerate(formset.extra_forms):
            part.instance.position = known + place
        formset.save()

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        self.require(request, "create")
        return super().add_view(request, form_url, extra_context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        self.require(request, "update", object_id)
        return super().change_view(request, object_id, form_url, extra_context)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """Show or save the form; what the API would refuse is taken back, and said in the form."""
        try:
            with transaction.atomic():
                return super().changeform_view(request, object_id, form_url, extra_context)
        except FHIRError as fault:
            request.__dict__["refused"] = [f"{issue.text} ({issue.path})" for issue in fault.issues]
            return super().changeform_view(request, object_id, form_url, extra_context)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        form.asked, form.refused = self.asked(request, "history"), request.__dict__.get("refused", [])
        return form

    def formfield_for_foreignkey(self, db_field: "ForeignKey[Any, Any]", request: HttpRequest, **kwargs: Any) -> Any:
        choose_visible(self.admin_site, db_field, request, kwargs)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        """The form shows the record, so it is noted as read."""
        record = kwargs.get("obj")
        minutes_of(request).discloses = record is not None and not self.resource.directory
        if record is not None:
            self.note(request, "read", [record])
            context["cancel_address"] = self.address("page", record.pk)
        else:
            context["cancel_address"] = self.address("changelist")
        return super().render_change_form(request, context, **kwargs)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save the parts, then make the next version, which must be valid; a form without a change makes none."""
        super().save_related(request, form, formsets, change)
        if change and not form.has_changed() and not any(each.has_changed() for each in formsets):
            return
        asked = self.asked(request, "update" if change else "create")
        version = store.write_stored(self.resource, form.instance, asked.actor)
        refuse_invalid(self.resource, parse_json(str(version.content).encode()))
        self.note(request, asked.interaction, [form.instance])

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """To the new record's page. The message names nobody: it travels apart from the trail's rows."""
        messages.success(request, f"The {self.opts.verbose_name} was added.")
        return HttpResponseRedirect(self.address("page", obj.pk))

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        messages.success(request, "Your changes were saved.")
        return HttpResponseRedirect(self.address("page", obj.pk))


def unwrapped(made: Any) -> Any:
    """A form field whose widget has no links to forms in pop-up windows around it."""
    if made is not None and isinstance(made.widget, RelatedFieldWidgetWrapper):
        made.widget = made.widget.widget
    return made


def choose_visible(site: Any, db_field: Any, request: HttpRequest, options: dict[str, Any]) -> None:
    """Let a pick list offer and accept only what the person may see."""
    target = site._registry.get(db_field.remote_field.model)
    if isinstance(target, RecordAdmin):
        options.setdefault("queryset", target.get_queryset(request))


def _is_key(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
