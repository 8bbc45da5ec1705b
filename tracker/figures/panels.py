"""A site's own figures as pictures with their tables: counted from its rollups, unmasked, for they stay in the site."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Case, Count, OuterRef, Q, Subquery, Sum, When
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from referrals.promotion.models import AccessWeek
from referrals.requests.models import Reason, Referral, Source
from tracker.conversations.choices import Minutes, Way
from tracker.figures.charts import Chart, Kind, Mark
from tracker.figures.medians import median
from tracker.figures.models import Rollup
from tracker.figures.periods import next_month
from tracker.figures.reporting_periods import Period, fiscal_year
from training.supporters.models import PeerSupporter, SupporterLoad

# What became of offers to physicians who had not asked; counted apart from requests (docs/rules.md#reach-out).
OFFERS = (
    ("OFFERED", "Made"),
    ("YES", "Answered with yes"),
    ("NO", "Answered with no"),
    ("SILENT", "Lapsed without an answer"),
)
# First hour of each band: all but the open last one are alike, so that the highest column is the commonest.
TO_MATCH_BANDS = tuple(range(0, 169, 24))
TO_CONTACT_BANDS = tuple(range(0, 97, 12))
# First number of matches of each band; four to seven a year are typical (program overview).
LOAD_BANDS = (0, 1, 4, 8)
SURVEY = (
    ("SV_TIME", "Contacted in time"),
    ("SV_SAFE", "Felt safe"),
    ("SV_HELP", "It helped"),
    ("SV_RECOMM", "Would recommend it"),
    ("SV_AGAIN", "Would use it again"),
)
# Answers are shown from this many on (docs/rules.md#own-figures).
FEWEST_ANSWERS = 10


@dataclass(frozen=True)
class Panel:
    """A picture, its name in addresses, the headings of its table, and what must be said about it."""

    name: str
    chart: Chart
    headings: tuple[str, str]
    note: str = ""

    @property
    def has_data(self) -> bool:
        """Is there anything to draw? What is hidden counts, beside something that is not."""
        return not self.hidden and any(count is None or count for _label, count in self.chart.rows)

    @property
    def hidden(self) -> bool:
        """Is all that there is too little to be shown?"""
        counts = [count for _label, count in self.chart.rows]
        return None in counts and not any(counts)


@dataclass(frozen=True)
class Figures:
    """What a site's page shows of a period: four numbers in large, and the pictures."""

    total: Counter[tuple[str, str]]
    panels: list[Panel]


def figures_of(period: Period, today: date) -> Figures:
    """Return the current site's figures of a period. The number of queries does not depend on it."""
    months, survey = period.months(today), fiscal_year(period.last if period.last < today else today)
    by_months, total = totals(period, survey)
    month, labels = _("Month"), [date_format(first, "M Y") for first in months]
    requests, talks = _("Requests"), _("Conversations")
    period_label = _period_label(period, today)
    pathway_note = _("Reach-in: the physician asked. Reach-out: others took the first step, and the physician agreed.")
    offer_note = _("An offer still open is in none of the answers. An answer counts in the month in which it comes.")
    late_note = _("What is recorded late counts in the month of the record.")

    def by_month(name: str, title: str, unit: str, measure: str, note: str = "") -> Panel:
        rows = tuple((label, by_months[first, measure]) for label, first in zip(labels, months, strict=True))
        return Panel(name, Chart(title, rows, Kind.COLUMNS, f"{unit}, {period_label}"), (month, unit), note)

    def by_list(
        name: str, title: str, unit: str, measure: str, choices: Iterable[tuple[str, Any]], note: str = ""
    ) -> Panel:
        rows = tuple((str(label), total[measure, code]) for code, label in choices)
        return Panel(name, Chart(title, rows, Kind.ROWS, f"{unit}, {period_label}"), (title, unit), note)

    panels = [
        by_month("months", _("Requests by month"), requests, "REQUEST"),
        by_list("pathways", _("How the requests came"), requests, "REQ_PATH", Referral.Pathway.choices, pathway_note),
        by_list("reasons", _("Why physicians ask"), _("Requests that name it"), "REQ_REASON", Reason.choices),
        by_list("sources", _("Who suggested the program"), _("Requests that say so"), "REQ_FROM", Source.choices),
        _access_points_panel(months, period_label),
        by_list("offers", _("Offers after someone told of a physician"), _("Offers"), "OFFER", OFFERS, offer_note),
        _hours_panel(
            "to-match", _("Hours from request to match"), _("Matches"), "TO_MATCH", TO_MATCH_BANDS, total, period_label
        ),
        _hours_panel(
            *(
                "to-contact",
                _("Hours from match to contact"),
                _("Contacts"),
                "TO_CONTACT",
                TO_CONTACT_BANDS,
                total,
                period_label,
            ),
            mark=(TO_CONTACT_BANDS.index(72), _("72 hours")),
            more=_never_contacted(total["WINDOW", "MISSED"] - total["CONTACT", "LATE"]),
        ),
        by_month("conversations", _("Conversations by month"), talks, "TALK", late_note),
        by_list("ways", _("How people talked"), talks, "TALK_WAY", Way.choices),
        by_list("lengths", _("How long people talked"), talks, "TALK_LENGTH", Minutes.choices),
        by_month("informal", _("Informal contacts by month"), _("Contacts"), "INFORMAL", late_note),
        by_list("outcomes", _("How requests ended"), requests, "CLOSED", Referral.Outcome.choices),
        # Load is kept by calendar year. Of a period that is over, most months are in the year in which it began.
        _load_panel(today.year if months[-1] == today.replace(day=1) else period.first.year),
        by_month("training", _("Peer supporters trained"), _("Supporters"), "TRAINED"),
        _survey_panel(_period_label(survey, today), total),
    ]
    return Figures(total, panels)


