"""Queries of the hottest paths, whose SQL is composed once instead of on each request.

Measured: composing the SQL of a read by id costs three times as much as running it (docs/decisions/0003).
"""

from collections.abc import Callable
from typing import Any

from django.db import connection, models

_KEY = "\x01key"  # stands for the one value that differs from request to request


class Compiled:
    """A query for one row by one text value. `build` makes its `values_list` for a value, always of one shape."""

    def __init__(self, build: Callable[[str], "models.QuerySet[Any, Any]"]) -> None:
        self.build = build
        self._sql: tuple[str, tuple[Any, ...]] | None = None

    def get(self, value: str) -> tuple[Any, ...] | None:
        """Return the columns of the row of `value` as the database driver gives them, or None."""
        if self._sql is None:
            self._sql = self.build(_KEY).order_by().query.sql_with_params()
        sql, params = self._sql
        with connection.cursor() as cursor:
            cursor.execute(sql, [value if each == _KEY else each for each in params])
            found: tuple[Any, ...] | None = cursor.fetchone()
        return found
