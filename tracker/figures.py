"""What the figures pages show: a site's own rollups, or the province's published cells. Nothing else."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Sum
from django.utils.formats import date_format

from referrals.models import Reason, Referral, Source
from tracker.models import Rollup, Way
from tracker.periods import next_month

# What became of offers to physicians who had not asked; counted apart from requests (rules.md, What may be stored).
OFFERS = (("OFFERED", "Made"), ("YES", "Answered with yes"), ("NO", "Answered with no"), ("SILENT", "Not answered"))
# Width and height of the drawing, in units of its viewBox.
WIDTH, HEIGHT = 720, 160


@dataclass(frozen=True)
class Bar:
    """A bar as drawn; `count` is None where the number is hidden, and then no height tells it."""

    label: str
    count: int | None
    x: float
    width: float
    y: float
    height: float


def bars(cells: list[tuple[str, int | None]]) -> list[Bar]:
    """Return a bar for each (label, count), scaled to the largest; hidden ones are all of one height."""
    if not cells:
        return []
    top = max((count or 0 for _, count in cells), default=0) or 1
    step = WIDTH / len(cells)
    drawn = []
    for i, (label, count) in enumerate(cells):
        height = HEIGHT / 3 if count is None else HEIGHT * count / top
        drawn.append(
            Bar(label, count, round(i * step, 1), round(step * 0.72, 1), round(HEIGHT - height, 1), round(height, 1))
        )
    return drawn


def requests_by_month(until: date, months: int = 18) -> list[tuple[str, int | None]]:
    """Return (month, requests) of the current site for the last `months` months, zeros included."""
    counts = dict(Rollup.objects.filter(measure="REQUEST", category="ALL").values_list("month", "count"))
    year, month = divmod(until.year * 12 + until.month - 1 - (months - 1), 12)
    first = date(year, month + 1, 1)
    shown: list[tuple[str, int | None]] = []
    while first <= until:
        shown.append((date_format(first, "M Y"), counts.get(first, 0)))
        first = next_month(first)
    return shown


def totals() -> dict[tuple[str, str], int]:
    """Return (measure, category) → count of the current site, over all months."""
    rows = Rollup.objects.values_list("measure", "category").annotate(n=Sum("count")).order_by()
    return {(measure, category): n for measure, category, n in rows}


def tables(total: dict[tuple[str, str], int]) -> list[tuple[str, list[tuple[str, int]]]]:
    """Return (heading, rows) for the site's closed lists; unmasked, for they stay in the site."""
    lists = (
        ("Why physicians ask", "REQ_REASON", Reason.choices),
        ("How the requests came", "REQ_PATH", Referral.Pathway.choices),
        ("Who suggested the program, where it was said", "REQ_FROM", Source.choices),
        ("Offers made after someone told of a physician", "OFFER", OFFERS),
        ("How people talked", "TALK_WAY", Way.choices),
        ("How requests ended", "CLOSED", Referral.Outcome.choices),
    )
    return [
        (heading, [(str(label), total.get((measure, code), 0)) for code, label in choices])
        for heading, measure, choices in lists
    ]
