"""What may be told of counts: rolled up rather than blanked out, each table in its own step."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tracker import cubes
from tracker.figures import periods
from tracker.figures.medians import median
from tracker.releases import check as release_check
from tracker.releases import suppression
from tracker.releases.cube import Cube, InconsistentCounts, build
from tracker.releases.models import Release
from tracker.releases.options import ReleaseOptions

Table = Release.Table
K = 10
START = date(2025, 4, 1)


def cube_of(*sites: dict[tuple[int, str, tuple[str, ...]], int], months: int = 3, start: date = START) -> Cube:
    rows = {number + 1: cubes.rows(each, start) for number, each in enumerate(sites)}
    return build(rows, periods.months(start, periods.later(start, months - 1)))


def quarterly(cube: Cube, regions: dict[int, str] | None = None) -> list[list[suppression.Cell]]:
    """Return what each quarter would tell in its turn."""
    published: list[list[suppression.Cell]] = []
    for quarter in periods.quarters(cube.months[0], cube.months[-1]):
        starts = release_check.first_unpublished([cell for each in published for cell in each], cube)
        where = regions or dict.fromkeys(cube.sites, "ISLAND")
        published.append(suppression.protected_tables(cube, quarter, starts, ReleaseOptions(), K, regions=where).cells)
    return published


def of(cells: list[suppression.Cell], table: str) -> list[tuple[str, int, int, int]]:
    return [(c.category, c.first.month, c.last.month, c.number) for c in cells if c.table == table]


@pytest.mark.parametrize(
    ("parts", "safe"),
    [
        ((0, 0), True),
        ((10,), True),
        ((9,), False),
        ((5, 5), False),  # each knows that the others have five
        ((10, 10), True),
        ((12, 3), False),
        ((12, 0), True),
        ((4, 4, 4), False),
        ((5, 5, 5), True),
    ],
)
def test_a_sum_is_told_if_neither_outsiders_nor_a_site_in_it_learn_a_small_number(
    parts: tuple[int, ...], safe: bool
) -> None:
    assert suppression.is_safe(np.array(parts), K) is safe


def test_months_then_the_quarter_then_longer() -> None:
    burnout = ("REACH_IN", ("BURNOUT",))
    busy = {(month, *burnout): 20 for month in range(3)}
    uneven = {(3, *burnout): 5, (4, *burnout): 1, (5, *burnout): 9}
    quiet = {(6, *burnout): 1}
    again = {(9, *burnout): 11}
    cube = cube_of(busy | uneven | quiet | again, busy | uneven | again, busy | uneven | again, months=12)
    published = [of(cells, Table.MONTHS) for cells in quarterly(cube)]
    assert published == [
        [("ALL", 4, 4, 60), ("ALL", 5, 5, 60), ("ALL", 6, 6, 60), ("ALL", 4, 6, 180)],
        [("ALL", 7, 9, 45)],
        [],
        [("ALL", 10, 3, 34)],
    ]


def test_three_quarters_wait_for_the_year() -> None:
    few = {(month, "REACH_IN", ("LIFE",)): 1 for month in range(12)}
    published = [of(cells, Table.MONTHS) for cells in quarterly(cube_of(few, few, few, months=12))]
    assert published == [[], [("ALL", 4, 9, 18)], [], [("ALL", 10, 3, 18)]]
    none = {(month, "REACH_IN", ("LIFE",)): 1 for month in (0, 3, 6, 9)}
    published = [of(cells, Table.MONTHS) for cells in quarterly(cube_of(none, none, none, none, none, months=12))]
    assert published == [[], [], [], [("ALL", 4, 3, 20)]]


def test_what_is_not_wanted_waits_and_is_told_for_a_longer_time() -> None:
    busy = {(month, path, ("LIFE",)): 20 for month in range(6) for path in ("REACH_IN", "REACH_OUT")}
    cube = cube_of(busy, busy, months=6)
    first = suppression.protected_tables(
        cube,
        START,
        release_check.first_unpublished([], cube),
        ReleaseOptions(True, False, False, False, False, False),
        K,
        regions={},
    )
    assert of(first.cells, Table.MONTHS) == [("ALL", 4, 6, 240)] and {c.table for c in first.cells} == {Table.MONTHS}
    second = suppression.protected_tables(
        cube, date(2025, 7, 1), release_check.first_unpublished(first.cells, cube), ReleaseOptions(), K, regions={}
    )
    assert of(second.cells, Table.PATHWAYS) == [("REACH_IN", 4, 9, 240), ("REACH_OUT", 4, 9, 240)]
    assert of(second.cells, Table.MONTHS)[0] == ("ALL", 7, 7, 80)


def test_small_reasons_are_told_together_and_never_one_alone() -> None:
    each = {(0, "REACH_IN", ("BURNOUT",)): 20, (0, "REACH_IN", ("EVENT", "LIFE")): 8, (0, "REACH_IN", ("CHANGE",)): 1}
    cube = cube_of(each, each, each)
    (cells,) = quarterly(cube)
    assert of(cells, Table.REASONS) == [
        ("COMPLAINT", 4, 6, 0),
        ("CONFLICT", 4, 6, 0),
        ("LIFE", 4, 6, 24),
        ("BURNOUT", 4, 6, 60),
        ("DISCRIM", 4, 6, 0),
        ("OTHER", 4, 6, 0),
        ("GROUPED", 4, 6, 27),
    ]
    assert suppression.grouped_reasons(cube, START, date(2025, 6, 1), K) == ["EVENT", "CHANGE"]
    # A single small reason with nothing to stand beside joins the next one.
    alone = {(0, "REACH_IN", ("BURNOUT",)): 20, (0, "REACH_IN", ("CHANGE",)): 1}
    assert suppression.grouped_reasons(cube_of(alone, alone), START, date(2025, 6, 1), K) == ["BURNOUT", "CHANGE"]


@given(
    totals=st.lists(st.integers(0, 60), min_size=1, max_size=12),
    regions=st.lists(st.sampled_from(["NONE", "ISLAND", "FRASER"]), min_size=12, max_size=12),
)
@settings(max_examples=300, deadline=None)
def test_small_sites_stand_in_groups_of_three_that_no_member_can_see_through(
    totals: list[int], regions: list[str]
) -> None:
    sites = dict(enumerate(totals, 1))
    groups = suppression.group_sites(sites, {site: regions[site - 1] for site in sites}, K)
    small = {site for site, number in sites.items() if 0 < number < K}
    if groups is None:
        assert small
        return
    members = [site for group in groups.values() for site in group]
    assert len(members) == len(set(members)) and small <= set(members)
    for group in groups.values():
        assert len(group) >= 3
        assert all(sum(sites[s] for s in group) - sites[one] >= K for one in group)
        assert sum(sites[s] for s in group) >= 2 * K


def test_sites_are_told_only_when_a_fiscal_year_closes() -> None:
    busy = {(month, "REACH_IN", ("LIFE",)): 2 for month in range(15)}
    cube = cube_of(busy, busy, busy, months=15, start=date(2025, 1, 1))
    published = [of(cells, Table.SITES) for cells in quarterly(cube)]
    # January to March 2025 is the end of a year of which only three months are known; six a site, and 18 in all, are
    # too few: whoever knows the rule would know that none has more than eight.
    assert [len(each) for each in published] == [0, 0, 0, 0, 3]
    assert published[4] == [("S1", 4, 3, 24), ("S2", 4, 3, 24), ("S3", 4, 3, 24)]


def process(**measures: dict[str, int]) -> Cube:
    """Return a cube of three sites that are alike; each count is of one site in April."""
    rows = [(START, name, code, number) for name, codes in measures.items() for code, number in codes.items()]
    return build(dict.fromkeys((1, 2, 3), rows), periods.months(START, date(2025, 6, 1)))


def shown(cube: Cube) -> dict[str, int]:
    cells = suppression.protected_tables(
        cube, START, release_check.first_unpublished([], cube), ReleaseOptions(), K, regions={}
    ).cells
    return {cell.category: cell.number for cell in cells if cell.table == Table.PROCESS}


def test_percentages_have_a_base_of_twenty_and_two_parts_that_may_be_told() -> None:
    assert shown(process(CONTACT={"IN_TIME": 20}, WINDOW={"MISSED": 5})) == {
        "CONTACT": 75,
        "CONTACT_Y": 80,
        "TALK": 0,
        "SURVEY": 0,
    }
    assert "CONTACT_Y" not in shown(process(CONTACT={"IN_TIME": 20}, WINDOW={"MISSED": 3}))  # nine missed
    assert shown(process(CONTACT={"IN_TIME": 20}))["CONTACT_Y"] == 100
    assert shown(process(CONTACT={"IN_TIME": 6})) == {}  # eighteen windows wait
    few = process(CONTACT={"IN_TIME": 9}, SURVEY={"ALL": 6}, SV_HELP={"YES": 6})
    assert "SURVEY" in shown(few) and "SV_HELP_Y" not in shown(few)  # eighteen answers


def test_answers_have_one_base_so_that_nobody_who_passed_a_question_over_shows() -> None:
    published = shown(
        process(
            CONTACT={"IN_TIME": 9},
            SURVEY={"ALL": 15},
            SV_SAFE={"YES": 15},
            SV_HELP={"YES": 10, "NO": 4},
            SV_AGAIN={"YES": 14},
            SV_TIME={"NO": 15},
        )
    )
    assert {name: number for name, number in published.items() if name.startswith("S")} == {
        "SURVEY": 45,
        "SV_SAFE_Y": 100,
        "SV_HELP_Y": 67,
        "SV_RECOMM_Y": 0,
        "SV_TIME_Y": 0,
    }


def test_more_yes_than_answers_is_told_to_nobody() -> None:
    with pytest.raises(InconsistentCounts):
        process(SURVEY={"ALL": 3}, SV_SAFE={"YES": 4})


def test_medians_have_ten_behind_them_and_are_whole_hours() -> None:
    cube = process(CONTACT={"IN_TIME": 20}, TO_CONTACT={"3": 1, "30": 2, "70": 1}, TO_MATCH={"5": 3})
    assert shown(cube)["TO_CONTACT"] == 30
    assert "TO_MATCH" not in shown(cube)


@pytest.mark.parametrize(
    ("in_time", "hours", "missed", "safe"),
    [(7, 30, 9, False), (7, 30, 0, False), (10, 30, 1, True), (10, 80, 1, False), (1, 80, 10, True), (0, 80, 10, True)],
)
def test_a_median_waits_beside_a_small_number_it_would_bound(in_time: int, hours: int, missed: int, safe: bool) -> None:
    assert suppression.median_is_safe(hours, in_time, missed, K) is safe


@given(st.dictionaries(st.integers(0, 999), st.integers(1, 9), min_size=1, max_size=20))
def test_the_median_is_the_middle_of_the_list(hours: dict[int, int]) -> None:
    every = sorted(hour for hour, number in hours.items() for _ in range(number))
    assert median(hours) == every[(len(every) - 1) // 2]


def test_conversations_for_each_contact_are_told_in_tenths() -> None:
    published = shown(process(CONTACT={"IN_TIME": 20}, TALK={"ALL": 31}))
    assert (published["TALK"], published["PER_MATCH"]) == (93, 16)
