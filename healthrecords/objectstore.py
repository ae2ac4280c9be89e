"""Connections to S3 stores, and what the stores of this product have in common.

Callers keep one client for the life of the process: boto3's clients may be used by several threads.
"""

from typing import Any, NamedTuple

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from django.conf import settings

# What stores answer (S3, SeaweedFS, MinIO), as codes of an error.
CREDENTIALS = frozenset({"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "Forbidden", "403", "401"})
FULL = frozenset({"InsufficientStorage", "XMinioStorageFull", "QuotaExceeded", "507"})
MISSING = frozenset({"NoSuchKey", "404"})


class Account(NamedTuple):
    """Where a store is and who asks it; no endpoint is Amazon's own."""

    endpoint: str | None
    access_key: str
    secret_key: str


def application() -> Account:
    """The application's account at its own store (HEALTHCARE_S3_…)."""
    return Account(settings.S3_ENDPOINT, settings.S3_ACCESS_KEY, settings.S3_SECRET_KEY)


def connect(account: Account, *, connecting: float, reading: float, attempts: int = 1, **more: Any) -> Any:
    """Return a client with limits in seconds, `reading` that between two signs of life; `more` are botocore's."""
    return boto3.client(
        "s3",
        endpoint_url=account.endpoint,
        aws_access_key_id=account.access_key,
        aws_secret_access_key=account.secret_key,
        region_name="us-east-1",
        config=Config(
            connect_timeout=connecting, read_timeout=reading, retries={"total_max_attempts": attempts}, **more
        ),
    )


def make_bucket(store: Any, bucket: str) -> None:
    """Make a bucket, with object lock where the store knows it; raise botocore's errors."""
    try:
        store.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    except ClientError:
        store.create_bucket(Bucket=bucket)
