"""What the province publishes: requests by month, from closed quarters, nothing between 1 and K - 1.

A crossing (docs/architecture.md): each site's rollups are read in that site's scope, added up, and
written in the province's. No referral is read, and no count of one site is kept.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from django.conf import settings

from psi import tenancy
from sites import facts
from sites.models import Due, Site
from sites.queries import province
from tracker import rollups
from tracker.models import ReleaseCell, Rollup

MEASURE = "REQUEST"
# A quarter is published no earlier than this many days after its end (rules.md, Figures).
WAIT = timedelta(days=30)


@dataclass(frozen=True)
class Cell:
    """A number to publish: how many, in the months `first` to `last` (first days)."""

    first: date
    last: date
    count: int


def release_closed_quarters() -> int:
    """Publish every closed quarter that is not published yet; return how many cells were written.

    Two workers wait for each other on the province's row, so that nothing is published twice.
    """
    home = province()
    with tenancy.site_scope(home.pk) as scope:
        today = scope.now.date()
        Site.objects.select_for_update(of=("self",), no_key=True).get(pk=home.pk)
        published = ReleaseCell.objects.filter(measure=MEASURE).order_by("-last").values_list("last", flat=True)
        after = published.first()
    counted = _months(home)
    start = next_month(after) if after else _quarter(min(counted)) if counted else None
    if start is None:
        return 0
    cells = list(fold(counted, start, today, settings.PSI_K))
    with tenancy.site_scope(home.pk):
        Site.objects.select_for_update(of=("self",), no_key=True).get(pk=home.pk)
        known = set(ReleaseCell.objects.filter(measure=MEASURE).values_list("first", "last"))
        new = [cell for cell in cells if (cell.first, cell.last) not in known]
        ReleaseCell.objects.bulk_create(
            ReleaseCell(measure=MEASURE, first=cell.first, last=cell.last, count=cell.count, released_at=tenancy.now())
            for cell in new
        )
    return len(new)


def _months(home: Site) -> Counter[date]:
    """Return month → requests, over the province and the funded sites; the rest are never counted."""
    total: Counter[date] = Counter()
    counted = Site.objects.filter(funding=Site.Funding.FUNDED).order_by("pk").values_list("pk", flat=True)
    for site_id in counted:
        with tenancy.site_scope(site_id):
            # A month marked dirty is counted anew first, so that no release is made of old counts.
            dirty = Due.objects.filter(site_id=site_id, kind=facts.DIRTY_MONTH).values_list("object_id", flat=True)
            rollups.rebuild(list(dirty))
            for month, count in Rollup.objects.filter(measure=MEASURE, category="ALL").values_list("month", "count"):
                total[month] += count
    return total


def fold(counted: Counter[date], start: date, today: date, k: int) -> Iterator[Cell]:
    """Yield what may be published of the closed quarters from `start` on.

    Months are published only if each of the quarter's is 0 or at least `k`; otherwise the quarter
    alone is, for two months and their sum would tell the third. A quarter under `k` is folded into
    the one after it.

    Args:
        counted: month (first day) → requests.
        start: first month of the first quarter not published yet.
        today: date of the release, in the province's calendar.
        k: smallest count that may be told.
    """
    first, carried = start, 0
    for quarter in _closed_quarters(start, today):
        months = [quarter, next_month(quarter), next_month(next_month(quarter))]
        counts = [counted[month] for month in months]
        carried += sum(counts)
        if 0 < carried < k:
            continue
        if first == quarter and all(count == 0 or count >= k for count in counts):
            yield from (Cell(month, month, count) for month, count in zip(months, counts, strict=True))
        yield Cell(first, months[-1], carried)
        first, carried = next_month(months[-1]), 0


def _closed_quarters(start: date, today: date) -> Iterable[date]:
    quarter = start
    while True:
        following = next_month(next_month(next_month(quarter)))
        if today < following + WAIT:
            return
        yield quarter
        quarter = following


def next_month(month: date) -> date:
    """Return the first day of the month after `month`."""
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)


def _quarter(month: date) -> date:
    return month.replace(month=(month.month - 1) // 3 * 3 + 1)
