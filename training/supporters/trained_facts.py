"""Who was trained, as a fact of the month of that day: once, whoever wrote the day."""

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


def trained(supporter: PeerSupporter) -> None:
    """Let the figures of the current site follow the day on which one of its own was trained.

    For whoever writes `trained_on`: attendance, an import, the form. Who is lent counts at home.

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
