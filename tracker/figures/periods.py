"""Months, quarters and fiscal years, as first days of months. The fiscal year of BC begins on 1 April."""

from collections.abc import Iterator
from datetime import date

from django.utils.formats import date_format
from django.utils.translation import gettext as _

QUARTER, YEAR = 3, 12
FISCAL_START = 4  # April (docs/rules.md#fiscal-year)


def next_month(month: date) -> date:
    """Return the first day of the month after `month`."""
    return later(month, 1)


def later(month: date, number: int) -> date:
    """Return the first day of the month `number` months after `month`, or before it if negative."""
    year, index = divmod(month.year * 12 + month.month - 1 + number, 12)
    return date(year, index + 1, 1)


def between(first: date, last: date) -> int:
    """Return how many months `last` is after `first`."""
    return (last.year - first.year) * YEAR + last.month - first.month


def months(first: date, last: date) -> list[date]:
    """Return the first days of the months `first` to `last`, both included."""
    first_days = []
    while first <= last:
        first_days.append(first)
        first = next_month(first)
    return first_days


def quarter_of(day: date) -> date:
    """Return the first day of the quarter that `day` is in."""
    return date(day.year, (day.month - 1) // QUARTER * QUARTER + 1, 1)


def quarters(first: date, last: date) -> Iterator[date]:
    """Yield the first days of the quarters from that of `first` to that of `last`."""
    quarter = quarter_of(first)
    while quarter <= last:
        yield quarter
        quarter = later(quarter, QUARTER)


def last_month(quarter: date) -> date:
    """Return the first day of the last month of a quarter."""
    return later(quarter, QUARTER - 1)


def fiscal_year(month: date) -> date:
    """Return the first day of the fiscal year that `month` is in: 1 April."""
    return date(month.year - (month.month < FISCAL_START), FISCAL_START, 1)


def closes_fiscal_year(quarter: date) -> bool:
    """Whether the quarter that begins on this day is the last of a fiscal year: January to March."""
    return quarter.month == 1


def code(quarter: date) -> str:
    """Return a quarter as it stands in addresses, such as 2026-q1."""
    return f"{quarter.year}-q{(quarter.month - 1) // QUARTER + 1}"


def from_code(text: str) -> date:
    """Return the first day of the quarter that `code` names."""
    year, number = text.split("-q")
    return date(int(year), (int(number) - 1) * QUARTER + 1, 1)


def label(first: date, last: date) -> str:
    """Return the months `first` to `last` in words, such as “January to March 2026”."""
    if first == last:
        return date_format(first, "F Y")
    start = date_format(first, "F") if first.year == last.year else date_format(first, "F Y")
    return _("%(first)s to %(last)s") % {"first": start, "last": date_format(last, "F Y")}