def by_band(starts: Sequence[int], counts: Counter[int]) -> list[tuple[str, int]]:
    """Return (band, how many) for bands that begin at `starts`; the last has no end."""
    bands = []
    for start, following in zip(starts, [*starts[1:], None], strict=True):
        name = f"{start}+" if following is None else f"{start}–{following - 1}" if following - start > 1 else f"{start}"
        within = (n for number, n in counts.items() if number >= start and (following is None or number < following))
        bands.append((name, sum(within)))
    return bands


def totals(period: Period, survey: Period) -> tuple[Counter[tuple[date, str]], Counter[tuple[str, str]]]:
    """Return (month, measure) → count of what has no list, and (measure, category) → count over the period.

    Answers to the survey are those of its own span. Lists are added up by PostgreSQL: hours alone have hundreds
    of categories a month.
    """
    answers = Q(measure__startswith="SV_")
    rows = Rollup.objects.filter(
        Q(month__range=(period.first, period.last)) & ~answers | Q(month__range=(survey.first, survey.last)) & answers
    )
    summed = rows.values_list(Case(When(category="ALL", then="month")), "measure", "category").annotate(n=Sum("count"))
    by_months: Counter[tuple[date, str]] = Counter()
    total: Counter[tuple[str, str]] = Counter()
    for month, measure, category, n in summed.order_by():
        total[measure, category] += n
        if month is not None:
            by_months[month, measure] = n
    return by_months, total


def _period_label(period: Period, today: date) -> str:
    return str(period) if period.last < today.replace(day=1) else _("%(months)s, so far") % {"months": period}


def _never_contacted(n: int) -> str:
    # A contact after the window counts in the month in which it is made, so that a later month may have more of these.
    if n <= 0:
        return ""
    return ngettext(
        "%(n)s more match passed 72 hours, and nobody has made contact; no column counts it.",
        "%(n)s more matches passed 72 hours, and nobody has made contact; no column counts them.",
        n,
    ) % {"n": n}


def _hours_panel(
    name: str,
    title: str,
    unit: str,
    measure: str,
    starts: Sequence[int],
    total: Counter[tuple[str, str]],
    period_label: str,
    *,
    mark: Mark | None = None,
    more: str = "",
) -> Panel:
    hours = Counter({int(category): n for (each, category), n in total.items() if each == measure})
    note = _("Half of them took %(hours)s hours or less.") % {"hours": median(hours)} if hours else ""
    chart = Chart(title, tuple(by_band(starts, hours)), Kind.COLUMNS, f"{unit}, {period_label}", mark)
    return Panel(name, chart, (_("Hours"), unit), f"{note} {more}".strip())


def _access_points_panel(months: list[date], period_label: str) -> Panel:
    # Codes are counted by week, and a week counts in the month of its Monday.
    weeks = AccessWeek.objects.filter(week__gte=months[0], week__lt=next_month(months[-1])).values_list("point__name")
    rows = tuple((name, n) for name, n in weeks.annotate(n=Sum("sent")).order_by("-n", "point__name") if n)
    chart = Chart(_("Requests by printed code"), rows, Kind.ROWS, f"{_('Requests sent from it')}, {period_label}")
    note = _("Requests may come without a code. A week counts in the month of its Monday.")
    return Panel("points", chart, (_("Code"), _("Requests")), note)


def _load_panel(year: int) -> Panel:
    matches = SupporterLoad.objects.filter(user=OuterRef("user_id"), year=year).values("total")[:1]
    active = (
        PeerSupporter.objects.filter(state=PeerSupporter.State.ACTIVE)
        .annotate(taken=Subquery(matches))
        .values_list("taken")
    )
    loads: Counter[int] = Counter()
    for total, n in active.annotate(n=Count("pk")).order_by():
        loads[total or 0] += n
    unit = _("Active supporters, by matches they took in %(year)s") % {"year": year}
    chart = Chart(_("How much supporters carry"), tuple(by_band(LOAD_BANDS, loads)), Kind.COLUMNS, unit)
    note = _(
        "By calendar year, and of supporters who are active today. Matches in every roster count. Four to seven a year"
        " are typical."
    )
    return Panel("load", chart, (_("Matches"), _("Supporters")), note)


def _survey_panel(year: str, total: Counter[tuple[str, str]]) -> Panel:
    # Whole fiscal years only: they do not overlap, so no two can be subtracted to find one person's answers.
    choices = ("YES", _("yes")), ("NO", _("no"))
    answers = {item: sum(total[item, code] for code, _word in choices) for item, _label in SURVEY}
    rows = tuple(
        (f"{label}: {word}", None if 0 < answers[item] < FEWEST_ANSWERS else total[item, code])
        for item, label in SURVEY
        for code, word in choices
    )
    chart = Chart(_("What physicians said afterwards"), rows, Kind.ROWS, f"{_('Answers')}, {year}")
    note = _("By fiscal year, and each question from %(least)s answers on, so that nobody’s answer can be told.")
    return Panel("survey", chart, (_("Question"), _("Answers")), note % {"least": FEWEST_ANSWERS})
