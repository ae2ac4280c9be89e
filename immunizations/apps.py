"""The immunizations app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ImmunizationsConfig(AppConfig):
    name = "immunizations"
    verbose_name = "Immunizations"

    def ready(self) -> None:
        from healthrecords.fhir.validation import vocabulary
        from immunizations.codes import loading, lookup

        vocabulary.register(vocabulary.CVX, lookup.may_exist)
        post_migrate.connect(loading.after_migrate, sender=self)
