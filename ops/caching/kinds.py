"""What is in the cache, and why: each key belongs to a kind. What belongs to none has no owner, and `cleanup` takes it.

The cache holds only what may be lost: sessions, records and permissions are never in it. Values are counts, keys of
records, and states of processes; no key names a person, and who is counted is a keyed hash.
"""

from dataclasses import dataclass

OTHER = "other"


@dataclass(frozen=True)
class Kind:
    """Keys that begin alike. `longest` is how many seconds one may live at most; None: until it is replaced."""

    name: str
    prefix: str
    owner: str
    why: str
    longest: int | None


# Written through Django's cache, under its prefix and version.
CACHED = (
    Kind("fhir-order", "fhir-order-", "healthrecords.fhir.search.paging",
         "keys of the records of a sorted search, so that its later pages neither skip nor repeat", 3600),
    Kind("rate", "rate:", "healthrecords.fhir.throttle", "units that an API client has spent in ten seconds", 20),
    Kind("guesses", "guesses:", "healthrecords.accounts.attempts", "guesses at passwords, codes and tokens", 90_000),
    Kind("axes", "axes-", "healthrecords.accounts.guessing", "failed sign-ins in a row (django-axes)", 900),
    Kind("audit", "audit-", "compliance.audit.tasks", "what the last verification and comparison found", None),
    Kind("encryption", "encryption-", "ops.monitoring.encryption", "what the last count of sealed values found", None),
    Kind("notify", "notify:", "healthrecords.notify.delivering",
         "that a run sends notices now, and whether it has a mail server", 3600),
    Kind("screens", "unfold_search_", "unfold", "which screens of the console a search named, by a hash", 300),
)  # fmt: skip
# Written to the server itself.
RAW = (
    Kind("tasks", "healthrecords:tasks", "ops.monitoring.work", "how tasks of all workers ended", None),
    Kind("blocked", "healthrecords:blocked", "healthrecords.accounts.blocking", "how many addresses are blocked",
         200_000),
    Kind("health", "health:", "ops.health.stores", "written and read back, to see whether the cache works", 10),
    Kind("processes", "healthrecords:processes", "ops.performance.reporting", "what each process tells of itself", 60),
    Kind("processes", "healthrecords:asked", "ops.performance.reporting", "what processes are asked", 60),
    Kind("processes", "healthrecords:answers:", "ops.performance.reporting", "what they answered", 60),
)  # fmt: skip


def kind_of(key: str) -> str:
    """The name of the kind of a key of Django's cache, or `other`."""
    return next((kind.name for kind in CACHED if key.startswith(kind.prefix)), OTHER)


def owning(raw: str, prefix: str) -> Kind | None:
    """The kind of a key as the server has it; `prefix` is what Django's cache puts before its own (`make_key("")`)."""
    if raw.startswith(prefix):
        return next((kind for kind in CACHED if raw[len(prefix) :].startswith(kind.prefix)), None)
    return next((kind for kind in RAW if raw.startswith(kind.prefix)), None)
