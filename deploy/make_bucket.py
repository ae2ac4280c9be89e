"""Makes the bucket for documents unless it is there, then stores, reads and deletes one object to prove that it can.

The store's own health page answers before it can write; this waits up to a minute for the real thing.
"""

import os
import sys
import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from healthrecords import objectstore

PATIENCE = 60.0  # seconds
PROBE = ".probe"


def main() -> int:
    """Return 0 once an object could be stored, 2 with one sentence if that does not come about."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "healthrecords.settings")
    from django.conf import settings

    from healthrecords.startup import one_sentence

    with one_sentence():
        store, bucket = objectstore.connect(objectstore.application(), connecting=3, reading=10), settings.S3_BUCKET
    deadline = time.monotonic() + PATIENCE
    while fault := _fault(store, bucket):
        if time.monotonic() > deadline:
            sys.stderr.write(f"The object store does not take an object into the bucket {bucket}: {fault}\n")
            return 2
        time.sleep(1)
    return 0


def _fault(store: Any, bucket: str) -> str:
    """Return what kept an object from being stored, or an empty text."""
    try:
        _ensure(store, bucket)
        store.put_object(Bucket=bucket, Key=PROBE, Body=b"probe")
        store.get_object(Bucket=bucket, Key=PROBE)
        store.delete_object(Bucket=bucket, Key=PROBE)
    except (BotoCoreError, ClientError) as fault:
        return str(fault)
    return ""


def _ensure(store: Any, bucket: str) -> None:
    try:
        store.head_bucket(Bucket=bucket)
    except ClientError:
        objectstore.make_bucket(store, bucket)  # with object lock, to keep what is under a legal hold


if __name__ == "__main__":
    sys.exit(main())
