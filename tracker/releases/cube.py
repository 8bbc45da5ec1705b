"""The counts a release is made of: requests as a cube, and what the process measures count.

Only in the memory of the worker that makes a release; the province's tables hold none of it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from referrals.requests.models import Reason, Referral
from referrals.requests.request_facts import REASON_SET, reasons_of
from tracker.conversations import choices
from tracker.figures import periods
from tracker.releases.models import Frozen

PATHWAYS: tuple[str, ...] = tuple(Referral.Pathway.values)
REASONS: tuple[str, ...] = tuple(Reason.values)
# The survey's items. Who answered said YES to one or did not (OTHER): a base of its own for each would tell, beside
# the others, how many passed it over.
ITEMS = tuple(choices.MEASURES.values())
# What the process measures are made of. Hours are categories of their own, for the medians.
PROCESS = ("CONTACT", "WINDOW", "TALK", "SURVEY", "TO_MATCH", "TO_CONTACT", *ITEMS)
MEASURES = ("REQUEST", REASON_SET, *PROCESS)

# What became of the contact windows that ended: (measure, category), those kept first.
WINDOW_OUTCOMES = (("CONTACT", "IN_TIME"), ("WINDOW", "MISSED"))

Counts = NDArray[np.int64]
CellIndices = NDArray[np.intp]
Row = tuple[date, str, str, int]


class InconsistentCounts(Exception):
    """A site's requests and their sets of reasons, or its answers, do not add up; nothing may be published of them."""


@dataclass(frozen=True, eq=False)
class Cube:
    """Requests by site, month, pathway and set of reasons.

    Attributes:
        sites: keys of the sites, the first axis.
        months: first days, without a gap, the second axis.
        sets: the sets of reasons somebody may have given, the fourth axis; the third is `PATHWAYS`.
        counts: integers of shape (sites, months, pathways, sets).
        process: measure → category → integers of shape (sites, months).
        present: whether a site was in the figures in a month, of shape (sites, months). Everybody knows that.
    """

    sites: tuple[int, ...]
    months: tuple[date, ...]
    sets: tuple[frozenset[str], ...]
    counts: Counts
    process: Mapping[str, Mapping[str, Counts]]
    present: NDArray[np.bool_]

    def month_slice(self, first: date, last: date) -> slice:
        """Return the months `first`..`last` as a slice of the second axis."""
        start = periods.between(self.months[0], first)
        return slice(start, start + periods.between(first, last) + 1)

    def sets_mentioning(self, reasons: Iterable[str]) -> NDArray[np.bool_]:
        """Return which sets hold at least one of these reasons."""
        mentioned = frozenset(reasons)
        return np.array([bool(mentioned & reason_set) for reason_set in self.sets])

    def cell_indices(
        self,
        first: date,
        last: date,
        *,
        sites: Iterable[int] | None = None,
        pathway: str | None = None,
        reasons: Iterable[str] | None = None,
    ) -> CellIndices:
        """Return the places (of `counts.ravel()`) of the requests in these months, of these sites, so asked."""
        grid = np.arange(self.counts.size, dtype=np.intp).reshape(self.counts.shape)
        chosen: Any = grid[:, self.month_slice(first, last)]
        if sites is not None:
            chosen = chosen[[self.sites.index(site) for site in sites]]
        if pathway is not None:
            chosen = chosen[:, :, [PATHWAYS.index(pathway)]]
        if reasons is not None:
            chosen = chosen[..., self.sets_mentioning(reasons)]
        return np.asarray(chosen).ravel()

    def contributions(self, first: date, last: date, **filters: Any) -> Counts:
        """Return each site's share of what `cell_indices` finds: integers of shape (sites)."""
        chosen = self.counts[:, self.month_slice(first, last)]
        if (pathway := filters.get("pathway")) is not None:
            chosen = chosen[:, :, [PATHWAYS.index(pathway)]]
        if (reasons := filters.get("reasons")) is not None:
            chosen = chosen[..., self.sets_mentioning(reasons)]
        sums: Counts = chosen.sum(axis=(1, 2, 3))
        return sums

    def process_contributions(self, measure: str, category: str, first: date, last: date) -> Counts:
        """Return each site's count of a process measure in these months: integers of shape (sites)."""
        counts = self.process.get(measure, {}).get(category)
        if counts is None:
            return np.zeros(len(self.sites), dtype=np.int64)
        sums: Counts = counts[:, self.month_slice(first, last)].sum(axis=1)
        return sums

    def hours(self, measure: str, first: date, last: date) -> dict[int, int]:
        """Return whole hours → how many, over all sites."""
        counted = {
            int(category): int(counts[:, self.month_slice(first, last)].sum())
            for category, counts in self.process.get(measure, {}).items()
        }
        return {hours: number for hours, number in counted.items() if number}


