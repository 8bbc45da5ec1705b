"""Who was trained, counted once among the facts of the month of that day."""

from datetime import UTC, date, datetime, time, timedelta

from django.utils.timezone import localdate

from psi import tenancy
from sites.engine import facts
from training.supporters.models import PeerSupporter

TRAINED = ("TRAINED", "ALL")
# A day outside is a slip of the keyboard, and a fact of it would stand for ever (docs/rules.md#day-of-training).
EARLIEST, AHEAD = date(2000, 1, 1), timedelta(days=366)


def believable(day: date) -> bool:
    """Whether somebody may have been trained on this day, or will be."""
    return EARLIEST <= day <= localdate(tenancy.now()) + AHEAD


def count_trained(supporter: PeerSupporter) -> None:
    """Count a supporter in the month of the day on which they were trained; a changed day takes the old count back.

    Calling it again changes nothing. Who is lent is counted by their own site alone.

    Args:
        supporter: saved already, and locked or new.
    """
    before, day = supporter.counted_on, supporter.trained_on
    if supporter.home_id is not None or day == before:
        return
    if before is not None:
        facts.take_back(TRAINED, at=_noon(before))
    if day is not None:
        facts.count(TRAINED, at=_noon(day))
    supporter.counted_on = day
    supporter.save(update_fields=["counted_on"])


def _noon(day: date) -> datetime:
    # Noon in British Columbia, or near it: the same day at every site.
    return datetime.combine(day, time(20), UTC)
