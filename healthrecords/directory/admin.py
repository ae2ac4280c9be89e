"""The screens of the directory: organizations, practitioners, locations."""

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from unfold.decorators import display

from healthrecords.console import lines
from healthrecords.console.filters import ChoiceFilter
from healthrecords.console.forms import RecordForm, YesNoField, coded, date_field, text_field
from healthrecords.console.inlines import Addresses, Identifiers, Names, Telecoms
from healthrecords.console.labels import GENDER, LOCATION_STATUS
from healthrecords.console.lines import Flag, Line, Section
from healthrecords.console.record_admin import RecordAdmin
from healthrecords.directory import models as m
from healthrecords.text import fold


class ActiveFilter(ChoiceFilter):
    title, parameter_name = "in use", "active"
    choices_offered = {"yes": "In use", "no": "Not in use"}
    conditions = {"yes": {"active": True}, "no": {"active": False}}


class StatusFilter(ChoiceFilter):
    title, parameter_name, column = "status", "status", "status"
    choices_offered = LOCATION_STATUS


class DirectoryAdmin(RecordAdmin):
    """What the three have in common: found by words of the name or by a whole identifier."""

    search_fields = ["name_key"]
    search_help_text = "Name or identifier"
    list_display = ["title", "number", "phone", "city"]
    sortable_by = ["title"]
    ordering = ["name_key", "uuid"]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("identifiers", "telecoms", "addresses")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        for word in search_term.split()[:8]:
            numbered = self.model._meta.get_field("identifiers").related_model.objects.filter(value=word)
            key = fold(word)
            wanted = Q(pk__in=numbered.values("record"))
            queryset = queryset.filter(wanted | Q(name_key__contains=key) if key else wanted)
        return queryset, False

    @display(description="Name", ordering="name_key")
    def title(self, entry: Any) -> str:
        return str(entry)

    @display(description="Identifier")
    def number(self, entry: Any) -> str:
        return next((each.masked for each in entry.identifiers.all()), "")

    @display(description="Phone")
    def phone(self, entry: Any) -> str:
        return next((each.value for each in entry.telecoms.all() if each.system in ("phone", "")), "")

    @display(description="City")
    def city(self, entry: Any) -> str:
        return next((each.city for each in entry.addresses.all()), "")

    def row_flags(self, record: Any) -> list[Flag]:
        return [Flag("Not in use")] if record.active is False else []

    def page_context(self, request: HttpRequest, record: Any) -> dict[str, Any]:
        sections = lines.filled([("About", self.about(record)), *_reached(record)])
        return {"sections": sections, "has_more": lines.has_more(record)}

    def about(self, entry: Any) -> list[Line]:
        """What the entry says of itself."""
        return [Line("In use", {True: "Yes", False: "No"}.get(entry.active, ""))]


def _reached(entry: Any) -> list[Section]:
    return [
        ("Identifiers", [lines.identifier(each) for each in entry.identifiers.all()]),
        ("Phone and e-mail", [lines.telecom(each) for each in entry.telecoms.all()]),
        ("Addresses", [lines.address(each) for each in entry.addresses.all()]),
    ]


def _part_of(model: Any, label: str, logical_id: str | None) -> Line:
    other = model.objects.live().filter(logical_id=logical_id).first()
    return Line(label, str(other or ""))


class OrganizationIdentifiers(Identifiers):
    model = m.OrganizationIdentifier


class OrganizationTelecoms(Telecoms):
    model = m.OrganizationTelecom


class OrganizationAddresses(Addresses):
    model = m.OrganizationAddress


class OrganizationForm(RecordForm):
    name = text_field("Name")
    active = YesNoField(label="In use", required=False)


@admin.register(m.Organization)
class OrganizationAdmin(DirectoryAdmin):
    form = OrganizationForm
    inlines = [OrganizationIdentifiers, OrganizationTelecoms, OrganizationAddresses]
    list_filter = [ActiveFilter]
    autocomplete_fields = ["part_of"]
    fieldsets = [("Organization", {"fields": ["name", ("active", "part_of")]})]

    def about(self, entry: m.Organization) -> list[Line]:
        return [*super().about(entry), _part_of(m.Organization, "Part of", entry.part_of_id)]


class PractitionerNames(Names):
    model = m.PractitionerName


class PractitionerIdentifiers(Identifiers):
    model = m.PractitionerIdentifier


class PractitionerTelecoms(Telecoms):
    model = m.PractitionerTelecom


class PractitionerAddresses(Addresses):
    model = m.PractitionerAddress


class PractitionerForm(RecordForm):
    gender = coded("Sex", GENDER)
    birth_date = date_field("Birth date")
    active = YesNoField(label="In use", required=False)


@admin.register(m.Practitioner)
class PractitionerAdmin(DirectoryAdmin):
    form = PractitionerForm
    inlines = [PractitionerNames, PractitionerIdentifiers, PractitionerTelecoms, PractitionerAddresses]
    list_filter = [ActiveFilter]
    fieldsets = [("Practitioner", {"fields": [("gender", "birth_date", "active")]})]

    def about(self, entry: m.Practitioner) -> list[Line]:
        names = [lines.name(each) for each in entry.names.all()]
        return [*names, Line("Sex", GENDER.get(entry.gender, "")), *super().about(entry)]


class LocationIdentifiers(Identifiers):
    model = m.LocationIdentifier


class LocationTelecoms(Telecoms):
    model = m.LocationTelecom


class LocationAddresses(Addresses):
    model = m.LocationAddress
    max_num = 1


class LocationForm(RecordForm):
    name = text_field("Name")
    description = text_field("Description")
    status = coded("Status", LOCATION_STATUS)


@admin.register(m.Location)
class LocationAdmin(DirectoryAdmin):
    form = LocationForm
    inlines = [LocationIdentifiers, LocationTelecoms, LocationAddresses]
    list_filter = [StatusFilter]
    autocomplete_fields = ["managing_organization", "part_of"]
    fieldsets = [
        ("Location", {"fields": [("name", "status"), "description", ("managing_organization", "part_of")]}),
    ]

    def row_flags(self, record: m.Location) -> list[Flag]:
        words = LOCATION_STATUS.get(record.status, "")
        return [Flag(words)] if record.status in ("suspended", "inactive") else []

    def about(self, entry: m.Location) -> list[Line]:
        return [
            Line("Status", LOCATION_STATUS.get(entry.status, "")),
            Line("Description", entry.description),
            _part_of(m.Organization, "Managing organization", entry.managing_organization_id),
            _part_of(m.Location, "Part of", entry.part_of_id),
        ]
