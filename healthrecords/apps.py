"""The kernel as a Django app."""

from django.apps import AppConfig


class HealthRecordsConfig(AppConfig):
    name = "healthrecords"
    verbose_name = "HealthRecords"

    def ready(self) -> None:
        from healthrecords import celery, checks, fieldlog  # noqa: F401
        from healthrecords.accounts import signing  # noqa: F401
        from healthrecords.oauth import authorizations  # noqa: F401

        fieldlog.connect()
        checks.refuse_bad_keys()
