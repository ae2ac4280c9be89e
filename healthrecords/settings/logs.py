"""Logs go to stderr: JSON, an object a line, in production; readable lines in the embedded start."""

from typing import Any

import structlog

from healthrecords.redaction import exceptions_without_text, scrubbed

from .environment import EMBEDDED, one_of

_LEVEL = one_of("HEALTHCARE_LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))

_FIRST: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
]
_RENDERER: Any = (
    structlog.dev.ConsoleRenderer(colors=False, timestamp_key="time", exception_formatter=structlog.dev.plain_traceback)
    if EMBEDDED
    else structlog.processors.JSONRenderer()
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"without_address": {"()": "healthrecords.redaction.WithoutAddress"}},
    "formatters": {
        "structured": {
            "()": structlog.stdlib.ProcessorFormatter,
            "foreign_pre_chain": _FIRST,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                exceptions_without_text,
                scrubbed,
                _RENDERER,
            ],
        }
    },
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "structured", "filters": ["without_address"]}
    },
    "root": {"handlers": ["stderr"], "level": _LEVEL},
    "loggers": {
        "django.server": {"handlers": ["stderr"], "propagate": False, "level": "ERROR"},  # lines with whole addresses
        "axes": {"level": "CRITICAL"},  # names people; the trail has what it tells
    },
}
structlog.configure(
    processors=[*_FIRST, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)
