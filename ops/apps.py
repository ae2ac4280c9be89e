"""The operations app: the runbook's commands, and what watches the server."""

from django.apps import AppConfig


class OpsConfig(AppConfig):
    name = "ops"
