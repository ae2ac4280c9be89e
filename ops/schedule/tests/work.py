"""Work for the jobs of these tests."""

import time

from celery import shared_task

from healthrecords.cli import Result
from ops.runs import job

DONE: list[str] = []


@shared_task
def good(word="done"):
    DONE.append(word)
    return f"{word} well"


@shared_task
def finds():
    return Result("Two faults were found.", {"faults": 2}, "problem")


@shared_task
def fails():
    raise ValueError("no such thing")


@shared_task
def records():
    with job("backup test") as told:
        told.summary = "Restored."


@shared_task
def sleeps():
    print("asleep", flush=True)  # noqa: T201 (whoever waits for it reads this)
    time.sleep(60)
