#!/usr/bin/env python
"""Runs a management command; a setting that is missing or weak is one sentence and exit code 2."""

import os
import sys

from django.core.management import execute_from_command_line

from healthrecords.startup import one_sentence


def main() -> None:
    """Run the command that the arguments name."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "healthrecords.settings")
    with one_sentence():
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
