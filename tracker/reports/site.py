"""A site's own report for its funder: its totals of a fiscal year, each 0 or at least K, and none to be worked out."""

from collections import Counter
from datetime import date

from django.conf import settings
from django.utils.formats import date_format
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from psi import tenancy
from referrals.requests.models import Reason, Referral
from sites.tenants.models import Site
from tracker.conversations.choices import Minutes, Way
from tracker.figures import methods, panels, periods
from tracker.figures.charts import Chart, Kind
from tracker.figures.medians import median
from tracker.figures.reporting_periods import Period
from tracker.releases import suppression
from tracker.releases import tables as release_tables
from tracker.releases.cube import WINDOW_OUTCOMES
from tracker.reports import masking
from tracker.reports import province as reports
from tracker.reports.masking import MaskedRow
from tracker.reports.models import Paper

# Where there is nothing to take a share or a median of.
NOT_AVAILABLE = "–"


def printed_report(site: Site, year: Period) -> bytes:
    """Return a site's report of a fiscal year that is over as PDF, the same one every time; inside its scope.

    It is made once. A second print would hold what was corrected in between, such as a request that turned out to be
    spam, and one less the other would tell it.
    """
    first = Paper.objects.filter(year=year.first).values_list("pdf", flat=True)
    if not first.exists():
        # Of two presses at once the first counts.
        Paper.objects.bulk_create(
            [Paper(year=year.first, pdf=reports.pdf(report_of_site(site, year)))], ignore_conflicts=True
        )
    return bytes(first.get())


def report_of_site(site: Site, year: Period) -> reports.Report:
    """Return a site's own report of a fiscal year that is over, from its rollups; inside its scope."""
    k = settings.PSI_K
    by_month, total = panels.totals(year, year)

    def counted(measure: str, category: str = "ALL") -> int | None:
        return masking.mask_count(total[measure, category], k)

    requests = masking.finest_periods(year.first, year.last, lambda a, b: _between(by_month, "REQUEST", a, b), k)
    in_time, missed = (total[which] for which in WINDOW_OUTCOMES)
    pictures = [_chart(_("Requests"), [MaskedRow(periods.label(a, b), n) for a, b, n in requests], year)]
    for title, unit, measure, choices in (
        (_("How the requests came"), _("Requests"), "REQ_PATH", Referral.Pathway.choices),
        (_("How people talked"), _("Conversations"), "TALK_WAY", Way.choices),
        (_("How long people talked"), _("Conversations"), "TALK_LENGTH", Minutes.choices),
        (_("How requests ended"), _("Requests"), "CLOSED", Referral.Outcome.choices),
    ):
        parts = [(str(label), total[measure, code]) for code, label in choices]
        pictures.append(_chart(title, masking.mask(parts, _("Other (grouped)"), k), year, unit))
    named = [(str(label), total["REQ_REASON", code]) for code, label in Reason.choices]
    reasons = masking.mask_mentions(named, total["REQUEST", "ALL"], k)
    if any(row.count for row in reasons):
        pictures.insert(2, _chart(_("Why physicians ask"), reasons, year, _("Requests that name it")))
    return reports.Report(
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
            (_shown(masking.mask_count(in_time + missed, k)), _("contact windows ended")),
            (_shown(counted("TALK")), _("conversations recorded")),
        ],
        # What is one bar alone says no more than the number above it.
        pictures=[(chart, note) for chart, note in pictures if len(chart.rows) > 1],
        listings=[
            reports.Listing(
                _("How the program works"),
                _("Percentages have a base of 20 or more, medians and answers at least 10."),
                [
                    (str(release_tables.PROCESS_LABELS["CONTACT"]), _shown(masking.mask_count(in_time + missed, k))),
                    (str(release_tables.PROCESS_LABELS["CONTACT_Y"]), _percent(in_time, missed, k)),
                    (_("Hours from request to confirmed match, median"), _median(total, "TO_MATCH", k)),
                    (_("Hours from confirmed match to contact, median"), _median_to_contact(total, k, in_time, missed)),
                    (_("Informal contacts"), _shown(counted("INFORMAL"))),
                    (_("Peer supporters trained"), _shown(counted("TRAINED"))),
                    (_("Answers to the survey"), _shown(counted("SURVEY"))),
                    *((label, _survey_share(total, item, k)) for item, label in panels.SURVEY),
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
                        "Numbers of different events stand side by side, and their difference counts nobody: a match of"
                        " April may be of a request of March, and a second match of the same."
                    ),
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


def _chart(title: str, rows: list[MaskedRow], year: Period, unit: str = "") -> tuple[Chart, str]:
    bars = tuple((row.label, row.count) for row in rows)
    chart = Chart(title, bars, Kind.ROWS, f"{unit}, {year}" if unit else str(year), least=settings.PSI_K)
    return chart, " ".join(f"{row.label}: {'; '.join(row.members)}." for row in rows if row.members)


def _shown(number: int | None) -> str:
    return _("hidden") if number is None else str(number)


def _percent(yes: int, no: int, k: int) -> str:
    base = yes + no
    if base < suppression.PERCENT_BASE or any(masking.mask_count(part, k) is None for part in (yes, no)):
        return _("hidden") if base else NOT_AVAILABLE
    return _("%(number)s %%") % {"number": suppression.percent(yes, base)}


def _survey_share(total: Counter[tuple[str, str]], item: str, k: int) -> str:
    yes, answered = total[item, "YES"], total["SURVEY", "ALL"]
    if any(masking.mask_count(part, k) is None for part in (yes, answered - yes)):
        return _("hidden")
    if not answered:
        return NOT_AVAILABLE
    return _("%(yes)s of %(all)s") % {"yes": yes, "all": answered}


def _hours(total: Counter[tuple[str, str]], measure: str) -> Counter[int]:
    return Counter({int(category): n for (each, category), n in total.items() if each == measure})


def _median(total: Counter[tuple[str, str]], measure: str, k: int) -> str:
    hours = _hours(total, measure)
    if not hours:
        return NOT_AVAILABLE
    return str(median(hours)) if hours.total() >= max(suppression.MEDIAN_BASE, k) else _("hidden")


def _median_to_contact(total: Counter[tuple[str, str]], k: int, in_time: int, missed: int) -> str:
    hours = _hours(total, "TO_CONTACT")
    if not hours:
        return NOT_AVAILABLE
    if hours.total() < max(suppression.MEDIAN_BASE, k):
        return _("hidden")
    middle = median(hours)
    return str(middle) if suppression.median_is_safe(middle, in_time, missed, k) else _("hidden")
