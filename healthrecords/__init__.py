"""HealthRecords: a self-hosted health-records server whose operations runbook is part of the product."""
