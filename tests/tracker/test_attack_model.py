"""What an attacker is taken to know and to look for, written down once more cell by cell."""

from collections.abc import Callable, Iterator
from datetime import date
from itertools import product

import numpy as np
import pytest

from referrals.requests.request_facts import set_code
from tracker.figures import periods
from tracker.releases import attack_model, suppression
from tracker.releases.cube import ITEMS, PATHWAYS, REASONS, Cube, Row, build
from tracker.releases.models import Frozen, Release, ReleaseCell
from tracker.releases.suppression import Cell, GroupMember

Table, Unit = Release.Table, ReleaseCell.Unit
K = 10
# Nine months: three quarters, the end of one fiscal year and the beginning of another.
MONTHS = periods.months(date(2024, 10, 1), date(2025, 6, 1))
OCTOBER, DECEMBER, JANUARY, MARCH, APRIL, JUNE = (MONTHS[i] for i in (0, 2, 3, 5, 6, 8))
QUARTERS = [MONTHS[0:3], MONTHS[3:6], MONTHS[6:9]]
YEARS = [MONTHS[0:6], MONTHS[6:9]]
SITES = (1, 2)
# The second site is not in the figures yet in October.
PRESENT = {(site, month) for site, month in product(SITES, MONTHS) if (site, month) != (2, OCTOBER)}


@pytest.fixture(scope="module")
def cube() -> Cube:
    dice = np.random.default_rng(7)
    sets = [("BURNOUT",), ("LIFE",), ("EVENT", "LIFE"), ("BURNOUT", "CONFLICT", "LIFE"), ("OTHER",)]
    rows: dict[int, list[Row]] = {}
    for site in SITES:
        found: list[Row] = []
        for month in (month for month in MONTHS if (site, month) in PRESENT):
            found.append((month, Frozen.MARK, "ALL", 0))
            numbers = dice.poisson((1.5, 1.2, 0.8, 0.4, 0.1), (len(PATHWAYS), len(sets)))
            for (i, path), (j, given) in product(enumerate(PATHWAYS), enumerate(sets)):
                found.append((month, "REQ_SET", set_code(path, given), int(numbers[i, j])))
            found.append((month, "REQUEST", "ALL", int(numbers.sum())))
            found.append((month, "CONTACT", "IN_TIME", int(dice.integers(0, 6))))
            found.append((month, "WINDOW", "MISSED", int(dice.integers(0, 3))))
            found.append((month, "TALK", "ALL", int(dice.integers(0, 6))))
            answers = int(dice.integers(0, 6))
            found.append((month, "SURVEY", "ALL", answers))
            found += [(month, item, "YES", int(dice.integers(0, answers + 1))) for item in ITEMS]
        rows[site] = found
    return build(rows, MONTHS)


Place = tuple[int, date, str, frozenset[str]]


def places(cube: Cube, wanted: Callable[[Place], bool]) -> list[int]:
    """Return the places of the cells that are wanted, one after the other."""
    every = product(cube.sites, cube.months, PATHWAYS, cube.sets)
    return [i for i, cell in enumerate(every) if wanted(cell)]


# What must stay hidden


def among(cube: Cube, span: list[date], **which: object) -> list[int]:
    """Return the places of the requests of these months, of a site, a pathway, a reason, a set of reasons."""

    def wanted(cell: Place) -> bool:
        site, month, path, given = cell
        own = {"site": site, "path": path, "given": given}
        return (
            month in span
            and all(which.get(name, value) == value for name, value in own.items())
            and ("reason" not in which or which["reason"] in given)
            and ("without" not in which or which["without"] not in given)
        )

    return places(cube, wanted)


def kinds(cube: Cube) -> Iterator[tuple[str, list[int]]]:
    """Yield every count that could point to somebody: its family and its cells."""
    lengths = ((1, [[month] for month in MONTHS]), (3, QUARTERS), (12, YEARS))
    for length, span in ((length, span) for length, spans in lengths for span in spans):
        yield "ALL", among(cube, span)
        yield from (("ALL", among(cube, span, path=path)) for path in PATHWAYS)
        yield from (("SITE", among(cube, span, site=site)) for site in SITES)
        yield from ((f"R_{reason}", among(cube, span, reason=reason)) for reason in REASONS)
        yield from ((f"N_{reason}", among(cube, span, without=reason)) for reason in REASONS)
        if length > 1:
            yield from finer_kinds(cube, span)
        if length > 3:
            for reason, site in product(REASONS, SITES):
                yield f"SR_{reason}", among(cube, span, reason=reason, site=site)


def finer_kinds(cube: Cube, span: list[date]) -> Iterator[tuple[str, list[int]]]:
    """Yield what could point to somebody in a quarter or a year, and is too fine for a month."""
    for site, path in product(SITES, PATHWAYS):
        yield "SITE_PATH", among(cube, span, site=site, path=path)
    for given in cube.sets:
        yield "SET", among(cube, span, given=given)
    for reason, path in product(REASONS, PATHWAYS):
        yield f"R_{reason}", among(cube, span, reason=reason, path=path)


