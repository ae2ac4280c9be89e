"""A migration operation that makes a table append-only for the application: it may add and read rows, nothing else."""

from typing import Any

from django.conf import settings
from django.db.migrations.operations.base import Operation

_REFUSE = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never changed or removed', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$
"""


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
