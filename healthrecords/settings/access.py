"""Sockets of the kernel that the upper apps fill. An empty one stops the start (healthrecords.checks)."""

ACCESS_POLICY = "compliance.policy.RolePolicy"
CONSOLE_PURPOSE = "compliance.breakglass.console.purpose"
AUDIT_SINK = "compliance.phi_access.ledger.write"
READINESS = "ops.health.readiness.report"
OPERATIONS_LOG = "ops.runs.keep"
METRICS = "ops.monitoring.exposition.metrics"
METRICS_COLLECTORS = [
    "compliance.audit.metrics.AuditCollector",
    "ops.alerts.metrics.NoticeCollector",
    "ops.monitoring.backups.BackupCollector",
    "ops.monitoring.bloat.BloatCollector",
    "ops.monitoring.certificate.CertificateCollector",
    "ops.monitoring.encryption.EncryptionCollector",
    "ops.monitoring.machine.MachineCollector",
    "ops.monitoring.work.WorkCollector",
    "ops.schedule.collector.ScheduleCollector",
    "ops.monitoring.pools.PoolCollector",
]
ALERTS = "ops.alerts.webhook.receive"
