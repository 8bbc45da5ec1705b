"""Spans of months that figures are asked for: calendar years, fiscal years (1 April to 31 March), quarters."""

import re
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from tracker.figures import periods
from tracker.figures.periods import FISCAL_START

PERIOD_CODE = re.compile(r"(\d{4})(?:-(\d{2})|-Q([1-4]))?", re.ASCII)


@dataclass(frozen=True)
class Period:
    """Whole months from `first` to `last` (both first days), and how the span is written in an address."""

    code: str
    first: date
    last: date

    def __str__(self) -> str:
        if self.first.year == self.last.year:
            return f"{date_format(self.first, 'F')} – {date_format(self.last, 'F Y')}"
        return f"{date_format(self.first, 'F Y')} – {date_format(self.last, 'F Y')}"

    def months(self, until: date) -> list[date]:
        """Return the first days of its months, those after `until` left out."""
        return periods.months(self.first, min(self.last, until.replace(day=1)))


def calendar_year(year: int) -> Period:
    """Return January to December."""
    return Period(str(year), date(year, 1, 1), date(year, 12, 1))


def fiscal_year(day: date) -> Period:
    """Return the fiscal year that has this day in it."""
    first = periods.fiscal_year(day)
    return Period(f"{first.year}-{(first.year + 1) % 100:02}", first, periods.later(first, periods.YEAR - 1))


def quarter(year: int, number: int) -> Period:
    """Return a quarter of a calendar year, `number` 1 to 4."""
    first = date(year, periods.QUARTER * (number - 1) + 1, 1)
    return Period(f"{year}-Q{number}", first, periods.last_month(first))


def parse(text: str, today: date) -> Period:
    """Return the period that an address names; the fiscal year at hand when it names none.

    Raises:
        ValueError: it names none that can be shown, with a sentence that says why.
    """
    if not text:
        return fiscal_year(today)
    written = PERIOD_CODE.fullmatch(text)
    if written is None or not 2000 <= int(written[1]) <= 9000:
        raise ValueError(_("That is not a period. Please choose one from the list."))
    year = int(written[1])
    if written[2]:
        period = fiscal_year(date(year, FISCAL_START, 1))
    else:
        period = quarter(year, int(written[3])) if written[3] else calendar_year(year)
    if period.code != text:
        raise ValueError(
            _("A fiscal year ends a year after it began, such as 2026-27. Please choose one from the list.")
        )
    if period.first > today:
        raise ValueError(_("That period has not begun. Please choose one from the list."))
    return period


def finished_fiscal_years(today: date) -> list[Period]:
    """Return the fiscal years that are over, the latest first, as far back as five."""
    current = fiscal_year(today).first.year
    return [fiscal_year(date(year, FISCAL_START, 1)) for year in range(current - 1, current - 6, -1)]


def period_choices(first: date, today: date) -> list[tuple[str, list[Period]]]:
    """Return (heading, periods) from the month `first` until today, the newest first."""
    oldest = fiscal_year(first).first.year
    fiscal = [fiscal_year(date(year, FISCAL_START, 1)) for year in range(today.year, oldest - 1, -1)]
    years = [calendar_year(year) for year in range(today.year, first.year - 1, -1)]
    quarters = [quarter(year, number) for year in range(today.year, first.year - 1, -1) for number in (4, 3, 2, 1)]
    groups = (_("Fiscal years"), fiscal), (_("Calendar years"), years), (_("Quarters"), quarters)
    return [
        (heading, [period for period in group if period.first <= today and period.last >= first.replace(day=1)])
        for heading, group in groups
    ]


# A quarter is published no earlier than this many days after its end (docs/rules.md#releases).
PUBLICATION_DELAY = timedelta(days=30)
