"""The cache, the queue of background work, and the object store."""

import secrets
from functools import cache
from typing import Any

import redis
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from healthrecords import objectstore
from healthrecords.schedule import QUEUES

from .registry import NEEDED, Problem, check

WAITING = 500  # tasks in a queue
MOST_MEMORY = 0.9  # share of Valkey's maxmemory
PATIENCE = 1.0  # seconds to connect, and for each answer

START_CACHE = "Start Valkey (`services status`, `services logs valkey`), or correct HEALTHCARE_CACHE_URL."
START_STORE = (
    "Start the object store (`services status`, `services logs seaweedfs`), or correct HEALTHCARE_S3_ENDPOINT."
)


@check("cache", "cache", limit=2, next_step=START_CACHE, ready=NEEDED)
def cache_answers() -> str:
    """Write a value that nobody knows and read it back."""
    value = secrets.token_hex(8)
    client, key = _cache(), f"health:{value}"  # its own: several ask at the same time
    client.set(key, value, ex=10)
    if client.get(key) != value.encode():
        raise Problem("The cache gives back another value than it was given.", "Restart Valkey; the cache may be lost.")
    return "What is written is read back."


@check("cache-memory", "cache", limit=3, needs="cache", next_step="`cache usage` shows what takes the room.")
def cache_memory() -> str:
    """Whether there is room, and whether writes reach the disk: the queue lives in the same server."""
    found = cache_info()
    if found.get("aof_last_write_status", "ok") != "ok":
        raise Problem("Valkey cannot write to its disk.", "Make room on the disk of Valkey; queued work would be lost.")
    used, most = int(found["used_memory"]), int(found.get("maxmemory", 0))
    if most and used > MOST_MEMORY * most:
        raise Problem(f"Valkey uses {used >> 20} of {most >> 20} MB; it refuses writes when it is full.")
    room = f" of {most >> 20}" if most else ""
    return f"Valkey uses {used >> 20}{room} MB; {found.get('evicted_keys', 0)} values were pushed out."


@check(
    "queue",
    "cache",
    limit=3,
    next_step="Start Valkey, or correct HEALTHCARE_BROKER_URL; see `services status` for the workers.",
)
def queue() -> str:
    """How much work waits. More than a few hundred tasks: no worker takes them."""
    with _asked(settings.CELERY_BROKER_URL) as client:
        waiting = {name: int(client.llen(name)) for name in QUEUES}
    told = ", ".join(f"{count} in {name}" for name, count in waiting.items())
    if max(waiting.values()) > WAITING:
        raise Problem(f"Work piles up: {told}.", "See whether the workers run (`services status`) and what they do.")
    return f"Tasks that wait: {told}."


@check("store", "external", limit=3, next_step=START_STORE, ready=NEEDED)
def store_answers() -> str:
    """Ask for the documents' bucket."""
    return _bucket(settings.S3_BUCKET)


@check("store-writes", "external", limit=10, needs="store", next_step=START_STORE)
def store_writes() -> str:
    """Store a small object, read it back, remove that very version of it."""
    content = secrets.token_bytes(32)
    at = {"Bucket": settings.S3_BUCKET, "Key": f".health-{content.hex()[:8]}"}
    try:
        version = _store().put_object(**at, Body=content).get("VersionId")
        told = _store().get_object(**at)["Body"].read()
        _store().delete_object(**at, **({"VersionId": version} if version else {}))
    except (ClientError, BotoCoreError) as fault:
        raise _explained(fault) from fault
    if told != content:
        raise Problem("The object store gives back other bytes than it was given.")
    return "An object was stored, read back and removed."


def _bucket(name: str) -> str:
    try:
        _store().head_bucket(Bucket=name)
    except (ClientError, BotoCoreError) as fault:
        raise _explained(fault, name) from fault
    return f"The bucket {name} is there."


def _explained(fault: ClientError | BotoCoreError, bucket: str = "") -> Problem:
    code = str(fault.response.get("Error", {}).get("Code")) if isinstance(fault, ClientError) else ""
    if code in objectstore.CREDENTIALS:
        return Problem("The object store refuses the credentials.", "Correct HEALTHCARE_S3_ACCESS_KEY and its secret.")
    if code in objectstore.FULL:
        return Problem("The object store is full.", "Make room on its disk.")
    if code in ("404", "NoSuchBucket"):
        return Problem(f"There is no bucket {bucket}.", "Make it by deploy/make_bucket.py, with object lock.")
    return Problem(f"The object store does not answer ({code or type(fault).__name__}).")


def _store() -> Any:
    return _client(objectstore.application())


@cache
def _client(account: objectstore.Account) -> Any:
    return objectstore.connect(account, connecting=PATIENCE, reading=PATIENCE)


def cache_info() -> dict[str, Any]:
    """What Valkey tells about itself."""
    found: Any = _cache().info()
    return dict(found)


def _cache() -> "redis.Redis":
    return _asked(str(settings.CACHES["default"]["LOCATION"]))


def _asked(url: str) -> "redis.Redis":
    """A client of the server at `url`, which is told apart from the application's own pool."""
    address = url.replace("redis+socket://", "unix://", 1)
    return redis.Redis.from_url(address, socket_connect_timeout=PATIENCE, socket_timeout=PATIENCE)
