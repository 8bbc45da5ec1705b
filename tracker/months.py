"""Months of the current site: what is recorded late goes to this month or the one before, and no further back."""

from datetime import date, datetime, timedelta

from django.utils.timezone import localdate

from psi import tenancy


def this_month() -> date:
    """Return the first day of this month."""
    return localdate(tenancy.now()).replace(day=1)


def open_months(since: datetime | None = None) -> list[date]:
    """Return the first days of the months that may be recorded now, this one first.

    Args:
        since: nothing happened before it.
    """
    this = this_month()
    before = (this - timedelta(days=1)).replace(day=1)
    return [this] if since is not None and localdate(since) >= this else [this, before]
