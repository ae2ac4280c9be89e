"""The operations app: the runbook's commands, and what watches the server."""

from django.apps import AppConfig


class OpsConfig(AppConfig):
    name = "ops"

    def ready(self) -> None:
        from ops.monitoring import work  # noqa: F401  connects to Celery's signals
        from ops.performance import reporting  # noqa: F401  as well
