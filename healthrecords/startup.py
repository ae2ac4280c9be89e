"""What an operator reads when the server cannot start: one sentence as the last word, not a traceback."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.exceptions import ImproperlyConfigured


@contextmanager
def one_sentence(exit_code: int = 2) -> Iterator[None]:
    """Print a setting's fault as one sentence on stderr and exit with `exit_code`."""
    try:
        yield
    except ImproperlyConfigured as fault:
        sys.stderr.write(f"Cannot start: {fault}\n")
        sys.exit(exit_code)
