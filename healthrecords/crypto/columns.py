"""Which columns hold envelopes and blind indexes, and how many values are under which key."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from django.apps import apps
from django.db import connection, connections, models

from . import keys
from .envelope import SHORTEST, blind_index, open_sealed, seal
from .fields import BlindIndexField, EncryptedTextField

Field = TypeVar("Field", bound="models.Field[Any, Any]")
NO_ENVELOPE = ""  # stands for a key id where a value is no envelope


@dataclass(frozen=True)
class SealedColumn:
    """A column of envelopes; the names of table, column and primary key are quoted for SQL."""

    table: str
    column: str
    pk: str
    place: str

    @property
    def source(self) -> str:
        """The column of the envelope from which a value is made anew."""
        return self.column

    def renewed(self, envelope: bytes, aad: str) -> bytes:
        """The value under the current key; raise CannotOpen."""
        return seal(open_sealed(envelope, aad), aad)

    def aad(self, pk: Any) -> str:
        """What the envelope in the row `pk` is bound to; see EncryptedTextField.aad."""
        return f"{self.place}|{pk}"

    @property
    def key_id(self) -> str:
        """SQL for the hex id of a value's key, or NO_ENVELOPE."""
        return (
            f"CASE WHEN octet_length({self.column}) >= {SHORTEST} AND substr({self.column}, 1, 1) = '\\x01' "
            f"THEN encode(substr({self.column}, 2, 4), 'hex') ELSE '' END"
        )


@dataclass(frozen=True)
class IndexColumn(SealedColumn):
    """A column of blind indexes of the sealed column `of`; `place` is that of the sealed one."""

    of: str
    purpose: str

    @property
    def source(self) -> str:
        return self.of

    def renewed(self, envelope: bytes, aad: str) -> bytes:
        return blind_index(open_sealed(envelope, aad).decode(), self.purpose)

    @property
    def key_id(self) -> str:
        """SQL for the first four bytes in hex: the key, or in an index of before keys were named no key at all."""
        return f"encode(substr({self.column}, 1, 4), 'hex')"


def columns_of(file: keys.KeyFile) -> list[SealedColumn]:
    """The columns whose values are under the keys of a file, by table."""
    return [*index_columns()] if file is keys.INDEX else sealed_columns()


def index_columns() -> list[IndexColumn]:
    """Every column of the application that holds blind indexes, by table."""
    quote = connection.ops.quote_name
    found = [
        IndexColumn(**_named(field, field.of), of=quote(field.of), purpose=field.purpose)
        for field in _fields(BlindIndexField)
    ]
    return sorted(found, key=lambda column: column.place)


def sealed_columns() -> list[SealedColumn]:
    """Every column of the application that holds envelopes, by table."""
    found = [SealedColumn(**_named(field, str(field.column))) for field in _fields(EncryptedTextField)]
    return sorted(found, key=lambda column: column.place)


def _fields(kind: type[Field]) -> Iterator[Field]:
    """The fields of a kind of all tables that are the application's own."""
    for model in apps.get_models():
        if model._meta.managed and not model._meta.proxy:
            yield from (field for field in model._meta.local_concrete_fields if isinstance(field, kind))


def _named(field: "models.Field[Any, Any]", sealed: str) -> dict[str, str]:
    """Where a field stands, quoted for SQL, and the place that the envelope in its column `sealed` is bound to."""
    quote, meta = connection.ops.quote_name, field.model._meta
    return {
        "table": quote(meta.db_table),
        "column": quote(str(field.column)),
        "pk": quote(str(meta.pk.column)),
        "place": f"{meta.db_table}.{sealed}",
    }


def census(using: str = "default", file: keys.KeyFile = keys.FIELD) -> dict[str, Counter[str]]:
    """How many values each column has under each key id of a file, by `table.column`; columns without values are left
    out.
    """
    counts: dict[str, Counter[str]] = {}
    with connections[using].cursor() as cursor:
        for each in columns_of(file):
            cursor.execute(
                f"SELECT {each.key_id}, count(*) FROM {each.table} WHERE {each.column} IS NOT NULL GROUP BY 1"  # noqa: S608  # nosec B608
            )
            if rows := cursor.fetchall():
                counts[each.place] = Counter(dict(rows))
    return counts


def is_under(key_id: str, using: str = "default") -> bool:
    """Whether any value is under this key."""
    with connections[using].cursor() as cursor:
        for each in sealed_columns():
            cursor.execute(
                f"SELECT EXISTS (SELECT FROM {each.table} WHERE {each.column} IS NOT NULL AND {each.key_id} = %s)",  # noqa: S608  # nosec B608
                [key_id],
            )
            if cursor.fetchone()[0]:
                return True
    return False
