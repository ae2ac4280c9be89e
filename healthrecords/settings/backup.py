"""Where backups go and to whom they are sealed. Without a repository there are none, and `backup` says so."""

from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from .environment import DATA_DIR, EMBEDDED, number, one_of, optional, optional_secret, server_url, words

BACKUP_DATABASE_URL = (
    server_url("HEALTHCARE_BACKUP_DATABASE_URL", "postgres", "postgresql")
    if optional("HEALTHCARE_BACKUP_DATABASE_URL")
    else ""
)
BACKUP_REPOSITORY = optional("HEALTHCARE_BACKUP_REPOSITORY")
if BACKUP_REPOSITORY and not BACKUP_REPOSITORY.startswith(("file:///", "s3://")):
    raise ImproperlyConfigured("HEALTHCARE_BACKUP_REPOSITORY must begin with file:/// or s3://.")
# The second copy of the documents; its encryption key is made from the password.
BACKUP_DOCUMENTS = optional("HEALTHCARE_BACKUP_DOCUMENTS")
if BACKUP_DOCUMENTS and not BACKUP_DOCUMENTS.startswith(("file:///", "s3://")):
    raise ImproperlyConfigured("HEALTHCARE_BACKUP_DOCUMENTS must begin with file:/// or s3://.")
BACKUP_DOCUMENTS_PASSWORD = optional_secret("HEALTHCARE_BACKUP_DOCUMENTS_PASSWORD", shortest=32)
BACKUP_DELETED_DAYS = number("HEALTHCARE_BACKUP_DELETED_DAYS", 400, least=1)
BACKUP_BANDWIDTH = number("HEALTHCARE_BACKUP_BANDWIDTH_MB", 0, least=0)
# More files and folders that `backup config` keeps, and the folder of log files.
BACKUP_CONFIG = words("HEALTHCARE_BACKUP_CONFIG")
BACKUP_LOGS = optional("HEALTHCARE_BACKUP_LOGS", str(DATA_DIR / "logs") if EMBEDDED else "")
BACKUP_ARCHIVE_DAYS = number("HEALTHCARE_BACKUP_ARCHIVE_DAYS", 2192, least=1)
BACKUP_S3_ENDPOINT = optional("HEALTHCARE_BACKUP_S3_ENDPOINT")
BACKUP_S3_ACCESS_KEY = optional_secret("HEALTHCARE_BACKUP_S3_ACCESS_KEY", shortest=8)
BACKUP_S3_SECRET_KEY = optional_secret("HEALTHCARE_BACKUP_S3_SECRET_KEY", shortest=20)
BACKUP_LOCK_DAYS = number("HEALTHCARE_BACKUP_LOCK_DAYS", 0, least=0)
BACKUP_RECIPIENTS_FILE = optional("HEALTHCARE_BACKUP_RECIPIENTS_FILE")
BACKUP_IDENTITY_FILE = optional("HEALTHCARE_BACKUP_IDENTITY_FILE")
# The spool of the write-ahead log, what is staged, and the manifests of the last links.
BACKUP_WORK_DIR = Path(optional("HEALTHCARE_BACKUP_WORK_DIR", str(DATA_DIR.with_name(f"{DATA_DIR.name}-backups"))))
BACKUP_SYNCHRONOUS = one_of("HEALTHCARE_BACKUP_SYNCHRONOUS", "0", ("0", "1")) == "1"
# The newest chain of so many days, weeks, months and years is kept.
BACKUP_KEEP_DAILY = number("HEALTHCARE_BACKUP_KEEP_DAILY", 7, least=1)
BACKUP_KEEP_WEEKLY = number("HEALTHCARE_BACKUP_KEEP_WEEKLY", 4, least=0)
BACKUP_KEEP_MONTHLY = number("HEALTHCARE_BACKUP_KEEP_MONTHLY", 12, least=0)
BACKUP_KEEP_YEARLY = number("HEALTHCARE_BACKUP_KEEP_YEARLY", 7, least=0)
# Older than so many hours, the newest backup or the last proven restore is a warning at the start and on every page.
BACKUP_MAX_HOURS = number("HEALTHCARE_BACKUP_MAX_HOURS", 26, least=1)
BACKUP_PROOF_MAX_HOURS = number("HEALTHCARE_BACKUP_PROOF_MAX_HOURS", 50, least=1)
# What the audit trail says about itself for a catalogue entry: a function without arguments, by its dotted path.
BACKUP_TRAIL_SEAL = "compliance.audit.status.newest"
# Opens a new epoch of the audit trail in a restored database: a function of the reason and who asked.
BACKUP_NEW_EPOCH = "compliance.audit.sealing.open_epoch"
# Verifies the audit trail of a restored database: a function without arguments that gives a sentence for each fault.
BACKUP_VERIFY_TRAIL = "compliance.audit.verification.faults"
