"""The proof of the backups by the timetable, on the queue for long work; each leaves its operations record."""

from celery import shared_task

from ops.runs import job

from . import proving, publishing, retention, verifying


@shared_task
def prove() -> None:
    """Restore the newest chain to prove it."""
    with job("backup test") as record:
        found = proving.prove()
        record.summary, record.data = proving.told(found), {**vars(found.proof), "findings": found.findings[:100]}
        record.outcome = "problem" if found.findings else "good"
    publishing.refresh()


@shared_task
def verify() -> None:
    """Hash the repository again."""
    with job("backup verify") as record:
        found = verifying.verify()
        record.summary, record.data = verifying.told(found), {"findings": found.findings[:100]}
        record.outcome = "problem" if found.findings else "good"


@shared_task
def thin_out() -> None:
    """Remove what retention no longer keeps."""
    with job("backup retention") as record:
        decided = retention.thin_out()
        record.summary, record.data = retention.told(decided, done=True), {"chains": retention.as_rows(decided)}
    publishing.refresh()


@shared_task
def publish() -> None:
    """Tell the console and the metrics what there is; runs too often to leave a record each time."""
    publishing.refresh()
