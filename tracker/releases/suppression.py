"""What of a cube may be published: the fixed tables P1 to P5, rolled up rather than blanked out
(docs/rules.md#rolled-up-not-blanked-out).

A table tells a run of quarters: those since it told its last. A run may be one quarter, two, or a year
and more; when its counts are too small it waits, and the next release tries a longer one.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from matching.matches.contact_window import CONTACT_HOURS
from tracker.figures import periods
from tracker.figures.medians import median
from tracker.releases.cube import ITEMS, PATHWAYS, REASONS, WINDOW_OUTCOMES, Cube
from tracker.releases.models import Release, ReleaseCell
from tracker.releases.options import ReleaseOptions

Table, Unit = Release.Table, ReleaseCell.Unit
GROUPED = "GROUPED"
# Percentages need a base of so many, medians so many values
# (docs/rules.md#percentages-and-medians).
PERCENT_BASE, MEDIAN_BASE = 20, 10
# In a quarter or half-year no more reasons than these are told together; in a year all but one may be.
MOST_GROUPED_REASONS = 4
# A regional group has three members or more; its total is 2 K or more, and less any one of them K or more
# (docs/rules.md#rolled-up-not-blanked-out).
SMALLEST_GROUP = 3


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
class GroupMember:
    """A reason or site that is published only together with others, as `group`."""

    table: str
    group: str
    member: str
    first: date
    last: date


@dataclass
class ProtectedTables:
    """The cells of a release, and what stands together in them."""

    cells: list[Cell] = field(default_factory=list)
    members: list[GroupMember] = field(default_factory=list)


def is_safe(contributions: NDArray[np.int64], k: int) -> bool:
    """Whether a sum may be published: it is 0 or at least `k`, for outsiders and for each of the sites in it.

    A site knows its own part. What is left when it takes that away is a count of the others, and
    stands under the same rule (docs/rules.md#smallest-count).

    Args:
        contributions: each site's share, integers of shape (sites).
    """
    total = int(contributions.sum())
    others = total - contributions
    return total == 0 or (total >= k and bool(((others == 0) | (others >= k)).all()))


def protected_tables(
    cube: Cube,
    quarter: date,
    first_unpublished: Mapping[str, date],
    options: ReleaseOptions,
    k: int,
    *,
    regions: Mapping[int, str],
) -> ProtectedTables:
    """Return the cells that may be published at the end of `quarter`, and the groups in them.

    Args:
        first_unpublished: table → first day of the first month it has not told yet.
        regions: site → region, for the groups of small sites.
    """
    last, tables = periods.last_month(quarter), ProtectedTables()
    _months(cube, tables, first_unpublished[Table.MONTHS], last, options, k)
    if options.reasons and _quarters_between(first_unpublished[Table.REASONS], last):
        _reasons(cube, tables, first_unpublished[Table.REASONS], last, k)
    if options.pathways and _quarters_between(first_unpublished[Table.PATHWAYS], last):
        _pathways(cube, tables, first_unpublished[Table.PATHWAYS], last, k)
    if options.sites and periods.closes_fiscal_year(quarter):
        _sites(cube, tables, max(periods.fiscal_year(last), cube.months[0]), last, k, regions)
    if options.process and _quarters_between(first_unpublished[Table.PROCESS], last):
        _process(cube, tables, first_unpublished[Table.PROCESS], last, k)
    return tables


def _quarters_between(first: date, last: date) -> int:
    """Return how many quarters `first`..`last` are; 0 for three, which wait for the year."""
    number = periods.between(first, periods.next_month(last)) // periods.QUARTER
    return 0 if number == 3 else max(number, 0)


def _months(cube: Cube, tables: ProtectedTables, first: date, last: date, options: ReleaseOptions, k: int) -> None:
    quarters = _quarters_between(first, last)
    if not options.months or not quarters or not is_safe(cube.contributions(first, last), k):
        return
    months = periods.months(first, last)
    if quarters == 1 and options.by_month and all(is_safe(cube.contributions(month, month), k) for month in months):
        tables.cells += [_cell(cube, Table.MONTHS, "ALL", month, month) for month in months]
    tables.cells.append(_cell(cube, Table.MONTHS, "ALL", first, last))


def _cell(cube: Cube, table: str, category: str, first: date, last: date, **filters: Iterable[str] | str) -> Cell:
    return Cell(table, category, first, last, int(cube.contributions(first, last, **filters).sum()))


def _reasons(cube: Cube, tables: ProtectedTables, first: date, last: date, k: int) -> None:
    grouped = grouped_reasons(cube, first, last, k)
    if grouped is None:
        return
    tables.cells += [
        _cell(cube, Table.REASONS, reason, first, last, reasons=[reason]) for reason in REASONS if reason not in grouped
    ]
    if grouped:
        tables.cells.append(_cell(cube, Table.REASONS, GROUPED, first, last, reasons=grouped))
        tables.members += [GroupMember(Table.REASONS, GROUPED, reason, first, last) for reason in grouped]


def grouped_reasons(cube: Cube, first: date, last: date, k: int) -> list[str] | None:
    """Return the reasons that may be published only as a group; None if no group of them is safe."""
    contributions = {reason: cube.contributions(first, last, reasons=[reason]) for reason in REASONS}
    # What nobody mentioned is told as 0, and would hide nothing among others.
    zero = [reason for reason in REASONS if not contributions[reason].any()]
    order = sorted((r for r in REASONS if r not in zero), key=lambda reason: int(contributions[reason].sum()))
    largest_group = MOST_GROUPED_REASONS if _quarters_between(first, last) < 4 else len(REASONS) - 1
    for number in (0, *range(2, min(largest_group, len(order)) + 1)):
        grouped, separate = order[:number], order[number:]
        if all(is_safe(contributions[reason], k) for reason in separate) and (
            not grouped or is_safe(cube.contributions(first, last, reasons=grouped), k)
        ):
            return sorted(grouped, key=REASONS.index)
    return None


def _pathways(cube: Cube, tables: ProtectedTables, first: date, last: date, k: int) -> None:
    if all(is_safe(cube.contributions(first, last, pathway=path), k) for path in PATHWAYS):
        tables.cells += [_cell(cube, Table.PATHWAYS, path, first, last, pathway=path) for path in PATHWAYS]


def _sites(cube: Cube, tables: ProtectedTables, first: date, last: date, k: int, regions: Mapping[int, str]) -> None:
    totals = dict(zip(cube.sites, cube.contributions(first, last).tolist(), strict=True))
    groups = group_sites(totals, regions, k)
    if groups is None:
        return
    grouped_sites = set(chain.from_iterable(groups.values()))
    tables.cells += [
        Cell(Table.SITES, f"S{site}", first, last, totals[site]) for site in cube.sites if site not in grouped_sites
    ]
    for name, sites in groups.items():
        tables.cells.append(Cell(Table.SITES, name, first, last, sum(totals[site] for site in sites)))
        tables.members += [GroupMember(Table.SITES, name, f"S{site}", first, last) for site in sites]


def group_sites(totals: Mapping[int, int], regions: Mapping[int, str], k: int) -> dict[str, list[int]] | None:
    """Return region → sites that are published as one group: small ones, with as many others as the rule needs.

    A region that cannot make a group of its own gives its small sites to the group of all that are left
    over, which takes further sites, the smallest first. None when even that is not enough.

    Args:
        totals: site → requests in the year.
    """
    groups: dict[str, list[int]] = {}
    leftover: list[int] = []
    for region in sorted(set(regions.values())):
        members = sorted((site for site in totals if regions[site] == region), key=lambda site: (totals[site], site))
        small = [site for site in members if 0 < totals[site] < k]
        if not small:
            continue
        complete = _complete_group(small, [site for site in members if totals[site] >= k], totals, k)
        if complete and region != "NONE":
            groups[region] = complete
        else:
            leftover += small
    if not leftover:
        return groups
    joinable = [site for site in totals if totals[site] >= k and all(site not in sites for sites in groups.values())]
    complete = _complete_group(leftover, sorted(joinable, key=lambda site: (totals[site], site)), totals, k)
    if complete:
        return groups | {"REST": complete}
    # With nobody else to join, they join the smallest group there is.
    if groups:
        smallest = min(groups, key=lambda name: sum(totals[site] for site in groups[name]))
        complete = _complete_group(leftover + groups.pop(smallest), [], totals, k)
        return groups | {"REST": complete} if complete else None
    return None


def _complete_group(small: list[int], others: list[int], totals: Mapping[int, int], k: int) -> list[int] | None:
    members, others = list(small), list(others)
    while True:
        total = sum(totals[site] for site in members)
        # Who knows this rule knows that no member has more than the total less k: with less than 2 k, that is under k.
        if len(members) >= SMALLEST_GROUP and total >= 2 * k and all(total - totals[site] >= k for site in members):
            return sorted(members)
        if not others:
            return None
        members.append(others.pop(0))


def _process(cube: Cube, tables: ProtectedTables, first: date, last: date, k: int) -> None:
    in_time, missed = (cube.process_contributions(*outcome, first, last) for outcome in WINDOW_OUTCOMES)
    windows = in_time + missed
    if int(windows.sum()) < PERCENT_BASE and _quarters_between(first, last) < 4:
        return

    def add(category: str, number: int, unit: str = Unit.COUNT) -> None:
        tables.cells.append(Cell(Table.PROCESS, category, first, last, number, unit))

    if is_safe(windows, k):
        add("CONTACT", int(windows.sum()))
    tables.cells += _percentage("CONTACT", first, last, in_time, missed, k)
    for measure, middle in _medians(cube, first, last, k):
        if measure == "TO_MATCH" or median_is_safe(middle, int(in_time.sum()), int(missed.sum()), k):
            add(measure, middle, Unit.HOURS)
    talks = cube.process_contributions("TALK", "ALL", first, last)
    if is_safe(talks, k):
        add("TALK", int(talks.sum()))
        if talks.any() and windows.any() and is_safe(windows, k):
            add("PER_MATCH", round(10 * int(talks.sum()) / int(windows.sum())), Unit.TENTHS)
    respondents = cube.process_contributions("SURVEY", "ALL", first, last)
    if is_safe(respondents, k):
        add("SURVEY", int(respondents.sum()))
    for item in ITEMS:
        yes, other = (cube.process_contributions(item, answer, first, last) for answer in ("YES", "OTHER"))
        tables.cells += _percentage(item, first, last, yes, other, k)


def _percentage(
    category: str, first: date, last: date, yes: NDArray[np.int64], no: NDArray[np.int64], k: int
) -> list[Cell]:
    """Return the cell that says how many of a hundred said yes; none where it may not be published."""
    base = int((yes + no).sum())
    if base < PERCENT_BASE or not all(is_safe(contributions, k) for contributions in (yes + no, yes, no)):
        return []
    return [Cell(Table.PROCESS, f"{category}_Y", first, last, percent(int(yes.sum()), base), Unit.PERCENT)]


def _medians(cube: Cube, first: date, last: date, k: int) -> Iterator[tuple[str, int]]:
    """Yield each measure of hours that enough matches stand behind, with its median."""
    for measure in ("TO_MATCH", "TO_CONTACT"):
        hours = cube.hours(measure, first, last)
        if sum(hours.values()) >= max(MEDIAN_BASE, k):
            yield measure, median(hours)


def median_is_safe(middle: int, in_time: int, missed: int, k: int) -> bool:
    """Whether a median of hours is safe beside these windows: it says of five contacts whether they were in time."""
    return not 0 < (in_time if surely_in_time(middle) else missed) < k


def surely_in_time(middle: int) -> int:
    """Return how many contacts were in time for certain, where this is the median of the hours to contact.

    It is published of `MEDIAN_BASE` contacts or more, and half of them took so long or less; how many there were is
    not.

    Args:
        middle: the lower median, in whole hours that have begun with 0: at 72, a window is over.
    """
    return (MEDIAN_BASE + 1) // 2 if middle < CONTACT_HOURS else 0


def percent(part: int, base: int) -> int:
    """Return `part` of `base` in per cent, halves rounded up."""
    return (200 * part + base) // (2 * base)
