"""The compliance app: who may see what, and the trail of who did."""

from django.apps import AppConfig


class ComplianceConfig(AppConfig):
    name = "compliance"
