"""A calendar quarter in an address."""

from datetime import date

from tracker.figures import periods


class Quarter:
    """A calendar quarter as it stands in addresses, such as 2026-q1."""

    regex = "[0-9]{4}-q[1-4]"

    def to_python(self, value: str) -> date:
        """Return the first day of the quarter."""
        return periods.from_code(value)

    def to_url(self, value: date) -> str:
        """Return the quarter as it stands in addresses."""
        return periods.code(value)