def test_every_count_of_one_to_nine_that_could_point_to_somebody_is_attacked(cube: Cube) -> None:
    counts = cube.counts.ravel()
    every = [(family, cells, int(counts[cells].sum())) for family, cells in kinds(cube)]
    assert {count for *_, count in every} >= {0, 1, K - 1, K}
    expected = [(family, cells) for family, cells, count in every if 0 < count < K]
    surface = attack_model.attack_surfaces(cube, [], [], K)[0]
    found = [(protected.family, sorted(protected.cells.tolist())) for protected in surface.protected_counts]
    assert sorted(found) == sorted(expected)
    assert surface.counts.tolist() == counts.tolist() and surface.numbers == []


def test_nobody_thinks_of_reasons_that_were_not_given_together_in_that_month(cube: Cube) -> None:
    given = {
        (month, held)
        for (_, month, _, held), count in zip(
            product(cube.sites, cube.months, PATHWAYS, cube.sets), cube.counts.ravel(), strict=True
        )
        if count
    }
    expected = places(
        cube, lambda cell: (cell[0], cell[1]) in PRESENT and (len(cell[3]) == 1 or (cell[1], cell[3]) in given)
    )
    possible = attack_model.attack_surfaces(cube, [], [], K)[0].possible
    assert possible is not None and np.flatnonzero(possible).tolist() == expected


# What is known


def test_every_published_count_of_requests_is_known_and_of_what(cube: Cube) -> None:
    reasons, sites = ("EVENT", "LIFE"), (1, 2)
    members = [GroupMember(Table.REASONS, "GROUPED", reason, OCTOBER, DECEMBER) for reason in reasons]
    members += [GroupMember(Table.REASONS, "GROUPED", "OTHER", JANUARY, MARCH)]
    members += [GroupMember(Table.SITES, "ISLAND", f"S{site}", OCTOBER, MARCH) for site in sites]
    cells = [
        Cell(Table.MONTHS, "ALL", JANUARY, MARCH, 91),
        Cell(Table.MONTHS, "ALL", MARCH, MARCH, 92),
        Cell(Table.REASONS, "BURNOUT", APRIL, JUNE, 93),
        Cell(Table.REASONS, "GROUPED", OCTOBER, DECEMBER, 94),
        Cell(Table.REASONS, "GROUPED", JANUARY, MARCH, 95),
        Cell(Table.PATHWAYS, "REACH_OUT", OCTOBER, MARCH, 96),
        Cell(Table.SITES, "S2", APRIL, JUNE, 97),
        Cell(Table.SITES, "ISLAND", OCTOBER, MARCH, 98),
        Cell(Table.PROCESS, "TALK", OCTOBER, MARCH, 99),
    ]
    expected = [
        (Table.MONTHS, 91, places(cube, lambda cell: cell[1] in QUARTERS[1])),
        ("MONTH", 92, places(cube, lambda cell: cell[1] == MARCH)),
        (Table.REASONS, 93, places(cube, lambda cell: cell[1] in QUARTERS[2] and "BURNOUT" in cell[3])),
        (Table.REASONS, 94, places(cube, lambda cell: cell[1] in QUARTERS[0] and bool(cell[3] & set(reasons)))),
        (Table.REASONS, 95, places(cube, lambda cell: cell[1] in QUARTERS[1] and "OTHER" in cell[3])),
        (Table.PATHWAYS, 96, places(cube, lambda cell: cell[1] in YEARS[0] and cell[2] == "REACH_OUT")),
        (Table.SITES, 97, places(cube, lambda cell: cell[1] in YEARS[1] and cell[0] == 2)),
        (Table.SITES, 98, places(cube, lambda cell: cell[1] in YEARS[0])),
    ]
    found = attack_model.attack_surfaces(cube, cells, members, K)[0].numbers
    assert [(each.table, each.low, sorted(each.cells.tolist())) for each in found] == expected
    assert [each.high for each in found] == [each.low for each in found]


# The process measures


def shares(cube: Cube, categories: list[tuple[str, str]]) -> tuple[list[int], list[tuple[int, date, int]]]:
    """Return the counts of an attack on a process measure, and of which site, month and category each is."""
    every = list(product(SITES, MONTHS, range(len(categories))))
    counts = [
        int(cube.process[categories[number][0]][categories[number][1]][SITES.index(site), MONTHS.index(month)])
        for site, month, number in every
    ]
    return counts, every


ATTACKS = [
    ("CONTACT", [("CONTACT", "IN_TIME"), ("WINDOW", "MISSED")]),
    ("TALK", [("TALK", "ALL")]),
    *((item, [(item, "YES"), (item, "OTHER")]) for item in ITEMS),
]


