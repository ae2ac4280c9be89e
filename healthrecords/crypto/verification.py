"""Opens sealed values to see that they can be opened, and finds values that are no envelopes."""

from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection

from .columns import IndexColumn, SealedColumn, index_columns, sealed_columns
from .envelope import CannotOpen, blind_indexes, open_sealed

SAMPLE = 100  # values of each column
_PAGE = 500


def verify(everything: bool, advance: Callable[[float], None]) -> tuple[int, list[str]]:
    """Return how many values were opened, and the places (`table.column|row`) of those that do not open.

    Values that are no envelopes are found in every row, also where only a sample is opened.
    """
    opened, broken = 0, list[str]()
    for column in sealed_columns():
        for pk, envelope in _rows(column, everything):
            advance(1)
            try:
                open_sealed(envelope, column.aad(pk))
            except CannotOpen:
                broken.append(column.aad(pk))
            else:
                opened += 1
    return opened, sorted(set(broken))


def wrong_indexes(everything: bool) -> list[str]:
    """The places (`table.column|row`) of sealed values that a lookup would not find, in a sample or all."""
    wrong = []
    for column in index_columns():
        limit = "" if everything else f"ORDER BY random() LIMIT {SAMPLE}"
        for pk, envelope, index in _indexed(column, limit):
            try:
                right = index in blind_indexes(open_sealed(envelope, column.aad(pk)).decode(), column.purpose)
            except CannotOpen:
                continue  # `verify` tells it
            if not right:
                wrong.append(column.aad(pk))
    return sorted(wrong)


def _indexed(column: IndexColumn, limit: str) -> Iterator[tuple[Any, bytes, bytes]]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {column.pk}, {column.of}, {column.column} FROM {column.table} "  # noqa: S608  # nosec B608
            f"WHERE {column.of} IS NOT NULL {limit}"
        )
        while rows := cursor.fetchmany(_PAGE):
            yield from ((pk, bytes(envelope), bytes(index or b"")) for pk, envelope, index in rows)


def _rows(column: SealedColumn, everything: bool) -> Iterator[tuple[Any, bytes]]:
    if everything:
        yield from _all(column)
    else:
        yield from _select(column, f"{column.key_id} = ''", "")
        yield from _select(column, f"{column.key_id} <> ''", f"ORDER BY random() LIMIT {SAMPLE}")


def _all(column: SealedColumn) -> Iterator[tuple[Any, bytes]]:
    order, rows = f"ORDER BY {column.pk} LIMIT {_PAGE}", _select(column, "TRUE", f"ORDER BY {column.pk} LIMIT {_PAGE}")
    while rows:
        yield from rows
        rows = _select(column, f"{column.pk} > %s", order, rows[-1][0])


def _select(column: SealedColumn, which: str, order: str, *values: Any) -> list[tuple[Any, bytes]]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {column.pk}, {column.column} FROM {column.table} "  # noqa: S608  # nosec B608
            f"WHERE {column.column} IS NOT NULL AND {which} {order}",
            values,
        )
        return [(pk, bytes(envelope)) for pk, envelope in cursor.fetchall()]
