"""The report for the funder and the annual evaluation, set as PDF by typst.

The province's are made of what is published, a site's of its own totals, each 0 or at least K (`tracker.folding`).
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import typst
from django.conf import settings
from django.utils.formats import date_format
from django.utils.timezone import localdate, localtime
from django.utils.translation import gettext as _

from psi import tenancy
from referrals.models import Reason, Referral
from sites.models import Site
from tracker import charts, folding, methods, panels, periods, plan, published
from tracker.charts import Chart, Kind
from tracker.cube import WINDOWS
from tracker.folding import Told
from tracker.lists import Minutes, Way
from tracker.published import Row, Table
from tracker.release_models import Release, ReleaseCell
from tracker.report_models import Paper
from tracker.spans import Period

TEMPLATE = settings.BASE_DIR / "templates" / "print" / "report.typ"
Table_, Unit = Release.Table, ReleaseCell.Unit
# A picture of more rows than these is told as a list instead, so that it can be read.
DRAWN = 12
# SHA-256 of no cells.
NOTHING = hashlib.sha256().hexdigest()


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
            {"svg": charts.svg(chart), "told": charts.told(chart), "height": charts.draw(chart).height, "note": note}
            for chart, note in report.pictures
        ],
        "listings": [{"title": each.title, "note": each.note, "rows": each.rows} for each in report.listings],
        "sections": [{"heading": each.heading, "paragraphs": each.paragraphs} for each in report.sections],
        "foot": report.foot,
    }
    made = typst.compile(
        TEMPLATE, root=TEMPLATE.parent, ignore_system_fonts=True, sys_inputs={"data": json.dumps(data)}
    )
    assert isinstance(made, bytes)
    return made


# The province


def of_release(release: Release) -> Report:
    """Return the report on a published release: its numbers, and no other."""
    tables = published.tables(release)
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
        else _("All numbers of this quarter are too small. They will be told together with later ones."),
        figures=_large(tables),
        pictures=_pictures(tables),
        listings=_listings(tables),
        sections=[*_short(), _checked([release])],
        foot=_foot(),
    )


def evaluated() -> list[date]:
    """Return the first days of the fiscal years whose last quarter is published, the latest first."""
    closed = Release.objects.filter(state=Release.State.PUBLISHED, quarter__month=1).order_by("-quarter")
    return [periods.fiscal_year(quarter) for quarter in closed.values_list("quarter", flat=True)]


def evaluation(year: date) -> Report:
    """Return the annual evaluation of a fiscal year: everything published of it, and how it was made.

    Args:
        year: its first day, one of `evaluated`.
    """
    last = periods.later(year, periods.YEAR - 1)
    cut = [_within(table, year, last) for table in published.over_time()]
    tables = [table for table in cut if table.rows]
    releases = [each for each in published.releases() if year <= each.quarter <= last]
    return Report(
        title=_("Annual evaluation"),
        subject=_("Peer support for physicians in British Columbia"),
        period=periods.label(year, last),
        lead=_(
            "Everything the province has published for the months of this fiscal year, of all sites that the"
            " initiative funds. A table of a period that reaches beyond the year is in the year in which it ends."
        ),
        figures=_large(tables),
        pictures=_pictures(tables, every=True),
        listings=_listings(tables, every=True),
        sections=[*methods.sections(), _checked(releases)],
        foot=_foot(),
    )


def _within(table: Table, first: date, last: date) -> Table:
    return Table(table.code, table.title, table.note, [row for row in table.rows if first <= row.last <= last])


def _large(tables: Iterable[Table]) -> list[tuple[str, str]]:
    """Return the first four numbers, in this order, that are told; counts are added up over the periods."""
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
    return [(_in_all(some), words) for some, words in found if some][:4]


def _in_all(rows: list[Row]) -> str:
    """Return the sum of counts; of anything else the latest."""
    return str(sum(row.number or 0 for row in rows)) if rows[-1].unit == Unit.COUNT else rows[-1].shown


def _pictures(tables: Iterable[Table], *, every: bool = False) -> list[tuple[Chart, str]]:
    """Return what is drawn; with `every` period in it, not what has a picture of its latest period only."""
    found = []
    for table in tables:
        chart = published.chart(table)
        if every and len({(row.first, row.last) for row in table.rows}) > 1 and table.code != Table_.MONTHS:
            continue
        if chart and 0 < len(chart.rows) <= DRAWN:
            together = [row for row in table.rows if row.members and row.last == max(r.last for r in table.rows)]
            found.append((chart, " ".join(f"{row.label}: {'; '.join(row.members)}." for row in together)))
    return found


def _listings(tables: Iterable[Table], *, every: bool = False) -> list[Listing]:
    """Return as lists what has no picture; with `every`, all tables."""
    found = []
    for table in tables:
        chart = published.chart(table)
        if every or chart is None or len(chart.rows) > DRAWN:
            found.append(Listing(table.title, table.note, list(_listed(table.rows))))
    return found


def _listed(rows: Iterable[Row]) -> Iterable[tuple[str, str]]:
    period = ""
    for row in rows:
        if row.category == "ALL":
            # Months that are not told are in their quarter.
            if row.number is not None:
                yield row.period, row.shown
            continue
        if row.period != period:
            period = row.period
            yield period, ""
        yield (f"{row.label} ({'; '.join(row.members)})" if row.members else row.label), row.shown


def _short() -> list[methods.Section]:
    """Return the methods in a few sentences."""
    return methods.sections()[1:3]


def _checked(releases: Iterable[Release]) -> methods.Section:
    """Return how each release was checked, and by what anyone can see that its numbers are the same."""
    said = []
    for release in releases:
        words = {
            "quarter": periods.label(release.quarter, periods.last_month(release.quarter)),
            "day": date_format(localtime(release.published_at), "j F Y"),
            "solver": release.solver,
            "digest": release.digest,
        }
        if release.digest == NOTHING:
            said.append(_("%(quarter)s, %(day)s: every number was too small, and waited.") % words)
        else:
            said.append(
                _("%(quarter)s: published on %(day)s after the attack, by %(solver)s. SHA-256 %(digest)s.") % words
            )
    return methods.Section(_("The check"), said)


def _foot() -> str:
    return _("Every count is 0, or %(least)s and more. Nobody can be recognised in it.") % {"least": settings.PSI_K}


# A site


def paper(site: Site, year: Period) -> bytes:
    """Return a site's report of a fiscal year that is over as PDF, the same one every time; inside its scope.

    It is made once. A second print would hold what was corrected in between, such as a request that turned out to be
    spam, and one less the other would tell it.
    """
    first = Paper.objects.filter(year=year.first).values_list("pdf", flat=True)
    if not first.exists():
        # Of two presses at once the first counts.
        Paper.objects.bulk_create([Paper(year=year.first, pdf=pdf(of_site(site, year)))], ignore_conflicts=True)
    return bytes(first.get())


def of_site(site: Site, year: Period) -> Report:
    """Return a site's own report of a fiscal year that is over, from its rollups; inside its scope."""
    k = settings.PSI_K
    by_month, total = panels.counted(year, year)

    def counted(measure: str, category: str = "ALL") -> int | None:
        return folding.told(total[measure, category], k)

    requests = folding.in_time(year.first, year.last, lambda a, b: _between(by_month, "REQUEST", a, b), k)
    kept, missed = (total[which] for which in WINDOWS)
    pictures = [_drawn(_("Requests"), [Told(periods.label(a, b), n) for a, b, n in requests], year)]
    for title, unit, measure, choices in (
        (_("How the requests came"), _("Requests"), "REQ_PATH", Referral.Pathway.choices),
        (_("How people talked"), _("Conversations"), "TALK_WAY", Way.choices),
        (_("How long people talked"), _("Conversations"), "TALK_LENGTH", Minutes.choices),
        (_("How requests ended"), _("Requests"), "CLOSED", Referral.Outcome.choices),
    ):
        parts = [(str(label), total[measure, code]) for code, label in choices]
        pictures.append(_drawn(title, folding.fold(parts, _("Other (grouped)"), k), year, unit))
    named = [(str(label), total["REQ_REASON", code]) for code, label in Reason.choices]
    reasons = folding.mentions(named, total["REQUEST", "ALL"], k)
    if any(row.count for row in reasons):
        pictures.insert(2, _drawn(_("Why physicians ask"), reasons, year, _("Requests that name it")))
    return Report(
        title=_("Report for the funder"),
        subject=site.name,
        period=str(year),
        lead=_(
            "Counts of this program for its funder, made from events without names. A number between 1 and %(most)s"
            " is never told: what is so small stands together with more, or is hidden."
        )
        % {"most": k - 1},
        figures=[
            (_shown(counted("REQUEST")), _("requests")),
            (_shown(counted("MATCHED")), _("confirmed matches")),
            (_shown(folding.told(kept + missed, k)), _("contact windows ended")),
            (_shown(counted("TALK")), _("conversations recorded")),
        ],
        # What is one bar alone says no more than the number above it.
        pictures=[(chart, note) for chart, note in pictures if len(chart.rows) > 1],
        listings=[
            Listing(
                _("How the program works"),
                _("Percentages have a base of 20 or more, medians and answers at least 10."),
                [
                    (str(published.PROCESS["CONTACT"]), _shown(folding.told(kept + missed, k))),
                    (str(published.PROCESS["CONTACT_Y"]), _percent(kept, missed, k)),
                    (_("Hours from request to confirmed match, median"), _median(total, "TO_MATCH", k)),
                    (_("Hours from confirmed match to contact, median"), _to_contact(total, k, kept, missed)),
                    (_("Informal contacts"), _shown(counted("INFORMAL"))),
                    (_("Peer supporters trained"), _shown(counted("TRAINED"))),
                    (_("Answers to the survey"), _shown(counted("SURVEY"))),
                    *((label, _answered(total, item, k)) for item, label in panels.SURVEY),
                ],
            )
        ],
        sections=[
            methods.Section(
                _("How this was made"),
                [
                    _(
                        "When something happens, such as a request that is received, one is added to a count of that"
                        " month. The count holds no name and stays when the request is erased. A late report counts in"
                        " the month in which it is made."
                    ),
                    _(
                        "Small numbers can hide in differences, so a small part is told together with others rather"
                        " than left blank beside its sum, and a report is of a whole fiscal year that is over: two"
                        " reports never share a month."
                    ),
                    _("A request may name several reasons, so reasons do not add up to requests."),
                    _(
                        "It was not checked against the figures of the province. Whoever puts the reports of several"
                        " sites beside them may learn more than from each alone; please do not publish it."
                    ),
                ],
            )
        ],
        foot=_(
            "Made on %(day)s for the funder of this program, not for publication."
            " Every count is 0, or %(least)s and more."
        )
        % {"day": date_format(localdate(tenancy.now()), "j F Y"), "least": k},
    )