@pytest.mark.parametrize("number", range(len(ATTACKS)))
def test_of_each_process_measure_the_quarters_of_all_and_of_each_site_are_attacked(cube: Cube, number: int) -> None:
    name, categories = ATTACKS[number]
    counts, every = shares(cube, categories)
    expected = []
    for quarter, sites in product(QUARTERS, [SITES, *((site,) for site in SITES)]):
        for chosen in [list(range(len(categories))), *([i] for i in range(len(categories)))]:
            cells = [
                i for i, (site, month, of) in enumerate(every) if month in quarter and site in sites and of in chosen
            ]
            if 0 < sum(counts[i] for i in cells) < K:
                expected.append((name, cells))
    surfaces = attack_model.attack_surfaces(cube, [], [], K)
    assert len(surfaces) == 1 + len(ATTACKS)
    surface = surfaces[1 + number]
    assert surface.counts.tolist() == counts
    assert sorted((each.family, sorted(each.cells.tolist())) for each in surface.protected_counts) == sorted(expected)
    assert surface.possible is not None
    assert surface.possible.tolist() == [(site, month) in PRESENT for site, month, _ in every]


def test_a_measure_nobody_counted_is_nothing_everywhere() -> None:
    empty = build({1: [], 2: []}, MONTHS)
    surfaces = attack_model.attack_surfaces(empty, [], [], K)
    assert [surface.counts.any() for surface in surfaces] == [False] * len(surfaces)
    assert [len(surface.counts) for surface in surfaces[1:]] == [36, 18] + [36] * len(ITEMS)
    assert [surface.protected_counts for surface in surfaces] == [[]] * len(surfaces)


def known(cube: Cube, cells: list[Cell], number: int) -> list[tuple[int, int, list[tuple[int, date, int]]]]:
    """Return what is known of a process measure: the bounds, and of which cells."""
    _, every = shares(cube, ATTACKS[number][1])
    numbers = attack_model.attack_surfaces(cube, cells, [], K)[1 + number].numbers
    assert {each.table for each in numbers} <= {Table.PROCESS}
    return [(each.low, each.high, [every[i] for i in sorted(each.cells.tolist())]) for each in numbers]


def already_published(category: str, first: date, last: date, number: int) -> Cell:
    return Cell(Table.PROCESS, category, first, last, number)


def test_a_count_is_known_a_percentage_within_its_rounding_and_a_median_as_a_bound(cube: Cube) -> None:
    def cells(span: list[date], categories: tuple[int, ...]) -> list[tuple[int, date, int]]:
        return list(product(SITES, span, categories))

    published = [
        already_published("CONTACT", OCTOBER, DECEMBER, 60),
        already_published("CONTACT_Y", OCTOBER, DECEMBER, 95),
        already_published("TO_CONTACT", OCTOBER, DECEMBER, 30),
        already_published("TO_CONTACT", JANUARY, MARCH, 71),
        already_published("TO_CONTACT", APRIL, JUNE, 72),
        already_published("TO_MATCH", OCTOBER, DECEMBER, 5),
        already_published("TALK", JANUARY, JUNE, 33),
        already_published("SURVEY", OCTOBER, MARCH, 30),
        already_published(f"{ITEMS[0]}_Y", OCTOBER, MARCH, 50),
        already_published("CONTACT", date(2024, 7, 1), date(2024, 9, 1), 50),  # before there were figures
    ]
    assert known(cube, published, 0) == [
        (60, 60, cells(QUARTERS[0], (0, 1))),
        (57, 57, cells(QUARTERS[0], (0,))),
        (5, 60, cells(QUARTERS[0], (0,))),
        (5, attack_model.UNBOUNDED, cells(QUARTERS[1], (0,))),
        (0, attack_model.UNBOUNDED, cells(QUARTERS[2], (0,))),
    ]
    assert known(cube, published, 1) == [(33, 33, cells(MONTHS[3:], (0,)))]
    assert known(cube, published, 2) == [
        (30, 30, cells(MONTHS[:6], (0, 1))),
        (15, 15, cells(MONTHS[:6], (0,))),
    ]
    assert known(cube, published, 3) == [(30, 30, cells(MONTHS[:6], (0, 1)))]
    # Who was not told how many there were takes any number for possible.
    assert attack_model.UNBOUNDED > 10**6


def test_what_is_rounded_to_a_percentage_lies_between_its_bounds_and_nothing_else_does() -> None:
    for base in (20, 21, 60, 199, 200, 333):
        of: dict[int, list[int]] = {}
        for part in range(base + 1):
            of.setdefault(suppression.percent(part, base), []).append(part)
        for shown, parts in of.items():
            assert attack_model.rounding_interval(shown, base) == (parts[0], parts[-1]), (shown, base)
