"""Facts without faces: each counted event leaves one, and marks its site-month to be counted anew."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

from psi import tenancy
from psi.locks import CommitOrder
from sites.engine import agenda
from sites.engine.models import Fact

DIRTY_MONTH = "ROLLUP"
# Facts, and the mark on their month.
FACTS = CommitOrder(30, "FACTS")
# Before a measure: this fact takes one back. Facts are never removed, as in any ledger.
RETRACTED = "-"
_frozen_at: list[Callable[[datetime], datetime | None]] = []
MOST_HOURS = 999  # docs/rules.md#percentages-and-medians


def month_of(moment: datetime) -> date:
    """Return the first day of the month in which a moment counts at the current site."""
    return tenancy.local(moment).date().replace(day=1)


def count(*facts: tuple[str, str], at: datetime | None = None) -> None:
    """Write facts (measure, category) of the current site, in the month of its own time zone.

    A late report counts in the month in which it is made (docs/rules.md#releases). Written last, because
    every event of a site-month touches the same dirty mark.

    Args:
        at: the moment in whose month it counts; now when left out.
    """
    month = month_of(at or tenancy.now())

    def write() -> None:
        Fact.objects.bulk_create(Fact(month=month, measure=measure, category=code) for measure, code in facts)
        agenda.schedule(DIRTY_MONTH, [month.year * 100 + month.month], tenancy.now())

    tenancy.before_commit(write, FACTS)


def register(frozen_at: Callable[[datetime], datetime | None]) -> None:
    """Let the figures answer when the month of a moment was frozen at the current site; None when it was not."""
    _frozen_at[:] = [frozen_at]


def count_again(*facts: tuple[str, str], at: datetime, since: datetime) -> None:
    """Count what was taken back by mistake: in its own month, or in this one where its own was frozen without it.

    A frozen month is read by no later release: what comes too late counts when it is reported
    (docs/rules.md#releases).

    Args:
        at: when it was counted first.
        since: when it was taken back.
    """
    moments = [moment for frozen_at in _frozen_at if (moment := frozen_at(at)) is not None]
    count(*facts, at=None if moments and since < moments[0] else at)


def hours(taken: timedelta) -> str:
    """Return whole hours as a category; what took longer than `MOST_HOURS` counts as that."""
    return str(max(0, min(int(taken.total_seconds() // 3600), MOST_HOURS)))


def take_back(*facts: tuple[str, str], at: datetime) -> None:
    """Count these once less, in the month in which they were counted (`at`). What is published stays as it is."""
    count(*((RETRACTED + measure, category) for measure, category in facts), at=at)
