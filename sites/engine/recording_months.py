"""Months of the current site: what is recorded late goes to this month or the one before, and no further back
(docs/rules.md#months-that-may-be-recorded).
"""

from datetime import date, datetime, timedelta

from django.utils.timezone import localdate

from psi import tenancy


def this_month() -> date:
    """Return the first day of this month."""
    return localdate(tenancy.now()).replace(day=1)


def open_months(since: datetime | None = None, until: datetime | None = None) -> list[date]:
    """Return the first days of the months that may be recorded now, the later one first; none when it is too late.

    Args:
        since: nothing happened before it.
        until: nothing happened after it.
    """
    current = this_month()
    first = localdate(since).replace(day=1) if since else date.min
    last = localdate(until) if until else date.max
    return [month for month in (current, (current - timedelta(days=1)).replace(day=1)) if first <= month <= last]
