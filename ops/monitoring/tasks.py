"""What is measured by the timetable, since a scrape could not wait for it."""

from celery import shared_task

from ops.monitoring import encryption
from ops.runs import job


@shared_task
def measure_encryption() -> None:
    """Count what must be sealed; a value in the clear is a problem."""
    with job("measure encryption") as record:
        values, clear = encryption.measure()
        record.data = {"values": values, "clear": clear}
        record.summary = f"{values} values that must be sealed, {clear} of them stand in the clear."
        record.outcome = "problem" if clear else "good"
