"""Logs go to stderr; PostgreSQL's error details, which print whole rows, are cut out of them."""

from .environment import one_of

_LEVEL = one_of("HEALTHCARE_LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"scrub": {"()": "healthrecords.edge.ScrubDatabaseDetail"}},
    "formatters": {
        "line": {
            "()": "healthrecords.edge.ScrubbingFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["scrub"]}},
    "root": {"handlers": ["stderr"], "level": _LEVEL},
    "loggers": {
        "django.server": {"handlers": ["stderr"], "propagate": False},
        "axes": {"level": "CRITICAL"},  # names people; the trail has what it tells
    },
}
