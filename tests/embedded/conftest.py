"""What the tests of the embedded start share."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def open_folder() -> Iterator[Path]:
    """A folder that PostgreSQL's account can pass through when root runs the tests; pytest closes its own to others."""
    folder = Path(tempfile.mkdtemp(prefix="healthrecords-tests-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)