def _between(by_month: Counter[tuple[date, str]], measure: str, first: date, last: date) -> int:
    return sum(by_month[month, measure] for month in periods.months(first, last))


def _drawn(title: str, rows: list[Told], year: Period, unit: str = "") -> tuple[Chart, str]:
    drawn = tuple((row.label, row.count) for row in rows)
    chart = Chart(title, drawn, Kind.ROWS, f"{unit}, {year}" if unit else str(year), least=settings.PSI_K)
    return chart, " ".join(f"{row.label}: {'; '.join(row.members)}." for row in rows if row.members)


def _shown(number: int | None) -> str:
    return _("hidden") if number is None else str(number)


def _percent(yes: int, no: int, k: int) -> str:
    base = yes + no
    if base < plan.BASE or any(folding.told(part, k) is None for part in (yes, no)):
        return "0" if not base else _("hidden")
    return _("%(number)s %%") % {"number": plan.percent(yes, base)}


def _answered(total: Counter[tuple[str, str]], item: str, k: int) -> str:
    yes, answered = total[item, "YES"], total["SURVEY", "ALL"]
    if any(folding.told(part, k) is None for part in (yes, answered - yes)):
        return _("hidden")
    return _("%(yes)s of %(all)s") % {"yes": yes, "all": answered}


def _hours(total: Counter[tuple[str, str]], measure: str) -> Counter[int]:
    return Counter({int(category): n for (each, category), n in total.items() if each == measure})


def _median(total: Counter[tuple[str, str]], measure: str, k: int) -> str:
    hours = _hours(total, measure)
    return str(plan.median(hours)) if hours.total() >= max(plan.MEDIAN, k) else _("hidden")


def _to_contact(total: Counter[tuple[str, str]], k: int, kept: int, missed: int) -> str:
    hours = _hours(total, "TO_CONTACT")
    if hours.total() < max(plan.MEDIAN, k):
        return _("hidden")
    middle = plan.median(hours)
    return str(middle) if plan.leaves_open(middle, kept, missed, k) else _("hidden")
