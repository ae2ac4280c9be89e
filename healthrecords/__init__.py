"""HealthRecords: a self-hosted health-records server whose operations runbook is part of the product."""

__version__ = "0.1.0"
