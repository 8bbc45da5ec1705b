"""What an attacker knows, and what must stay hidden: published numbers and protected counts for the audit."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import chain, product

import numpy as np
from numpy.typing import NDArray

from tracker.figures import periods
from tracker.releases.cube import ITEMS, PATHWAYS, REASONS, WINDOW_OUTCOMES, Cube
from tracker.releases.disclosure_audit import CellIndices, ProtectedCount, PublishedNumber
from tracker.releases.models import Release, ReleaseCell
from tracker.releases.options import MONTH
from tracker.releases.suppression import Cell, GroupMember, surely_in_time

Table, Unit = Release.Table, ReleaseCell.Unit
PeriodsByKind = dict[str, list[tuple[date, date]]]
# No bound that anybody was told.
UNBOUNDED = 10**9


@dataclass(frozen=True, eq=False)
class AttackSurface:
    """One cube with what is published of it and what is not: one attack."""

    counts: NDArray[np.int64]
    numbers: list[PublishedNumber]
    protected_counts: list[ProtectedCount]
    possible: NDArray[np.bool_] | None = None


def attack_surfaces(cube: Cube, cells: Iterable[Cell], members: Iterable[GroupMember], k: int) -> list[AttackSurface]:
    """Return the attacks to withstand: one on the requests, one on each of the process measures.

    Args:
        cells: everything ever published, and what is about to be.
        members: what stands together in them.
    """
    published = list(cells)
    grouped: dict[tuple[str, str, date, date], list[str]] = defaultdict(list)
    for member in members:
        grouped[member.table, member.group, member.first, member.last].append(member.member)
    requests = [cell for cell in published if cell.table != Table.PROCESS]
    surfaces = [
        AttackSurface(
            cube.counts.ravel(),
            [
                PublishedNumber(_counted_cells(cube, cell, grouped), cell.number, cell.number, optional_part(cell))
                for cell in requests
            ],
            list(_protected_counts(cube, k)),
            _plausible_cells(cube),
        )
    ]
    process = [cell for cell in published if cell.table == Table.PROCESS]
    surfaces += [_process_surface(cube, process, "CONTACT", "CONTACT", WINDOW_OUTCOMES, k)]
    surfaces += [_process_surface(cube, process, "TALK", "TALK", (("TALK", "ALL"),), k)]
    surfaces += [_process_surface(cube, process, item, "SURVEY", ((item, "YES"), (item, "OTHER")), k) for item in ITEMS]
    return surfaces


def _plausible_cells(cube: Cube) -> NDArray[np.bool_]:
    """Return the cells an attacker thinks of: one reason alone, or reasons that were given together in that month.

    And none of a site in a month in which it was not in the figures.
    """
    given_together = (cube.counts.sum(axis=(0, 2)) > 0)[None, :, None, :]
    single = np.array([len(reason_set) == 1 for reason_set in cube.sets])
    present = cube.present[:, :, None, None]
    return np.broadcast_to((given_together | single) & present, cube.counts.shape).ravel()


def optional_part(cell: Cell) -> str:
    """Return what could be left out: the months of P1 apart from its longer periods."""
    return MONTH if cell.table == Table.MONTHS and cell.first == cell.last else cell.table


def _counted_cells(cube: Cube, cell: Cell, grouped: Mapping[tuple[str, str, date, date], list[str]]) -> CellIndices:
    """Return the places of the requests that a cell counts."""
    names = grouped.get((cell.table, cell.category, cell.first, cell.last)) or [cell.category]
    if cell.table == Table.REASONS:
        return cube.cell_indices(cell.first, cell.last, reasons=names)
    if cell.table == Table.PATHWAYS:
        return cube.cell_indices(cell.first, cell.last, pathway=cell.category)
    if cell.table == Table.SITES:
        return cube.cell_indices(cell.first, cell.last, sites=[int(name[1:]) for name in names])
    return cube.cell_indices(cell.first, cell.last)


def _protected_counts(cube: Cube, k: int) -> Iterator[ProtectedCount]:
    """Yield the counts of 1 to k - 1 that could point to somebody, by kind."""
    counts = cube.counts.ravel()
    quarters = periods.quarters(cube.months[0], cube.months[-1])
    periods_by_kind: PeriodsByKind = {
        "MONTH": [(month, month) for month in cube.months],
        "QUARTER": [(each, periods.last_month(each)) for each in quarters],
        "YEAR": _years(cube),
    }
    for family, cells in chain(_request_counts(cube, periods_by_kind), _reason_counts(cube, periods_by_kind)):
        if 0 < counts[cells].sum() < k:
            yield ProtectedCount(family, cells)


def _request_counts(cube: Cube, periods_by_kind: PeriodsByKind) -> Iterator[tuple[str, CellIndices]]:
    """Yield the family and the cells of each count of requests, whatever their reasons."""
    for name, over in periods_by_kind.items():
        for first, last in over:
            yield "ALL", cube.cell_indices(first, last)
            for path in PATHWAYS:
                yield "ALL", cube.cell_indices(first, last, pathway=path)
            for site in cube.sites:
                yield "SITE", cube.cell_indices(first, last, sites=[site])
            if name != "MONTH":
                yield from _fine_counts(cube, first, last)


def _fine_counts(cube: Cube, first: date, last: date) -> Iterator[tuple[str, CellIndices]]:
    for site, path in product(cube.sites, PATHWAYS):
        yield "SITE_PATH", cube.cell_indices(first, last, sites=[site], pathway=path)
    # Those who gave the very same reasons are the base cells of the second table.
    grid = np.arange(cube.counts.size, dtype=np.intp).reshape(cube.counts.shape)
    for set_index in range(len(cube.sets)):
        yield "SET", grid[:, cube.month_slice(first, last), :, set_index].ravel()


def _reason_counts(cube: Cube, periods_by_kind: PeriodsByKind) -> Iterator[tuple[str, CellIndices]]:
    """Yield the family and the cells of each count of requests that mention a reason, or do not."""
    for reason, (name, over) in product(REASONS, periods_by_kind.items()):
        for first, last in over:
            mentioned = cube.cell_indices(first, last, reasons=[reason])
            yield f"R_{reason}", mentioned
            # Who knows how many asked subtracts.
            yield f"N_{reason}", np.setdiff1d(cube.cell_indices(first, last), mentioned)
            if name != "MONTH":
                for path in PATHWAYS:
                    yield f"R_{reason}", cube.cell_indices(first, last, reasons=[reason], pathway=path)
            if name == "YEAR":
                for site in cube.sites:
                    yield f"SR_{reason}", cube.cell_indices(first, last, sites=[site], reasons=[reason])


def _years(cube: Cube) -> list[tuple[date, date]]:
    """Return the fiscal years of the cube; the first and the last may be short."""
    starts = sorted({periods.fiscal_year(month) for month in cube.months})
    return [(max(start, cube.months[0]), min(periods.later(start, 11), cube.months[-1])) for start in starts]


def _process_surface(
    cube: Cube, published: Iterable[Cell], name: str, base: str, categories: tuple[tuple[str, str], ...], k: int
) -> AttackSurface:
    """Return the attack on a process measure: who of its counts, in which quarter and at which site.

    Args:
        name: of the measure; the share of its first category is told as `name`_Y.
        base: as what the sum of its categories is told.
        categories: (measure, category) of what is counted.
    """
    zero = np.zeros((len(cube.sites), len(cube.months)), dtype=np.int64)
    counts = np.stack([cube.process.get(measure, {}).get(code, zero) for measure, code in categories], axis=-1)
    grid = np.arange(counts.size, dtype=np.intp).reshape(counts.shape)
    numbers: list[PublishedNumber] = []
    bases = {(cell.first, cell.last): cell.number for cell in published if cell.category == base}
    for cell in published:
        if cell.first < cube.months[0]:
            continue
        cells = grid[:, cube.month_slice(cell.first, cell.last)]
        base_number = bases.get((cell.first, cell.last), UNBOUNDED)
        if cell.category == base:
            numbers.append(PublishedNumber(cells.ravel(), cell.number, cell.number, cell.table))
        elif cell.category == f"{name}_Y":
            interval = rounding_interval(cell.number, base_number)
            numbers.append(PublishedNumber(cells[..., 0].ravel(), *interval, cell.table))
        elif (name, cell.category) == ("CONTACT", "TO_CONTACT"):
            numbers.append(PublishedNumber(cells[..., 0].ravel(), surely_in_time(cell.number), base_number, cell.table))
    flat, protected_counts = counts.ravel(), []
    for quarter in periods.quarters(cube.months[0], cube.months[-1]):
        span = grid[:, cube.month_slice(quarter, periods.last_month(quarter))]
        for chosen in (span, *(span[[i]] for i in range(len(cube.sites)))):
            for cells in (chosen, *(chosen[..., [j]] for j in range(len(categories)))):
                if 0 < flat[cells.ravel()].sum() < k:
                    protected_counts.append(ProtectedCount(name, cells.ravel()))
    possible = np.broadcast_to(cube.present[..., None], counts.shape).ravel()
    return AttackSurface(flat, numbers, protected_counts, possible)


def rounding_interval(percent: int, base: int) -> tuple[int, int]:
    """Return the smallest and the largest part of `base` that is rounded to this percentage."""
    low = -(-base * (2 * percent - 1) // 200)
    high = -(-base * (2 * percent + 1) // 200) - 1
    return max(low, 0), min(high, base)
