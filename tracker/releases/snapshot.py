"""A crossing (docs/data-protection.md#crossings): counts are frozen in each site's scope, and read for a release.

What is read stays in the memory of the worker. No referral is read, and the province keeps no count of a site.
"""

from collections.abc import Iterator
from datetime import date, datetime

from django.db import connection

from psi import tenancy
from psi.locks import AdvisoryLock
from sites.engine import facts
from sites.engine.models import Due
from sites.tenants.models import Site
from sites.tenants.queries import province
from tracker.figures import periods, rollups
from tracker.figures.models import Rollup
from tracker.releases import cube
from tracker.releases import transitions as releases
from tracker.releases.models import Frozen

FREEZE = AdvisoryLock("FREEZE", 7105)


def register() -> None:
    """Let facts that are counted again ask whether their month was frozen in between."""
    facts.register(frozen_at)


def take(last: date) -> None:
    """Freeze the counts of every funded site up to the month `last`; months that are frozen already stay as they are.

    Existing programs outside the funding are left out. A late report counts in the month in which it is
    made; what is corrected in a month that is kept no longer changes what is published.
    """
    province_site = province()
    first = _first_unfrozen(province_site, last)
    if first is None or first > last:
        return
    funded = Site.objects.filter(funding=Site.Funding.FUNDED).exclude(pk=province_site.pk).order_by("pk")
    # The province last: its mark says that all the others are done, should a worker die meanwhile.
    for site_id in [*funded.values_list("pk", flat=True), province_site.pk]:
        with tenancy.site_scope(site_id):
            _freeze_site(site_id, first, last)


def _freeze_site(site_id: int, first: date, last: date) -> None:
    """Keep the current site's months, all or none.

    Raises:
        cube.Incomplete: its requests are not as many as their sets of reasons say. Nothing is kept, so that it can
            still be mended.
    """
    # A month marked dirty is counted anew first, so that nothing is made of old counts.
    dirty = Due.objects.filter(site_id=site_id, kind=facts.DIRTY_MONTH).values_list("object_id", flat=True)
    rollups.rebuild(list(dirty))
    months = periods.months(first, last)
    counted = Rollup.objects.filter(month__in=months, measure__in=cube.MEASURES)
    cube.build({site_id: counted.values_list("month", "measure", "category", "count")}, months)
    # Of two workers the second finds the marks, and keeps nothing.
    tenancy.acquire(FREEZE)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO tracker_frozen (site_id, month, measure, category, count)"
            " SELECT site_id, month, measure, category, count FROM tracker_rollup"
            " WHERE site_id = %(site)s AND month = ANY(%(months)s) AND measure = ANY(%(measures)s)"
            " AND NOT EXISTS (SELECT FROM tracker_frozen AS f WHERE f.site_id = %(site)s"
            " AND f.month = tracker_rollup.month AND f.measure = %(mark)s)",
            {"site": site_id, "months": months, "measures": list(cube.MEASURES), "mark": Frozen.MARK},
        )
    Frozen.objects.bulk_create(
        [Frozen(month=month, measure=Frozen.MARK, category="ALL", count=0, kept_at=tenancy.now()) for month in months],
        ignore_conflicts=True,
    )


def frozen_at(moment: datetime) -> datetime | None:
    """Return when the month of this moment was frozen at the current site; None if it was not yet."""
    marks = Frozen.objects.filter(measure=Frozen.MARK, month=facts.month_of(moment))
    return marks.values_list("kept_at", flat=True).first()


def _first_unfrozen(province_site: Site, last: date) -> date | None:
    """Return the first month that is not frozen yet, on the first day of a quarter; None if nothing ever happened."""
    with tenancy.site_scope(province_site.pk):
        latest = Frozen.objects.filter(measure=Frozen.MARK).order_by("-month").values_list("month", flat=True).first()
    if latest:
        return periods.next_month(latest)
    return releases.first_quarter()


def load(last: date) -> cube.Cube | None:
    """Return the cube of all frozen counts up to the month `last`; None when there are none.

    Raises:
        cube.Incomplete: a site's counts contradict each other.
    """
    rows = dict(_rows(last))
    months = [month for each in rows.values() for month, measure, _, _ in each if measure == Frozen.MARK]
    if not months:
        return None
    return cube.build(rows, periods.months(min(months), last))


def _rows(last: date) -> Iterator[tuple[int, list[cube.Row]]]:
    for site_id in Site.objects.order_by("pk").values_list("pk", flat=True):
        with tenancy.site_scope(site_id):
            frozen = Frozen.objects.filter(month__lte=last).values_list("month", "measure", "category", "count")
            if rows := list(frozen):
                yield site_id, rows
