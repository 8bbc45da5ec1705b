"""What the province has published, to be shown: tables of rows, made of its immutable cells alone.

The page, its files, the JSON and the report all read these, so that none can show more than another.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.formats import date_format, number_format
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from referrals.requests.models import Reason, Referral
from sites.tenants.models import Site
from tracker.figures import charts, periods
from tracker.figures.charts import Chart, Kind
from tracker.releases.models import Release, ReleaseCell, ReleaseMember

Table_, Unit = Release.Table, ReleaseCell.Unit

TITLES: dict[str, Promise] = {
    Table_.MONTHS: _("Requests by period"),
    Table_.REASONS: _("Requests by reason"),
    Table_.PATHWAYS: _("Requests by pathway"),
    Table_.SITES: _("Requests by site"),
    Table_.PROCESS: _("How the program works"),
}
NOTES: dict[str, Promise] = {
    Table_.MONTHS: _("Requests of the sites that the initiative funds, and of the province."),
    Table_.REASONS: _(
        "A request may mention several reasons, so the rows do not add up to the number of requests."
        " Reasons with small numbers are told together."
    ),
    Table_.PATHWAYS: _("Reach-in: the physician asked. Reach-out: a colleague told, and the physician agreed."),
    Table_.SITES: _("A fiscal year from April to March. Small sites are told together with others of their region."),
    Table_.PROCESS: _("Percentages are shown from a base of 20, medians from 10 values."),
}
PATHWAY_LABELS: dict[str, Promise] = {
    Referral.Pathway.REACH_IN: _("Reach-in"),
    Referral.Pathway.REACH_OUT: _("Reach-out"),
}
PROCESS_LABELS: dict[str, Promise] = {
    "CONTACT": _("Contact windows that ended: contact was made in time, or 72 hours were over"),
    "CONTACT_Y": _("Contact within 72 hours of the confirmed match"),
    "TO_MATCH": _("Hours from request to confirmed match, median"),
    "TO_CONTACT": _("Hours from confirmed match to contact, median"),
    "TALK": _("Conversations recorded"),
    "PER_MATCH": _("Conversations per match"),
    "SURVEY": _("Physicians who answered the survey"),
    "SV_TIME_Y": _("Of these, contacted in time"),
    "SV_SAFE_Y": _("Of these, felt safe"),
    "SV_HELP_Y": _("Of these, found it helpful"),
    "SV_RECOMM_Y": _("Of these, would recommend it"),
    "SV_AGAIN_Y": _("Of these, would use it again"),
}
UNITS: dict[str, str] = {
    "TO_MATCH": Unit.HOURS,
    "TO_CONTACT": Unit.HOURS,
    "PER_MATCH": Unit.TENTHS,
}
REGIONS: dict[str, Promise] = {
    Site.Region.FRASER: _("Small sites in Fraser"),
    Site.Region.INTERIOR: _("Small sites in the Interior"),
    Site.Region.ISLAND: _("Small sites on Vancouver Island"),
    Site.Region.NORTHERN: _("Small sites in the North"),
    Site.Region.COASTAL: _("Small sites in Vancouver Coastal"),
    "REST": _("Small sites of several regions"),
}


@dataclass(frozen=True)
class Row:
    """A line of a table.

    Attributes:
        category: code of what it counts; `label` is the same in words.
        number: None where it is hidden, and then nothing else tells it.
        members: what is told together in this row, in words.
    """

    first: date
    last: date
    category: str
    label: str
    number: int | None
    unit: str = Unit.COUNT.value
    members: tuple[str, ...] = ()

    @property
    def period(self) -> str:
        return periods.label(self.first, self.last)

    @property
    def display(self) -> str:
        """The number as people read it; “hidden” where it is."""
        if self.number is None:
            return gettext("hidden")
        if self.unit == Unit.PERCENT:
            return gettext("%(number)s %%") % {"number": self.number}
        if self.unit == Unit.TENTHS:
            return str(number_format(self.number / 10, 1))
        return str(self.number)


@dataclass(frozen=True)
class Table:
    """A table of one release: P1 to P5."""

    code: str
    title: str
    note: str
    rows: list[Row] = field(default_factory=list)

    @property
    def picture(self) -> SafeString | None:
        """The drawing of the table, None where it has none."""
        drawn = chart(self)
        return SafeString(charts.svg(drawn)) if drawn and drawn.rows else None

    @property
    def picture_note(self) -> str:
        """What to know of the picture; empty where it shows every period."""
        if self.code != Table_.MONTHS or len(_drawn_rows(self.rows)) == len(self.rows):
            return ""
        return gettext("Only periods of the same length are drawn; the table has all of them.")


def published_releases(*, public_only: bool = False) -> list[Release]:
    """Return the published releases, the newest first.

    Args:
        public_only: those that everybody may read.
    """
    return list(_published(public_only=public_only).order_by("-quarter"))


def published_release(quarter: date, *, public_only: bool = False) -> Release | None:
    """Return the published release of a quarter, None if there is none."""
    return _published(public_only=public_only).filter(quarter=quarter).first()


def _published(*, public_only: bool) -> QuerySet[Release]:
    releases = Release.objects.filter(state=Release.State.PUBLISHED)
    return releases.filter(public=True) if public_only else releases


def tables(release: Release) -> list[Table]:
    """Return the tables of a release, those that have something to tell."""
    return _tables(ReleaseCell.objects.filter(release=release), ReleaseMember.objects.filter(release=release))


def over_time() -> list[Table]:
    """Return the five tables over all published releases, each oldest period first."""
    published = Release.State.PUBLISHED
    return _tables(
        ReleaseCell.objects.filter(Q(release=None) | Q(release__state=published)),
        ReleaseMember.objects.filter(release__state=published),
    )


def _tables(cells: QuerySet[ReleaseCell], members: QuerySet[ReleaseMember]) -> list[Table]:
    cells_of: dict[str, list[Any]] = defaultdict(list)
    # Bare rows, for there are hundreds: as models they take half as long again.
    for cell in cells.values_list("table", "category", "first", "last", "number", "unit", named=True):
        cells_of[cell.table].append(cell)
    members_of_group: dict[tuple[str, str, date], list[str]] = defaultdict(list)
    for table, group, first, member in members.values_list("table", "group", "first", "member"):
        members_of_group[table, group, first].append(member)
    names = dict(Site.objects.values_list("pk", "name")) if Table_.SITES in cells_of else {}
    return [
        Table(code, str(TITLES[code]), str(NOTES[code]), _rows(code, cells_of[code], members_of_group, names))
        for code in Table_.values
        if code in cells_of
    ]


def _rows(
    code: str,
    cells: list[Any],
    members_of_group: dict[tuple[str, str, date], list[str]],
    names: dict[int, str],
) -> list[Row]:
    published = {(cell.first, cell.last, cell.category): cell for cell in cells}
    by_month = any(cell.first == cell.last for cell in cells)
    rows = []
    for first, last in sorted({(cell.first, cell.last) for cell in cells if cell.first != cell.last}):
        if code == Table_.MONTHS:
            # Where some months are told, one that is not is hidden, not missing. Where none is, the period says it all.
            months = [(month, month, "ALL") for month in periods.months(first, last)] if by_month else []
            expected = [*months, (first, last, "ALL")]
        elif code == Table_.PROCESS:
            # Without a base a percentage has no line of its own.
            expected = [
                (first, last, name)
                for name in PROCESS_LABELS
                if not name.endswith("_Y") or _base(published, first, last, name)
            ]
        else:
            order = [*Reason.values, "GROUPED", *PATHWAY_LABELS]
            of_period = [cell for cell in cells if (cell.first, cell.last) == (first, last)]
            rank = {name: i for i, name in enumerate(order)}
            of_period.sort(key=lambda cell: (rank.get(cell.category, 99), _label(code, cell.category, names)))
            expected = [(first, last, cell.category) for cell in of_period]
        for key in expected:
            cell = published.get(key)
            unit = cell.unit if cell else _unit(key[2])
            member_labels = tuple(
                _label(code, name, names) for name in members_of_group.get((code, key[2], key[0]), ())
            )
            rows.append(Row(*key, _label(code, key[2], names), cell.number if cell else None, unit, member_labels))
    return rows


def _base(published: Mapping[tuple[date, date, str], Any], first: date, last: date, share: str) -> int:
    """Return the base of a percentage; 0 where the base is not published."""
    cell = published.get((first, last, "CONTACT" if share == "CONTACT_Y" else "SURVEY"))
    return cell.number if cell else 0


def _unit(category: str) -> str:
    return str(Unit.PERCENT if category.endswith("_Y") else UNITS.get(category, Unit.COUNT))


def _label(code: str, category: str, names: dict[int, str]) -> str:
    if code == Table_.REASONS:
        return gettext("Other (grouped)") if category == "GROUPED" else str(Reason(category).label)
    if code == Table_.PATHWAYS:
        return str(PATHWAY_LABELS[category])
    if code == Table_.SITES:
        return str(REGIONS[category]) if category in REGIONS else names[int(category[1:])]
    if code == Table_.PROCESS:
        return str(PROCESS_LABELS[category])
    return gettext("Requests")


def chart(table: Table) -> Chart | None:
    """Return the picture of a table: its months, or what it counted in the latest period; None for measures."""
    if table.code == Table_.PROCESS or not table.rows:
        return None
    if table.code == Table_.MONTHS:
        drawn = _drawn_rows(table.rows)
        if drawn[0].first == drawn[0].last:
            numbers = tuple((date_format(row.first, "M Y"), row.number) for row in drawn)
            return Chart(table.title, numbers, Kind.COLUMNS, gettext("Requests a month"), least=smallest_count())
        numbers = tuple((row.period, row.number) for row in drawn)
        return Chart(table.title, numbers, Kind.ROWS, gettext("Requests"), least=smallest_count())
    latest = max(row.last for row in table.rows)
    rows_drawn = [row for row in table.rows if row.last == latest]
    numbers = tuple((row.label, row.number) for row in rows_drawn)
    return Chart(table.title, numbers, Kind.ROWS, rows_drawn[0].period, least=smallest_count())


def _drawn_rows(rows: list[Row]) -> list[Row]:
    """Return the rows of time that are drawn side by side: months, or all periods as long as the latest.

    A year beside its quarters would look like a quarter with many requests.
    """
    months = [row for row in rows if row.first == row.last]
    if any(row.number is not None for row in months):
        return months
    latest = len(periods.months(rows[-1].first, rows[-1].last)) if rows else 0
    return [row for row in rows if len(periods.months(row.first, row.last)) == latest]


def smallest_count() -> int:
    """Return the smallest count that may be published, which sentences name."""
    return settings.PSI_K


def evaluated_years() -> list[date]:
    """Return the first days of the fiscal years whose last quarter is published, the latest first."""
    closed = Release.objects.filter(state=Release.State.PUBLISHED, quarter__month=1).order_by("-quarter")
    return [periods.fiscal_year(quarter) for quarter in closed.values_list("quarter", flat=True)]
