"""The province's report for the funder and its annual evaluation, made of what is published, and set by typst."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import typst
from django.conf import settings
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from tracker.figures import charts, methods, periods
from tracker.figures.charts import Chart
from tracker.releases import tables as release_tables
from tracker.releases.models import Release, ReleaseCell
from tracker.releases.tables import Row, Table

TEMPLATE = settings.BASE_DIR / "templates" / "print" / "report.typ"
Table_, Unit = Release.Table, ReleaseCell.Unit
# A picture of more rows than these is told as a list instead, so that it can be read.
MOST_ROWS_DRAWN = 12
# SHA-256 of no cells.
EMPTY_DIGEST = hashlib.sha256().hexdigest()


@dataclass(frozen=True)
class Listing:
    """Numbers as a list: (words, number), with headings before some of them."""

    title: str
    note: str
    rows: list[tuple[str, str]]


@dataclass(frozen=True)
class Report:
    """What is set on the pages.

    Attributes:
        figures: the four numbers in large, each (number, words).
        pictures: (chart, note).
        sections: how it was made, in words.
        foot: stands at the end of each page.
    """

    title: str
    subject: str
    period: str
    lead: str
    figures: list[tuple[str, str]]
    pictures: list[tuple[Chart, str]]
    listings: list[Listing]
    sections: list[methods.Section]
    foot: str


def pdf(report: Report) -> bytes:
    """Return the report as PDF, on letter paper."""
    data = {
        "title": report.title,
        "subject": report.subject,
        "period": report.period,
        "lead": report.lead,
        "figures": report.figures,
        "pictures": [
            {
                "svg": charts.svg(chart),
                "description": charts.description(chart),
                "height": charts.draw(chart).height,
                "note": note,
            }
            for chart, note in report.pictures
        ],
        "listings": [{"title": each.title, "note": each.note, "rows": each.rows} for each in report.listings],
        "sections": [{"heading": each.heading, "paragraphs": each.paragraphs} for each in report.sections],
        "foot": report.foot,
    }
    document = typst.compile(
        TEMPLATE, root=TEMPLATE.parent, ignore_system_fonts=True, sys_inputs={"data": json.dumps(data)}
    )
    assert isinstance(document, bytes)
    return document


def report_of_release(release: Release) -> Report:
    """Return the report on a published release: its numbers, and no other."""
    tables = release_tables.tables(release)
    last = periods.last_month(release.quarter)
    return Report(
        title=_("Report for the funder"),
        subject=_("Peer support for physicians in British Columbia"),
        period=periods.label(release.quarter, last),
        lead=_(
            "What the province has published for this quarter, of all sites that the initiative funds. A table that"
            " is not here waits for a longer period; one that has waited is told for it."
        )
        if tables
        else _("Nothing can be told of this quarter by itself yet. It will be told together with later ones."),
        figures=_headline_figures(tables),
        pictures=_pictures(tables),
        listings=_listings(tables),
        sections=[*_short_methods(), _check_section([release])],
        foot=_foot(),
    )


def annual_evaluation(year: date) -> Report:
    """Return the annual evaluation of a fiscal year: everything published of it, and how it was made.

    Args:
        year: its first day, one of `evaluated`.
    """
    last = periods.later(year, periods.YEAR - 1)
    tables_of_year = [_within(table, year, last) for table in release_tables.over_time()]
    tables = [table for table in tables_of_year if table.rows]
    releases = [each for each in release_tables.published_releases() if year <= each.quarter <= last]
    return Report(
        title=_("Annual evaluation"),
        subject=_("Peer support for physicians in British Columbia"),
        period=periods.label(year, last),
        lead=_(
            "Everything the province has published for the months of this fiscal year, of all sites that the"
            " initiative funds. A table of a period that reaches beyond the year is in the year in which it ends."
        ),
        figures=_headline_figures(tables),
        pictures=_pictures(tables, every_period=True),
        listings=_listings(tables, every_period=True),
        sections=[*methods.sections(), _check_section(releases)],
        foot=_foot(),
    )


def _within(table: Table, first: date, last: date) -> Table:
    return Table(table.code, table.title, table.note, [row for row in table.rows if first <= row.last <= last])


def _headline_figures(tables: Iterable[Table]) -> list[tuple[str, str]]:
    """Return the first four numbers, in this order, that are published; counts are added up over the periods."""
    rows = [row for table in tables for row in table.rows if row.number is not None]
    requests = [row for row in rows if row.category == "ALL" and row.first != row.last]
    found = [(requests, _("requests"))]
    for category, words in (
        ("CONTACT", _("contact windows ended")),
        ("CONTACT_Y", _("of contact windows kept: contact within 72 hours")),
        ("TO_CONTACT", _("hours from confirmed match to contact, the median")),
        ("TALK", _("conversations recorded")),
        ("TO_MATCH", _("hours from request to confirmed match, the median")),
        ("PER_MATCH", _("conversations for each match")),
    ):
        found.append(([row for row in rows if row.category == category], words))
    return [(_overall(rows_counted), words) for rows_counted, words in found if rows_counted][:4]


def _overall(rows: list[Row]) -> str:
    """Return the sum of counts; of anything else the latest."""
    return str(sum(row.number or 0 for row in rows)) if rows[-1].unit == Unit.COUNT else rows[-1].display


def _pictures(tables: Iterable[Table], *, every_period: bool = False) -> list[tuple[Chart, str]]:
    """Return what is drawn; with `every_period`, not what has a picture of its latest period only."""
    found = []
    for table in tables:
        chart = release_tables.chart(table)
        if every_period and len({(row.first, row.last) for row in table.rows}) > 1 and table.code != Table_.MONTHS:
            continue
        if chart and 0 < len(chart.rows) <= MOST_ROWS_DRAWN:
            grouped = [row for row in table.rows if row.members and row.last == max(r.last for r in table.rows)]
            found.append((chart, " ".join(f"{row.label}: {'; '.join(row.members)}." for row in grouped)))
    return found


def _listings(tables: Iterable[Table], *, every_period: bool = False) -> list[Listing]:
    """Return as lists what has no picture; with `every_period`, all tables."""
    found = []
    for table in tables:
        chart = release_tables.chart(table)
        if every_period or chart is None or len(chart.rows) > MOST_ROWS_DRAWN:
            found.append(Listing(table.title, table.note, list(_list_rows(table.rows))))
    return found


def _list_rows(rows: Iterable[Row]) -> Iterable[tuple[str, str]]:
    period = ""
    for row in rows:
        if row.category == "ALL":
            # Months that are not told are in their quarter.
            if row.number is not None:
                yield row.period, row.display
            continue
        if row.period != period:
            period = row.period
            yield period, ""
        yield (f"{row.label} ({'; '.join(row.members)})" if row.members else row.label), row.display


def _short_methods() -> list[methods.Section]:
    """Return the methods in a few sentences."""
    return methods.sections()[1:3]


def _check_section(releases: Iterable[Release]) -> methods.Section:
    """Return how each release was checked, and by what anyone can see that its numbers are the same."""
    paragraphs = []
    for release in releases:
        words = {
            "quarter": periods.label(release.quarter, periods.last_month(release.quarter)),
            "day": date_format(localtime(release.published_at), "j F Y"),
            "solver": release.solver,
            "digest": release.digest,
        }
        if release.digest == EMPTY_DIGEST:
            paragraphs.append(
                _("%(quarter)s, %(day)s: nothing could be told by itself yet, and all of it waited.") % words
            )
        else:
            paragraphs.append(
                _("%(quarter)s: published on %(day)s after the attack, by %(solver)s. SHA-256 %(digest)s.") % words
            )
    return methods.Section(_("The check"), paragraphs)


def _foot() -> str:
    return _("Every count is 0, or %(least)s and more. Nobody can be recognised in it.") % {"least": settings.PSI_K}
