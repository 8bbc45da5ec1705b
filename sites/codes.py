"""Columns that can hold codes and nothing else, checked by PostgreSQL."""

from typing import Any

from django.db import models

CODE = "^[A-Z0-9_-]{1,12}$"


class CodeField(models.CharField):
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
