"""Released tables as files, with a dictionary that says what each column means. What is hidden is not in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings
from django.utils.formats import date_format
from django.utils.timezone import localtime

from tracker.figures import periods
from tracker.releases.models import Release, ReleaseCell
from tracker.releases.tables import TITLES, Row, Table

Rows = list[tuple[Any, ...]]
Unit = ReleaseCell.Unit
# Column → what it means; the same columns in every file.
COLUMNS = (
    ("table", "Which table: its code."),
    ("first_month", "First month of the period, as year and month."),
    ("last_month", "Last month of the period; the same as the first where the period is one month."),
    ("period", "The period in words."),
    ("category", "Code of what is counted."),
    ("label", "What is counted, in words."),
    ("members", "What is told together under this label, such as small reasons or small sites."),
    ("value", "The number. Empty where it is hidden."),
    ("unit", "What the number is."),
    ("hidden", "“yes” where the number is hidden, so that nobody can be recognised; else “no”."),
)
HEADERS = [name for name, _meaning in COLUMNS]
# Unit of a row → its word, and what it means.
UNITS: dict[str, tuple[str, str]] = {
    Unit.COUNT: ("count", "How many: 0, or at least %(least)s."),
    Unit.PERCENT: ("percent", "Rounded to a whole percent."),
    Unit.HOURS: ("hours", "Rounded to whole hours."),
    Unit.TENTHS: ("average", "Rounded to one tenth."),
}


def value(row: Row) -> int | float | None:
    """Return the number of a row as people write it; None where it is hidden."""
    if row.number is None or row.unit != Unit.TENTHS:
        return row.number
    return row.number / 10


def lines(table: Table) -> Rows:
    """Return the rows of a table under `HEADERS`."""
    return [
        (
            table.code,
            f"{row.first:%Y-%m}",
            f"{row.last:%Y-%m}",
            row.period,
            row.category,
            row.label,
            "; ".join(row.members),
            value(row),
            UNITS[row.unit][0],
            "yes" if row.number is None else "no",
        )
        for row in table.rows
    ]


@dataclass(frozen=True)
class ReleaseFiles:
    """What there is to fetch of a published release.

    Attributes:
        words: the quarter in words.
        tables: (code, title) of each that has something to tell; none where the quarter tells nothing by itself.
    """

    quarter: date
    words: str
    tables: list[tuple[str, str]]


def release_files() -> list[ReleaseFiles]:
    """Return what there is to fetch of each published release, newest first."""
    published = Release.objects.filter(state=Release.State.PUBLISHED).order_by("-quarter", "cells__table")
    tables: dict[date, list[tuple[str, str]]] = {}
    for quarter, code in published.values_list("quarter", "cells__table").distinct():
        tables.setdefault(quarter, []).extend([(code, str(TITLES[code]))] if code else [])
    return [
        ReleaseFiles(each, periods.label(each, periods.last_month(each)), listed) for each, listed in tables.items()
    ]


def dictionary(release: Release, tables: Sequence[Table]) -> tuple[Sequence[str], Rows]:
    """Return headers and rows of what the release, its tables, their columns and units mean."""
    assert release.published_at is not None
    day = date_format(localtime(release.published_at), "j F Y")
    rows: Rows = [("release", periods.code(release.quarter), f"Published on {day}. What is published never changes.")]
    rows += [("table", table.code, f"{table.title}. {table.note}") for table in tables]
    rows += [("column", name, meaning) for name, meaning in COLUMNS]
    rows += [("unit", word, meaning % {"least": settings.PSI_K}) for word, meaning in UNITS.values()]
    codes = {(row.category, f"In {table.code}: {row.label}.") for table in tables for row in table.rows}
    rows += [("category", code, meaning) for code, meaning in sorted(codes)]
    return ("what", "name", "meaning"), rows
