"""The timetable: every recurring job, its time and what it runs. Reviewed code, not rows in a database."""

from datetime import timedelta
from typing import Any

from celery.schedules import crontab

# Packages whose module `tasks` holds background work.
TASK_PACKAGES = [
    "healthrecords.accounts",
    "compliance.audit",
    "compliance.breakglass",
    "compliance.review",
    "documents",
    "documents.scanning",
    "ops.archives",
    "ops.backup",
    "ops.copies",
    "ops.proof",
]

LONG = "long"  # the queue of work that takes minutes or hours

BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "scan-waiting-documents": {
        "task": "documents.scanning.tasks.scan_waiting",
        "schedule": timedelta(minutes=5),
    },
    "scan-all-documents": {
        "task": "documents.scanning.tasks.scan_everything",
        "schedule": crontab(day_of_week="sun", hour="3", minute="20"),
    },
    "check-documents": {
        "task": "documents.tasks.check",
        "schedule": crontab(hour=3, minute=40),
        "options": {"queue": LONG, "expires": 6 * 3600},
    },
    "expire-enrolment-links": {
        "task": "healthrecords.accounts.tasks.expire_enrolment_links",
        "schedule": timedelta(hours=1),
    },
    "clear-ended-sessions": {
        "task": "healthrecords.accounts.tasks.clear_ended_sessions",
        "schedule": timedelta(hours=1),
    },
    "clear-ended-permissions-of-apps": {
        "task": "healthrecords.oauth.tasks.clear_what_ended",
        "schedule": timedelta(hours=1),
    },
    "seal-audit-trail": {
        "task": "compliance.audit.tasks.seal",
        "schedule": timedelta(minutes=1),
        "options": {"expires": 60},
    },
    "tell-privacy-officers": {
        "task": "compliance.breakglass.tasks.tell",
        "schedule": timedelta(minutes=1),
        "options": {"expires": 60},
    },
    # Long work has a queue and a worker of its own; a run that could not begin in time is left to the next.
    "backup-full": {
        "task": "ops.backup.tasks.database",
        "schedule": crontab(hour=2, minute=0),
        "args": ("full",),
        "options": {"queue": LONG, "expires": 6 * 3600},
    },
    "backup-incremental": {
        "task": "ops.backup.tasks.database",
        "schedule": crontab(minute=15),
        "args": ("incremental",),
        "options": {"queue": LONG, "expires": 3000},
    },
    "backup-archive": {
        "task": "ops.backup.tasks.database",
        "schedule": crontab(day_of_week="sunday", hour=1, minute=0),
        "args": ("archive",),
        "options": {"queue": LONG, "expires": 6 * 3600},
    },
    "backup-test": {
        "task": "ops.proof.tasks.prove",
        "schedule": crontab(hour=4, minute=30),
        "options": {"queue": LONG, "expires": 6 * 3600},
    },
    "backup-publish": {
        "task": "ops.proof.tasks.publish",
        "schedule": crontab(minute="*/15"),
        "options": {"queue": LONG, "expires": 900},
    },
    "backup-verify": {
        "task": "ops.proof.tasks.verify",
        "schedule": crontab(hour=6, minute=0),
        "options": {"queue": LONG, "expires": 6 * 3600},
    },
    "backup-retention": {
        "task": "ops.proof.tasks.thin_out",
        "schedule": crontab(hour=6, minute=30),
        "options": {"queue": LONG, "expires": 6 * 3600},
    },
    "review-accesses": {"task": "compliance.review.tasks.review_yesterday", "schedule": crontab(hour=4, minute=10)},
    "backup-config": {
        "task": "ops.archives.tasks.archive",
        "schedule": crontab(hour=3, minute=0),
        "args": ("config",),
        "options": {"queue": LONG, "expires": 6 * 3600},
    },
    "backup-logs": {
        "task": "ops.archives.tasks.archive",
        "schedule": crontab(hour=4, minute=0),
        "args": ("logs",),
        "options": {"queue": LONG, "expires": 6 * 3600},
    },
    # After the database's, so that each row of a backup has its object. The daily run compares, Sunday's reads it all.
    "copy-new-documents": {
        "task": "ops.copies.tasks.documents",
        "schedule": crontab(minute=30),
        "args": ("copy",),
        "options": {"queue": LONG, "expires": 3000},
    },
    "compare-document-copy": {
        "task": "ops.copies.tasks.documents",
        "schedule": crontab(day_of_week="mon-sat", hour=5, minute=0),
        "args": ("compare",),
        "options": {"queue": LONG, "expires": 6 * 3600},
    },
    "read-document-copy": {
        "task": "ops.copies.tasks.documents",
        "schedule": crontab(day_of_week="sunday", hour=5, minute=0),
        "args": ("read",),
        "options": {"queue": LONG, "expires": 6 * 3600},
    },
    "verify-audit-trail": {"task": "compliance.audit.tasks.verify", "schedule": crontab(hour=2, minute=30)},
    "reconcile-audit-trail": {"task": "compliance.audit.tasks.reconcile", "schedule": crontab(hour=2, minute=50)},
}
