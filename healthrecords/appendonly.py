"""Migration operations that make a table append-only for the application: it may add and read rows, nothing else."""

from typing import Any

from django.conf import settings
from django.db.migrations.operations.base import Operation

REFUSAL = """
DECLARE
    was jsonb;
    becomes jsonb;
BEGIN
    IF TG_OP = 'UPDATE' AND TG_NARGS = 1 THEN
        was := to_jsonb(OLD);
        becomes := to_jsonb(NEW);
        IF was - TG_ARGV[0] = becomes - TG_ARGV[0]
            AND left(was ->> TG_ARGV[0], 4) = '\\x01' AND left(becomes ->> TG_ARGV[0], 4) = '\\x01'
            AND substr(was ->> TG_ARGV[0], 5, 8) <> substr(becomes ->> TG_ARGV[0], 5, 8)
        THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'rows of % are never changed or removed', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END """


def refusing(function: str) -> str:
    """SQL for a trigger function that refuses every change; its argument may name the one column of Resealable."""
    return (
        f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql "
        f"SET search_path = pg_catalog SET bytea_output = hex AS $${REFUSAL}$$"
    )


_REFUSE = refusing("refuse_change")


class AppendOnly(Operation):
    """Takes UPDATE, DELETE and TRUNCATE from the application's role; a trigger refuses them to every other role."""

    reversible = True

    def __init__(self, model: str) -> None:
        self.model = model

    def state_forwards(self, app_label: str, state: Any) -> None:
        """The model itself stays as it is."""

    def database_forwards(self, app_label: str, editor: Any, from_state: Any, to_state: Any) -> None:
        quote, table = editor.quote_name, to_state.apps.get_model(app_label, self.model)._meta.db_table
        if editor.connection.settings_dict["USER"] != settings.DATABASE_APP_ROLE:
            editor.execute(
                f"REVOKE UPDATE, DELETE, TRUNCATE ON {quote(table)} FROM {quote(settings.DATABASE_APP_ROLE)}"
            )
        editor.execute(_REFUSE, params=None)
        editor.execute(
            f"CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON {quote(table)} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        editor.execute(f"ALTER TABLE {quote(table)} ENABLE ALWAYS TRIGGER refuse_change")

    def database_backwards(self, app_label: str, editor: Any, from_state: Any, to_state: Any) -> None:
        table = editor.quote_name(from_state.apps.get_model(app_label, self.model)._meta.db_table)
        editor.execute(f"DROP TRIGGER refuse_change ON {table}")

    def describe(self) -> str:
        return f"Make {self.model} append-only for the application"


class Resealable(Operation):
    """Lets the owner of an append-only table put one sealed column under another key; nothing else may differ.

    The application still may not change the row at all. The database cannot see that the new envelope holds the same
    value, only that it is one, under another key id: who holds the key proves the rest (docs/decisions/0005-keys.md).
    """

    reversible = True

    def __init__(self, model: str, column: str) -> None:
        self.model, self.column = model, column

    def state_forwards(self, app_label: str, state: Any) -> None:
        """The model itself stays as it is."""

    def database_forwards(self, app_label: str, editor: Any, from_state: Any, to_state: Any) -> None:
        self._renew(editor, to_state.apps.get_model(app_label, self.model)._meta.db_table, f"'{self.column}'")

    def database_backwards(self, app_label: str, editor: Any, from_state: Any, to_state: Any) -> None:
        self._renew(editor, from_state.apps.get_model(app_label, self.model)._meta.db_table, "")

    def describe(self) -> str:
        return f"Let the owner re-seal {self.column} of {self.model}"

    @staticmethod
    def _renew(editor: Any, table: str, argument: str) -> None:
        quoted = editor.quote_name(table)
        editor.execute(_REFUSE, params=None)
        editor.execute(
            f"CREATE OR REPLACE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON {quoted} "
            f"FOR EACH ROW EXECUTE FUNCTION refuse_change({argument})"
        )
        editor.execute(f"ALTER TABLE {quoted} ENABLE ALWAYS TRIGGER refuse_change")
