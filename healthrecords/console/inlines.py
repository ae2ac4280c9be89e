"""Repeated parts of a record in its form, as cards."""

from typing import Any

from django.forms import Media
from django.http import HttpRequest
from unfold.admin import StackedInline

from healthrecords.console import part_forms as f
from healthrecords.console.record_admin import choose_visible, unwrapped


class PartInline(StackedInline):
    """Open to whoever may write the record: the parts have no rules of their own."""

    extra = 0
    leads = False  # whether it stands before the record's own fields

    @property
    def media(self) -> Media:
        """Nothing: the console adds and removes cards by a script of its own."""
        return Media()

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    has_add_permission = has_change_permission = has_delete_permission = has_view_permission

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        choose_visible(self.admin_site, db_field, request, kwargs)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return unwrapped(super().formfield_for_dbfield(db_field, request, **kwargs))


class Names(PartInline):
    form = f.NameForm
    leads = True
    verbose_name, verbose_name_plural = "name", "Names"
    fieldsets = [
        (None, {"fields": [("given", "family", "use")]}),
        ("Title, suffix, dates", {"fields": [("prefix", "suffix"), ("period_start", "period_end"), "text"]}),
    ]


class Identifiers(PartInline):
    form = f.IdentifierForm
    verbose_name, verbose_name_plural = "identifier", "Identifiers"
    fieldsets = [
        (None, {"fields": [("type_code", "number")]}),
        ("Issuer, use, dates", {"fields": [("system", "use"), ("period_start", "period_end")]}),
    ]


class Telecoms(PartInline):
    form = f.TelecomForm
    verbose_name, verbose_name_plural = "phone or e-mail", "Phone and e-mail"
    fieldsets = [(None, {"fields": [("system", "value", "use", "rank")]})]


class Addresses(PartInline):
    form = f.AddressForm
    verbose_name, verbose_name_plural = "address", "Addresses"
    fieldsets = [
        (None, {"fields": ["line", ("city", "state", "postal_code")]}),
        ("County, country, use, dates", {"fields": [("district", "country", "use"), ("period_start", "period_end")]}),
    ]