def build(rows: Mapping[int, Iterable[Row]], months: Iterable[date]) -> Cube:
    """Return the cube of sites' counts.

    Args:
        rows: site → (month, measure, category, count). With `Frozen.MARK` among them, a site is in the figures in
            the months that have it; without any, in all.
        months: the months it is made of, without a gap.

    Raises:
        InconsistentCounts: a month's requests are not as many as their sets of reasons say, or more said yes in the
            survey than answered it.
    """
    sites, over = tuple(sorted(rows)), tuple(months)
    month_index = {month: i for i, month in enumerate(over)}
    rows_of_site = {site: [row for row in rows[site] if row[0] in month_index] for site in sites}
    sets = _sets(
        category
        for site_rows in rows_of_site.values()
        for _, measure, category, _ in site_rows
        if measure == REASON_SET
    )
    column = {reason_set: i for i, reason_set in enumerate(sets)}
    counts = np.zeros((len(sites), len(over), len(PATHWAYS), len(sets)), dtype=np.int64)
    totals = np.zeros((len(sites), len(over)), dtype=np.int64)
    process: dict[str, dict[str, Counts]] = {}
    marked = {(site, month) for site in sites for month, measure, _, _ in rows_of_site[site] if measure == Frozen.MARK}
    present = np.array([[not marked or (site, month) in marked for month in over] for site in sites], dtype=bool)
    for i, site in enumerate(sites):
        for month, measure, category, number in rows_of_site[site]:
            if measure == REASON_SET:
                pathway, reason_set = reasons_of(category)
                counts[i, month_index[month], PATHWAYS.index(pathway), column[reason_set]] += number
            elif measure == "REQUEST":
                totals[i, month_index[month]] += number
            elif measure in PROCESS:
                by_category = process.setdefault(measure, {})
                if category not in by_category:
                    by_category[category] = np.zeros((len(sites), len(over)), dtype=np.int64)
                by_category[category][i, month_index[month]] += number
    if (counts.sum(axis=(2, 3)) != totals).any():
        raise InconsistentCounts
    answered = process.get("SURVEY", {}).get("ALL", np.zeros_like(totals))
    for item in ITEMS:
        yes = process.get(item, {}).get("YES", np.zeros_like(totals))
        if (yes > answered).any():
            raise InconsistentCounts
        process[item] = {"YES": yes, "OTHER": answered - yes}
    return Cube(sites, over, sets, counts, process, present.reshape(len(sites), len(over)))


def _sets(categories: Iterable[str]) -> tuple[frozenset[str], ...]:
    """Return the sets of reasons of the cube: those given, and each of one or two.

    Whoever attacks may think of larger sets too. Leaving them out only makes what they can think of
    less, and the gate stricter, never looser.
    """
    common = {frozenset(reasons) for size in (1, 2) for reasons in combinations(REASONS, size)}
    return tuple(
        sorted(common | {reasons_of(category)[1] for category in categories}, key=lambda reason_set: sorted(reason_set))
    )


def empty_cube(sites: Iterable[int], first: date, last: date) -> Cube:
    """Return a cube in which nothing happened."""
    return build(dict.fromkeys(sites, ()), periods.months(first, last))
