#!/usr/bin/env python
"""Runs a management command; a setting that is missing or weak is one sentence and exit code 2."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line


def main() -> None:
    """Run the command that the arguments name."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "healthrecords.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as fault:
        print(f"Cannot start: {fault}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
