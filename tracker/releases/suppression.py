"""What of a cube may be told: the fixed tables P1 to P5, rolled up rather than blanked out
(docs/rules.md#rolled-up-not-blanked-out).

A table tells a run of quarters: those since it told its last. A run may be one quarter, two, or a year
and more; when its counts are too small it waits, and the next release tries a longer one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from matching.matches.contact_window import CONTACT_HOURS
from tracker.figures import periods
from tracker.figures.medians import median
from tracker.releases.cube import ITEMS, PATHWAYS, REASONS, WINDOWS, Cube
from tracker.releases.models import Release, ReleaseCell
from tracker.releases.options import Wanted

Table, Unit = Release.Table, ReleaseCell.Unit
GROUPED = "GROUPED"
# Percentages need a base of so many, medians so many values
# (docs/rules.md#percentages-and-medians).
BASE, MEDIAN = 20, 10
# In a quarter or half-year no more reasons than these are told together; in a year all but one may be.
FOLDED = 4
# A regional group has three members or more; its total is 2 K or more, and less any one of them K or more
# (docs/rules.md#rolled-up-not-blanked-out).
GROUP = 3


@dataclass(frozen=True)
class Cell:
    """A number to publish."""

    table: str
    category: str
    first: date
    last: date
    number: int
    unit: str = Unit.COUNT.value


@dataclass(frozen=True)
class Member:
    """What is told together with others, as `group`."""

    table: str
    group: str
    member: str
    first: date
    last: date


@dataclass
class Plan:
    """The cells of a release, and what stands together in them."""

    cells: list[Cell] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)


def may_tell(parts: NDArray[np.int64], k: int) -> bool:
    """Whether a sum may be told: it is 0 or at least `k`, for outsiders and for each of the sites in it.

    A site knows its own part. What is left when it takes that away is a count of the others, and
    stands under the same rule (docs/rules.md#smallest-count).

    Args:
        parts: each site's share, integers of shape (sites).
    """
    total = int(parts.sum())
    rest = total - parts
    return total == 0 or (total >= k and bool(((rest == 0) | (rest >= k)).all()))


def plan(
    cube: Cube,
    quarter: date,
    starts: Mapping[str, date],
    wanted: Wanted,
    k: int,
    *,
    regions: Mapping[int, str],
) -> Plan:
    """Return what may be told at the end of `quarter`.

    Args:
        starts: table → first day of the first month it has not told yet.
        regions: site → region, for the groups of small sites.
    """
    last, made = periods.last_month(quarter), Plan()
    _months(cube, made, starts[Table.MONTHS], last, wanted, k)
    if wanted.reasons and _run(starts[Table.REASONS], last):
        _reasons(cube, made, starts[Table.REASONS], last, k)
    if wanted.pathways and _run(starts[Table.PATHWAYS], last):
        _pathways(cube, made, starts[Table.PATHWAYS], last, k)
    if wanted.sites and periods.closes_fiscal_year(quarter):
        _sites(cube, made, max(periods.fiscal_year(last), cube.months[0]), last, k, regions)
    if wanted.process and _run(starts[Table.PROCESS], last):
        _process(cube, made, starts[Table.PROCESS], last, k)
    return made


def _run(first: date, last: date) -> int:
    """Return how many quarters `first`..`last` are; 0 for three, which wait for the year."""
    number = periods.between(first, periods.next_month(last)) // periods.QUARTER
    return 0 if number == 3 else max(number, 0)


def _months(cube: Cube, made: Plan, first: date, last: date, wanted: Wanted, k: int) -> None:
    run = _run(first, last)
    if not wanted.months or not run or not may_tell(cube.parts(first, last), k):
        return
    months = periods.months(first, last)
    if run == 1 and wanted.by_month and all(may_tell(cube.parts(month, month), k) for month in months):
        made.cells += [_counted(cube, Table.MONTHS, "ALL", month, month) for month in months]
    made.cells.append(_counted(cube, Table.MONTHS, "ALL", first, last))


def _counted(cube: Cube, table: str, category: str, first: date, last: date, **which: Iterable[str] | str) -> Cell:
    return Cell(table, category, first, last, int(cube.parts(first, last, **which).sum()))


def _reasons(cube: Cube, made: Plan, first: date, last: date, k: int) -> None:
    folded = told_together(cube, first, last, k)
    if folded is None:
        return
    made.cells += [
        _counted(cube, Table.REASONS, reason, first, last, reasons=[reason])
        for reason in REASONS
        if reason not in folded
    ]
    if folded:
        made.cells.append(_counted(cube, Table.REASONS, GROUPED, first, last, reasons=folded))
        made.members += [Member(Table.REASONS, GROUPED, reason, first, last) for reason in folded]


def told_together(cube: Cube, first: date, last: date, k: int) -> list[str] | None:
    """Return which reasons must be told together in these months; None if that leaves too little to tell."""
    parts = {reason: cube.parts(first, last, reasons=[reason]) for reason in REASONS}
    # What nobody mentioned is told as 0, and would hide nothing among others.
    zero = [reason for reason in REASONS if not parts[reason].any()]
    order = sorted((r for r in REASONS if r not in zero), key=lambda reason: int(parts[reason].sum()))
    most = FOLDED if _run(first, last) < 4 else len(REASONS) - 1
    for number in (0, *range(2, min(most, len(order)) + 1)):
        folded, told = order[:number], order[number:]
        if all(may_tell(parts[reason], k) for reason in told) and (
            not folded or may_tell(cube.parts(first, last, reasons=folded), k)
        ):
            return sorted(folded, key=REASONS.index)
    return None


def _pathways(cube: Cube, made: Plan, first: date, last: date, k: int) -> None:
    if all(may_tell(cube.parts(first, last, pathway=path), k) for path in PATHWAYS):
        made.cells += [_counted(cube, Table.PATHWAYS, path, first, last, pathway=path) for path in PATHWAYS]


def _sites(cube: Cube, made: Plan, first: date, last: date, k: int, regions: Mapping[int, str]) -> None:
    totals = dict(zip(cube.sites, cube.parts(first, last).tolist(), strict=True))
    groups = group(totals, regions, k)
    if groups is None:
        return
    together = set(chain.from_iterable(groups.values()))
    made.cells += [
        Cell(Table.SITES, f"S{site}", first, last, totals[site]) for site in cube.sites if site not in together
    ]
    for name, sites in groups.items():
        made.cells.append(Cell(Table.SITES, name, first, last, sum(totals[site] for site in sites)))
        made.members += [Member(Table.SITES, name, f"S{site}", first, last) for site in sites]


def group(totals: Mapping[int, int], regions: Mapping[int, str], k: int) -> dict[str, list[int]] | None:
    """Return region → sites that are told together: small ones, with as many others as the rule needs.

    A region that cannot make a group of its own gives its small sites to the group of all that are left
    over, which takes further sites, the smallest first. None when even that is not enough.

    Args:
        totals: site → requests in the year.
    """
    groups: dict[str, list[int]] = {}
    left: list[int] = []
    for region in sorted(set(regions.values())):
        members = sorted((site for site in totals if regions[site] == region), key=lambda site: (totals[site], site))
        small = [site for site in members if 0 < totals[site] < k]
        if not small:
            continue
        found = _enough(small, [site for site in members if totals[site] >= k], totals, k)
        if found and region != "NONE":
            groups[region] = found
        else:
            left += small
    if not left:
        return groups
    free = [site for site in totals if totals[site] >= k and all(site not in sites for sites in groups.values())]
    found = _enough(left, sorted(free, key=lambda site: (totals[site], site)), totals, k)
    if found:
        return groups | {"REST": found}
    # With nobody else to join, they join the smallest group there is.
    if groups:
        smallest = min(groups, key=lambda name: sum(totals[site] for site in groups[name]))
        found = _enough(left + groups.pop(smallest), [], totals, k)
        return groups | {"REST": found} if found else None
    return None


def _enough(small: list[int], others: list[int], totals: Mapping[int, int], k: int) -> list[int] | None:
    members, others = list(small), list(others)
    while True:
        total = sum(totals[site] for site in members)
        # Who knows this rule knows that no member has more than the total less k: with less than 2 k, that is under k.
        if len(members) >= GROUP and total >= 2 * k and all(total - totals[site] >= k for site in members):
            return sorted(members)
        if not others:
            return None
        members.append(others.pop(0))


def _process(cube: Cube, made: Plan, first: date, last: date, k: int) -> None:
    kept, missed = (cube.shares(*which, first, last) for which in WINDOWS)
    windows = kept + missed
    if int(windows.sum()) < BASE and _run(first, last) < 4:
        return

    def tell(category: str, number: int, unit: str = Unit.COUNT) -> None:
        made.cells.append(Cell(Table.PROCESS, category, first, last, number, unit))

    def share(category: str, yes: NDArray[np.int64], no: NDArray[np.int64]) -> None:
        base = int((yes + no).sum())
        if base >= BASE and all(may_tell(parts, k) for parts in (yes + no, yes, no)):
            tell(f"{category}_Y", percent(int(yes.sum()), base), Unit.PERCENT)

    if may_tell(windows, k):
        tell("CONTACT", int(windows.sum()))
    share("CONTACT", kept, missed)
    for measure in ("TO_MATCH", "TO_CONTACT"):
        hours = cube.hours(measure, first, last)
        if sum(hours.values()) < max(MEDIAN, k):
            continue
        middle = median(hours)
        if measure == "TO_MATCH" or leaves_open(middle, int(kept.sum()), int(missed.sum()), k):
            tell(measure, middle, Unit.HOURS)
    talks = cube.shares("TALK", "ALL", first, last)
    if may_tell(talks, k):
        tell("TALK", int(talks.sum()))
        if talks.any() and windows.any() and may_tell(windows, k):
            tell("PER_MATCH", round(10 * int(talks.sum()) / int(windows.sum())), Unit.TENTHS)
    answered = cube.shares("SURVEY", "ALL", first, last)
    if may_tell(answered, k):
        tell("SURVEY", int(answered.sum()))
    for item in ITEMS:
        share(item, *(cube.shares(item, said, first, last) for said in ("YES", "OTHER")))


def leaves_open(middle: int, kept: int, missed: int, k: int) -> bool:
    """Whether a median of hours may stand beside these windows: of five it says that they were kept, or were not."""
    return not 0 < (kept if kept_at_least(middle) else missed) < k


def kept_at_least(middle: int) -> int:
    """Return how many windows were surely kept where this is the median of the hours to contact.

    It is told of `MEDIAN` contacts or more, and half of them took so long or less; how many there were is not told.

    Args:
        middle: the lower median, in whole hours that have begun with 0: at 72, a window is over.
    """
    return (MEDIAN + 1) // 2 if middle < CONTACT_HOURS else 0


def percent(part: int, base: int) -> int:
    """Return `part` of `base` in per cent, halves rounded up."""
    return (200 * part + base) // (2 * base)
