"""A release for tests of what is made of it: rows as the gate lets them through, one number hidden in each table."""

from datetime import date
from uuid import uuid4

from psi.tenancy import now, site_scope
from sites.tenants.models import Site
from tests.people import World
from tracker.releases.models import Release, ReleaseCell, ReleaseMember

JANUARY, FEBRUARY, MARCH = (date(2026, month, 1) for month in (1, 2, 3))
APRIL_BEFORE = date(2025, 4, 1)
PUBLISHED = Release.State.PUBLISHED
# (table, category, first, last, number, unit): February is hidden, and the hours from request to match.
CELLS = (
    ("P1", "ALL", JANUARY, JANUARY, 31, "COUNT"),
    ("P1", "ALL", JANUARY, MARCH, 84, "COUNT"),
    ("P2", "BURNOUT", JANUARY, MARCH, 40, "COUNT"),
    ("P2", "GROUPED", JANUARY, MARCH, 12, "COUNT"),
    ("P3", "REACH_IN", JANUARY, MARCH, 84, "COUNT"),
    ("P3", "REACH_OUT", JANUARY, MARCH, 0, "COUNT"),
    ("P5", "CONTACT", JANUARY, MARCH, 60, "COUNT"),
    ("P5", "CONTACT_Y", JANUARY, MARCH, 95, "PERCENT"),
    ("P5", "TO_CONTACT", JANUARY, MARCH, 7, "HOURS"),
    ("P5", "PER_MATCH", JANUARY, MARCH, 23, "TENTHS"),
)


def release(world: World, quarter: date = JANUARY, state: str = PUBLISHED, *, public: bool = False) -> Release:
    """Return a release of the province, in a state, with the cells of the first quarter of 2026."""
    with site_scope(world.province.pk):
        at = now()
        found = Release.objects.create(
            quarter=quarter,
            state=state,
            public=public,
            key=uuid4(),
            asked_at=at,
            published_at=at if state == PUBLISHED else None,
        )
        sites = [("P4", f"S{site.pk}", APRIL_BEFORE, MARCH, 50, "COUNT") for site in Site.objects.filter(slug="north")]
        names = ("table", "category", "first", "last", "number", "unit")
        ReleaseCell.objects.bulk_create(
            ReleaseCell(release=found, **dict(zip(names, cell, strict=True))) for cell in (*CELLS, *sites)
        )
        for member in ("EVENT", "OTHER"):
            ReleaseMember.objects.create(
                release=found, table="P2", group="GROUPED", member=member, first=JANUARY, last=MARCH
            )
    return found
