"""`python -m healthrecords.embedded run`: what `make run` starts in the virtual environment."""

import sys

from .run import run

if __name__ == "__main__":
    if sys.argv[1:] != ["run"]:
        sys.exit("Usage: python -m healthrecords.embedded run")
    sys.exit(run())
