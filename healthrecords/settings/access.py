"""Sockets of the kernel that the upper apps fill. An empty one stops the start (healthrecords.checks)."""

ACCESS_POLICY = "compliance.policy.RolePolicy"
CONSOLE_PURPOSE = "compliance.breakglass.console.purpose"
AUDIT_SINK = "compliance.phi_access.ledger.write"
READINESS = "ops.health.readiness.report"
OPERATIONS_LOG = "ops.runs.keep"
METRICS = "ops.monitoring.exposition.metrics"
# What asks the database comes last: while it is away, the first of these waits, and the others are not asked.
METRICS_COLLECTORS = [
    "ops.monitoring.machine.MachineCollector",
    "ops.monitoring.certificate.CertificateCollector",
    "ops.monitoring.work.WorkCollector",
    "ops.monitoring.encryption.EncryptionCollector",
    "ops.monitoring.pools.PoolCollector",
    "compliance.audit.metrics.AuditCollector",
    "ops.alerts.metrics.NoticeCollector",
    "ops.monitoring.backups.BackupCollector",
    "ops.monitoring.bloat.BloatCollector",
    "ops.schedule.collector.ScheduleCollector",
]
ALERTS = "ops.alerts.webhook.receive"
