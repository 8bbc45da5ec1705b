"""A quarter released as in use: asked for by a coordinator, checked as by the worker, published."""

import uuid
from collections.abc import Iterable
from datetime import UTC, date, datetime

from psi.tenancy import site_scope
from referrals.requests.request_facts import set_code
from sites.engine import facts
from sites.engine.audit import Actor
from sites.tenants.models import Role, Site
from tests.people import World
from tracker.releases import check as release_check
from tracker.releases import transitions as releases
from tracker.releases.models import Release, ReleaseCell
from tracker.releases.options import ReleaseOptions

Cells = list[tuple[str, str, date, date, int]]


def happen(
    at: Site, month: date, number: int, reasons: Iterable[str] = ("BURNOUT",), pathway: str = "REACH_IN", day: int = 15
) -> None:
    """Count requests of a site in a month, as if they had been received then."""
    each = [("REQUEST", "ALL"), ("REQ_SET", set_code(pathway, reasons))]
    note(at, month, each * number, day)


def note(at: Site, month: date, counted: list[tuple[str, str]], day: int = 15) -> None:
    """Count facts of a site in a month."""
    with site_scope(at.pk, now=datetime(month.year, month.month, day, 20, tzinfo=UTC)):
        facts.count(*counted)


def coordinator(world: World) -> Actor:
    return Actor(world["coordinator"].pk, Role.ADMINISTRATOR.value)


def prepared(world: World, quarter: date, on: date, wanted: ReleaseOptions | None = None) -> Release:
    """Ask for a release of `quarter` on a day, and have it checked."""
    with site_scope(world.province.pk, now=datetime(on.year, on.month, on.day, 20, tzinfo=UTC)):
        release = releases.prepare(quarter, wanted or ReleaseOptions(), key=uuid.uuid4(), by=coordinator(world))
        release_check.check(release.pk)
        release.refresh_from_db()
    return release


def released(
    world: World, quarter: date, on: date, wanted: ReleaseOptions | None = None, *, public: bool = False
) -> Release:
    """Release `quarter` on a day; it must have passed."""
    release = prepared(world, quarter, on, wanted)
    with site_scope(world.province.pk, now=datetime(on.year, on.month, on.day, 20, tzinfo=UTC)):
        return releases.publish(release.pk, public=public, by=coordinator(world))


def cells(world: World, table: str = "P1") -> Cells:
    """Return the cells of a table of the province that stand in the database."""
    with site_scope(world.province.pk):
        found = ReleaseCell.objects.filter(table=table).order_by("first", "last", "category")
        return list(found.values_list("table", "category", "first", "last", "number"))
