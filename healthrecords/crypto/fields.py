"""Model fields whose column holds an envelope: text, and JSON that keeps decimals as they were sent.

The envelope is bound to table, column and primary key, so a value copied to another row does not open. Such a field
opens lazily on access and cannot be filtered on: look values up by a blind index instead.
"""

from typing import Any

from django.db import models

from healthrecords.jsontext import dump_json, parse_json

from .envelope import open_sealed, seal


class _Opening:
    """Descriptor: keeps the envelope until the value is asked for."""

    def __init__(self, field: "EncryptedTextField") -> None:
        self.field = field

    def __get__(self, instance: models.Model | None, owner: type) -> Any:
        if instance is None:
            return self
        name = self.field.attname
        if name not in instance.__dict__:
            instance.refresh_from_db(fields=[name])
        value = instance.__dict__[name]
        if isinstance(value, bytes | memoryview):
            value = instance.__dict__[name] = self.field.from_bytes(open_sealed(bytes(value), self.field.aad(instance)))
        return value

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class EncryptedTextField(models.BinaryField):
    """Text in an envelope; None stays NULL."""

    descriptor_class = _Opening

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "null": True, "editable": kwargs.get("editable", False)})

    def aad(self, instance: models.Model) -> str:
        """The place that an envelope of `instance` is bound to."""
        return f"{self.model._meta.db_table}.{self.column}|{instance.pk}"

    def to_bytes(self, value: Any) -> bytes:
        return str(value).encode()

    def from_bytes(self, plain: bytes) -> Any:
        return plain.decode()

    def pre_save(self, model_instance: models.Model, add: bool) -> bytes | None:
        value = model_instance.__dict__.get(self.attname)
        if value is None or isinstance(value, bytes | memoryview):
            return value  # type: ignore[return-value]
        return seal(self.to_bytes(value), self.aad(model_instance))

    def get_lookup(self, lookup_name: str) -> Any:
        return super().get_lookup(lookup_name) if lookup_name == "isnull" else None


class BlindIndexField(models.BinaryField):
    """What a sealed text of the same row is looked up by: `blind_index` of the field `of` for `purpose`."""

    def __init__(self, *args: Any, of: str = "", purpose: str = "", **kwargs: Any) -> None:
        self.of, self.purpose = of, purpose
        super().__init__(*args, **{**kwargs, "null": True, "max_length": 16})

    def deconstruct(self) -> Any:
        """To the database it is a column of bytes."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.BinaryField", args, kwargs


class EncryptedJSONField(EncryptedTextField):
    """A JSON value in an envelope; an empty object or list is stored as NULL and read as None."""

    def to_bytes(self, value: Any) -> bytes:
        return dump_json(value)

    def from_bytes(self, plain: bytes) -> Any:
        return parse_json(plain)

    def pre_save(self, model_instance: models.Model, add: bool) -> bytes | None:
        return super().pre_save(model_instance, add) if model_instance.__dict__.get(self.attname) else None
