"""Columns that can hold codes and nothing else, checked by PostgreSQL."""

from typing import TYPE_CHECKING, Any, TypeVar

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation

CODE = "^[A-Z0-9_-]{1,12}$"


_Set = TypeVar("_Set")
_Get = TypeVar("_Get")

if TYPE_CHECKING:
    CharField = models.CharField
else:

    class CharField(models.CharField):
        """Takes the types of what is written and read, as its stub does and ForeignKey of Django itself."""

        def __class_getitem__(cls, _types: Any) -> type:
            return cls


class CodeField(CharField[_Set, _Get]):
    """A closed list, or at least a code: nothing anyone could be recognised by, nothing to discover.

    With `choices` the column admits these values alone, without them what looks like a code.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 16)
        super().__init__(*args, **kwargs)

    def db_check(self, connection: Any) -> str:
        name = connection.ops.quote_name(self.column)
        if not self.choices:
            return f"{name} ~ '{CODE}'"
        values = ", ".join("'" + str(value).replace("'", "''") + "'" for value, _ in self.flatchoices)
        return f"{name} IN ({values})"


class Recheck(Operation):
    """Migration operation: let a column admit the codes its field lists now; `AlterField` passes a check by."""

    reduces_to_sql = True
    reversible = False

    def __init__(self, model_name: str, name: str) -> None:
        self.model_name = model_name
        self.name = name

    def state_forwards(self, app_label: str, state: Any) -> None:
        pass

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        field = model._meta.get_field(self.name)
        table, constraint = model._meta.db_table, f"{model._meta.db_table}_{field.column}_check"
        schema_editor.execute(f'ALTER TABLE "{table}" DROP CONSTRAINT "{constraint}"')
        schema_editor.execute(
            f'ALTER TABLE "{table}" ADD CONSTRAINT "{constraint}" CHECK ({field.db_check(schema_editor.connection)})'
        )

    def describe(self) -> str:
        return f"Check {self.model_name}.{self.name} against its list"
