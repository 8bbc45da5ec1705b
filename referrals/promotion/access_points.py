"""Access points: which wall, newsletter or meeting brings people. Counts by week, and nothing about anyone."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

from django.conf import settings
from django.db import connection
from django.urls import reverse
from django.utils.timezone import localdate

from psi import tenancy
from psi.locks import CommitOrder
from referrals.promotion.models import AccessPoint, AccessWeek, Promotion
from sites.engine import audit
from sites.engine.audit import Actor
from sites.engine.references import reference
from sites.tenants.models import Site

Step = Literal["opened", "started", "sent"]
# The week of a printed code.
ACCESS_WEEK = CommitOrder(10, "ACCESS_WEEK")
WEEKS = 26  # half a year on the chart
# Height of the drawing, and width of a week, in units of its viewBox.
HEIGHT, WEEK_WIDTH = 72, 24


def make(name: str, *, by: Actor) -> AccessPoint:
    """Add an access point to the current site, with a short code of its own."""
    number = tenancy.next_id(AccessPoint)
    point = AccessPoint(id=number, code=reference(number), name=name, made_at=tenancy.now())
    point.save(force_insert=True)
    audit.record("CODE_MADE", "SITE", point.site_id, by=by)
    return point


def add_promotion(promotion: Promotion, *, by: Actor) -> None:
    """Store something the current site did to be known, for its chart."""
    promotion.save(force_insert=True)
    audit.record("SETTINGS", "SITE", promotion.site_id, by=by)


def set_palette(site: Site, *, by: Actor) -> None:
    """Store the colour in which a site prints, `site.palette`."""
    site.save(update_fields=["palette"])
    audit.record("SETTINGS", "SITE", site.pk, by=by)


def count(code: str, step: Step) -> None:
    """Add one to a step of the week for the code, if the current site has it.

    Written last: everybody who scans one poster queues for one row.
    """
    today = tenancy.local(tenancy.now()).date()
    monday = today - timedelta(days=today.weekday())

    def write() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO referrals_accessweek AS old (site_id, point_id, week, opened, started, sent)"
                " SELECT point.site_id, point.id, %(week)s,"
                " (%(step)s = 'opened')::int, (%(step)s = 'started')::int, (%(step)s = 'sent')::int"
                " FROM referrals_accesspoint AS point WHERE point.code = %(code)s"
                " ON CONFLICT (site_id, point_id, week) DO UPDATE SET opened = old.opened + excluded.opened,"
                " started = old.started + excluded.started, sent = old.sent + excluded.sent",
                {"week": monday, "step": step, "code": code},
            )

    tenancy.before_commit(write, ACCESS_WEEK)


def clean_code(text: str) -> str:
    """Return what a code may be in an address, as typed by hand too; "" for anything else."""
    code = text.strip().upper()
    return code if code.isascii() and code.isalnum() and len(code) <= 6 else ""


def address(site: Site, point: AccessPoint) -> str:
    """Return the whole printed address of a code."""
    return settings.PSI_ORIGIN + reverse("access", args=[site.slug, point.code])


@dataclass(frozen=True)
class Bar:
    """A week as drawn, from the foot of the chart: opened behind, sent before it."""

    week: date
    x: int
    opened: float
    sent: float


@dataclass(frozen=True)
class Mark:
    """A promotion as drawn: where its day falls."""

    x: float
    label: str


@dataclass
class Line:
    """An access point on the page: its counts of the weeks shown, in all and week by week."""

    point: AccessPoint
    weeks: dict[date, AccessWeek] = field(default_factory=dict)

    def total(self, step: Step) -> int:
        return sum(getattr(week, step) for week in self.weeks.values())

    @property
    def steps(self) -> tuple[int, int, int]:
        """Opened, form begun, sent."""
        return self.total("opened"), self.total("started"), self.total("sent")


@dataclass(frozen=True)
class Chart:
    """All access points over the same weeks and on one scale, with what was done to be known."""

    mondays: list[date]
    lines: list[Line]
    promotions: list[Promotion]

    @property
    def width(self) -> int:
        return len(self.mondays) * WEEK_WIDTH

    @property
    def marks(self) -> list[Mark]:
        first = self.mondays[0]
        return [
            Mark(round((promotion.on - first).days / 7 * WEEK_WIDTH, 1), promotion.get_kind_display())
            for promotion in self.promotions
            if 0 <= (promotion.on - first).days < 7 * len(self.mondays)
        ]

    def drawn(self) -> list[tuple[Line, list[Bar]]]:
        """Return each line with its bars, scaled to the fullest week of all."""
        top = max((week.opened for line in self.lines for week in line.weeks.values()), default=0) or 1
        return [
            (
                line,
                [
                    Bar(
                        monday,
                        i * WEEK_WIDTH,
                        round(HEIGHT * counts.opened / top, 1),
                        round(HEIGHT * min(counts.sent, counts.opened) / top, 1),
                    )
                    for i, monday in enumerate(self.mondays)
                    if (counts := line.weeks.get(monday))
                ],
            )
            for line in self.lines
        ]


def chart(points: Iterable[AccessPoint]) -> Chart:
    """Return the last half-year of these access points of the current site, in two queries."""
    today = localdate(tenancy.now())
    monday = today - timedelta(days=today.weekday())
    mondays = [monday - timedelta(weeks=back) for back in reversed(range(WEEKS))]
    lines = {point.pk: Line(point) for point in points}
    for week in AccessWeek.objects.filter(point_id__in=lines, week__gte=mondays[0]):
        lines[week.point_id].weeks[week.week] = week
    promotions = list(Promotion.objects.filter(on__gte=mondays[0], on__lte=today).order_by("on", "pk"))
    return Chart(mondays, list(lines.values()), promotions)
