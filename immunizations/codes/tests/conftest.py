"""The shipped code tables, which the database of the tests holds from its migration; what a test loads is undone."""

from collections.abc import Iterator
from gzip import decompress
from pathlib import Path

import pytest
from django.db import transaction

from immunizations.codes import lookup

DATA = Path(__file__).resolve().parents[1] / "data"


def shipped_text(name: str) -> str:
    """A shipped file as CDC publishes it."""
    return decompress((DATA / f"{name}.gz").read_bytes()).decode("cp1252")


@pytest.fixture
def tables(db: None) -> Iterator[None]:
    """The tables in the database, in a transaction that is rolled back."""
    lookup.forget()
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    lookup.forget()


@pytest.fixture
def cdc_file(tmp_path: Path):
    """Write a file as an operator fetched it: a shipped one, with replacements."""

    def write(name: str, *replacements: tuple[str, str]) -> Path:
        text = shipped_text(name)
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / f"fetched-{name}"
        path.write_bytes(text.encode("cp1252"))
        return path

    return write
