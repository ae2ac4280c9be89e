"""Makes the bucket for documents unless it is there, then stores, reads and deletes one object to prove that it can.

The store's own health page answers before it can write; this waits up to a minute for the real thing.
"""

import os
import sys
import time
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

PATIENCE = 60.0  # seconds
PROBE = ".probe"


def main() -> int:
    """Return 0 once an object could be stored, 2 with one sentence if that does not come about."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "healthrecords.settings")
    from django.conf import settings

    from healthrecords.startup import one_sentence

    with one_sentence():
        store, bucket = _store(settings), settings.S3_BUCKET
    deadline = time.monotonic() + PATIENCE
    while fault := _fault(store, bucket):
        if time.monotonic() > deadline:
            sys.stderr.write(f"The object store does not take an object into the bucket {bucket}: {fault}\n")
            return 2
        time.sleep(1)
    return 0


def _store(settings: Any) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=settings.S3_ENDPOINT,
        aws_access_key_id=settings.S3_ACCESS_KEY,
        aws_secret_access_key=settings.S3_SECRET_KEY,
        region_name="us-east-1",
        config=Config(connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 1}),
    )


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
        _make(store, bucket)


def _make(store: Any, bucket: str) -> None:
    """With object lock where the store knows it, so that it can keep what is under a legal hold."""
    try:
        store.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    except ClientError:
        store.create_bucket(Bucket=bucket)


if __name__ == "__main__":
    sys.exit(main())
