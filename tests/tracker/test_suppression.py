"""Which counts are published and which wait or stand together: each rule just inside its limit and just outside."""

from dataclasses import replace
from datetime import date

import pytest

from tests.tracker import cubes
from tracker.figures import periods
from tracker.releases import check, suppression
from tracker.releases.cube import REASONS, Cube, build
from tracker.releases.models import Release
from tracker.releases.options import ReleaseOptions

Table = Release.Table
K = 10
APRIL, JUNE, MARCH = date(2025, 4, 1), date(2025, 6, 1), date(2026, 3, 1)
JANUARY = date(2026, 1, 1)
ALL_TABLES = ReleaseOptions()
Counts = dict[tuple[int, str, tuple[str, ...]], int]


def cube_of(*sites: Counts, months: int = 3, start: date = APRIL) -> Cube:
    rows = {number: cubes.rows(each, start) for number, each in enumerate(sites, 1)}
    return build(rows, periods.months(start, periods.later(start, months - 1)))


def planned(
    cube: Cube, quarter: date = APRIL, options: ReleaseOptions = ALL_TABLES, already_published: int = 0
) -> suppression.ProtectedTables:
    """Return what may be published at the end of a quarter, of which nothing was before, or `already_published` months."""
    starts = dict.fromkeys(Table.values, periods.later(cube.months[0], already_published))
    return suppression.protected_tables(cube, quarter, starts, options, K, regions=dict.fromkeys(cube.sites, "ISLAND"))


def of(made: suppression.ProtectedTables, table: str) -> list[tuple[str, date, date, int]]:
    return [(cell.category, cell.first, cell.last, cell.number) for cell in made.cells if cell.table == table]


# What is asked for


@pytest.mark.parametrize("name", ["months", "reasons", "pathways", "sites", "process"])
def test_a_table_that_is_not_wanted_is_not_published(name: str) -> None:
    busy: Counts = {(month, path, ("LIFE",)): 20 for month in range(12) for path in ("REACH_IN", "REACH_OUT")}
    cube = cube_of(busy, busy, busy, months=12)
    tables = {cell.table for cell in planned(cube, JANUARY).cells}
    assert tables == {Table.MONTHS, Table.REASONS, Table.PATHWAYS, Table.SITES, Table.PROCESS}
    less = {cell.table for cell in planned(cube, JANUARY, replace(ReleaseOptions(), **{name: False})).cells}
    assert tables - less == {Table[name.upper()]}


@pytest.mark.parametrize("already_published", [1, 3, 4])
def test_less_than_a_quarter_and_what_was_published_already_wait(already_published: int) -> None:
    busy: Counts = {(month, "REACH_IN", ("LIFE",)): 40 for month in range(3)}
    assert planned(cube_of(busy, busy), already_published=already_published).cells == []


def test_three_quarters_wait_in_every_table() -> None:
    busy: Counts = {(month, "REACH_IN", ("LIFE",)): 40 for month in range(9)}
    assert planned(cube_of(busy, busy, months=9), date(2025, 10, 1)).cells == []


# Reasons


def grouped(*counts: int, months: int = 3) -> list[str] | None:
    """Return which reasons stand together, where one site counted these, each given alone."""
    given: Counts = {(0, "REACH_IN", (reason,)): count for reason, count in zip(REASONS, counts, strict=False) if count}
    cube = cube_of(given, months=months)
    return suppression.grouped_reasons(cube, APRIL, cube.months[-1], K)


def test_reasons_stand_alone_where_each_may_be_published() -> None:
    assert grouped(*[10] * 8) == []
    assert grouped(10, 0, 11) == []


def test_what_stands_together_may_itself_be_published() -> None:
    """Three who gave one reason and three who gave another are six: a third reason joins them."""
    first, second, third = REASONS[:3]
    assert grouped(3, 3, 60) == [first, second, third]
    assert grouped(3, 6, 60) == [first, second, third]  # nine
    assert grouped(3, 7, 60) == [first, second]  # ten
    each: Counts = {(0, "REACH_IN", (first,)): 2, (0, "REACH_IN", (second,)): 2, (0, "REACH_IN", (third,)): 20}
    # With a site's own four taken away, twelve are left of four sites, and eight of three.
    assert suppression.grouped_reasons(cube_of(each, each, each, each), APRIL, JUNE, K) == [first, second]
    assert suppression.grouped_reasons(cube_of(each, each, each), APRIL, JUNE, K) == [first, second, third]


def test_a_single_small_reason_takes_the_next_larger_one_along() -> None:
    assert grouped(60, 9, 40) == [REASONS[1], REASONS[2]]


def test_in_a_quarter_four_reasons_stand_together_at_most() -> None:
    assert grouped(2, 2, 3, 3, 60) == list(REASONS[:4])
    assert grouped(2, 2, 2, 2, 3) is None
    assert grouped(2, 2, 2, 2, 3, months=6) is None
    assert grouped(2, 2, 2, 2, 3, months=12) == list(REASONS[:5])


def test_in_a_year_all_reasons_but_one_stand_together_at_most() -> None:
    assert grouped(1, 1, 1, 1, 2, 2, 2, 60, months=12) == list(REASONS[:7])
    assert grouped(1, 1, 1, 1, 1, 1, 1, 3, months=12) is None


def test_reasons_that_cannot_be_published_wait_whole() -> None:
    cube = cube_of({(0, "REACH_IN", (reason,)): 2 for reason in REASONS})
    assert of(planned(cube), Table.REASONS) == []


# Pathways


def test_pathways_are_published_where_both_may_be() -> None:
    def pathways(reach_in: int, reach_out: int) -> list[int]:
        given: Counts = {(0, "REACH_IN", ("LIFE",)): reach_in, (0, "REACH_OUT", ("LIFE",)): reach_out}
        return [number for *_, number in of(planned(cube_of(given)), Table.PATHWAYS)]

    assert pathways(20, 10) == [20, 10]
    assert pathways(20, 9) == pathways(9, 20) == []
    assert pathways(20, 0) == [20, 0]


# Sites


def groups(**regions: list[int]) -> dict[str, list[int]] | None:
    """Return name of a group → the counts that stand together in it."""
    pairs = [(region, count) for region, counts in regions.items() for count in counts]
    totals = {number: count for number, (_, count) in enumerate(pairs, 1)}
    found = suppression.group_sites(totals, {number: region for number, (region, _) in enumerate(pairs, 1)}, K)
    if found is None:
        return None
    assert all(sites == sorted(sites) for sites in found.values())
    return {name: [totals[site] for site in sites] for name, sites in found.items()}


def test_a_region_without_a_small_site_makes_no_group() -> None:
    assert groups(ISLAND=[0, 10, 30]) == {}


def test_a_group_has_three_members_and_twenty_requests() -> None:
    assert groups(ISLAND=[6, 7, 7]) == {"ISLAND": [6, 7, 7]}
    assert groups(ISLAND=[6, 6, 7]) is None  # nineteen
    assert groups(ISLAND=[9, 40]) is None
    assert groups(ISLAND=[9, 5, 40]) == {"ISLAND": [9, 5, 40]}


def test_a_group_less_any_member_is_ten_or_more() -> None:
    assert groups(ISLAND=[5, 5, 30]) == {"ISLAND": [5, 5, 30]}
    assert groups(ISLAND=[4, 5, 30]) is None
    assert groups(ISLAND=[4, 5, 30, 50]) == {"ISLAND": [4, 5, 30, 50]}


def test_the_smallest_of_the_others_join_first_and_ten_is_enough_to_join() -> None:
    assert groups(ISLAND=[50, 12, 9, 8]) == {"ISLAND": [12, 9, 8]}
    assert groups(ISLAND=[50, 5, 5, 10]) == {"ISLAND": [5, 5, 10]}
    assert groups(NONE=[50, 12, 9, 8]) == {"REST": [12, 9, 8]}
    assert groups(NONE=[50, 5, 5, 10]) == {"REST": [5, 5, 10]}


def test_sites_of_no_region_and_of_regions_too_small_stand_together() -> None:
    assert groups(NONE=[7, 7, 7]) == {"REST": [7, 7, 7]}
    assert groups(FRASER=[9], ISLAND=[9], NORTHERN=[30]) == {"REST": [9, 9, 30]}
    assert groups(FRASER=[7, 7, 7, 40], ISLAND=[9, 6]) == {"FRASER": [7, 7, 7], "REST": [40, 9, 6]}


def test_with_nobody_else_to_join_they_join_the_smallest_group() -> None:
    assert groups(FRASER=[9, 9, 9], ISLAND=[7, 7, 7], NONE=[5]) == {"FRASER": [9, 9, 9], "REST": [7, 7, 7, 5]}
    assert groups(NONE=[5]) is None


def year_of(*totals: int, start: date = APRIL, months: int = 12) -> Cube:
    return cube_of(
        *({(0, "REACH_IN", ("LIFE",)): total} if total else {} for total in totals), months=months, start=start
    )


def test_small_sites_are_published_as_their_group_and_its_members_are_named() -> None:
    cube = year_of(40, 7, 8, 9, 6, 9, 8, 0)
    regions = dict(zip(cube.sites, ["FRASER", *["ISLAND"] * 3, *["NORTHERN"] * 3, "FRASER"], strict=True))
    starts = check.first_unpublished([], cube)
    made = suppression.protected_tables(cube, JANUARY, starts, ReleaseOptions(), K, regions=regions)
    assert of(made, Table.SITES) == [
        ("S1", APRIL, MARCH, 40),
        ("S8", APRIL, MARCH, 0),
        ("ISLAND", APRIL, MARCH, 24),
        ("NORTHERN", APRIL, MARCH, 23),
    ]
    assert made.members == [
        suppression.GroupMember(Table.SITES, region, f"S{site}", APRIL, MARCH)
        for region, sites in (("ISLAND", (2, 3, 4)), ("NORTHERN", (5, 6, 7)))
        for site in sites
    ]


def test_members_of_every_table_are_named() -> None:
    each: Counts = {(0, "REACH_IN", ("LIFE",)): 5, (0, "REACH_IN", ("EVENT",)): 3, (0, "REACH_IN", ("CHANGE",)): 1}
    made = planned(cube_of(*[each] * 4, months=12), JANUARY)
    assert [(member.table, member.group, member.member) for member in made.members] == [
        (Table.REASONS, "GROUPED", "EVENT"),
        (Table.REASONS, "GROUPED", "CHANGE"),
        *[(Table.SITES, "ISLAND", f"S{site}") for site in (1, 2, 3, 4)],
    ]


def test_the_first_fiscal_year_begins_with_the_first_month_there_is() -> None:
    july = date(2025, 7, 1)
    assert of(planned(year_of(20, start=july, months=9), JANUARY), Table.SITES) == [("S1", july, MARCH, 20)]


# How the program works


def process(months: int = 3, **measures: dict[str, int]) -> dict[str, int]:
    """Return category → number of what is published of one site's counts in April."""
    rows = [(APRIL, name, code, count) for name, codes in measures.items() for code, count in codes.items()]
    cube = build({1: rows}, periods.months(APRIL, periods.later(APRIL, months - 1)))
    made = planned(cube, periods.quarter_of(cube.months[-1]))
    return {cell.category: cell.number for cell in made.cells if cell.table == Table.PROCESS}


def test_fewer_than_twenty_windows_wait_for_the_year() -> None:
    assert process(CONTACT={"IN_TIME": 20})["CONTACT"] == 20
    assert process(CONTACT={"IN_TIME": 19}) == {}
    assert process(months=6, CONTACT={"IN_TIME": 19}) == {}
    assert process(months=12, CONTACT={"IN_TIME": 19}) == {"CONTACT": 19, "TALK": 0, "SURVEY": 0}


def test_a_percentage_has_twenty_behind_it_and_ten_on_either_side() -> None:
    assert process(CONTACT={"IN_TIME": 10}, WINDOW={"MISSED": 10})["CONTACT_Y"] == 50
    assert process(CONTACT={"IN_TIME": 20})["CONTACT_Y"] == 100
    assert process(WINDOW={"MISSED": 20})["CONTACT_Y"] == 0
    for kept, missed in ((9, 20), (20, 9)):
        assert "CONTACT_Y" not in process(CONTACT={"IN_TIME": kept}, WINDOW={"MISSED": missed})
    assert "CONTACT_Y" not in process(months=12, CONTACT={"IN_TIME": 19})


@pytest.mark.parametrize(("number", "published"), [(10, True), (9, False)])
def test_a_median_has_ten_behind_it(number: int, published: bool) -> None:
    already_published = process(CONTACT={"IN_TIME": 20}, TO_MATCH={"80": number}, TO_CONTACT={"30": number})
    assert ("TO_MATCH" in already_published, "TO_CONTACT" in already_published) == (published, published)


def test_only_hours_to_contact_wait_beside_few_windows() -> None:
    already_published = process(
        CONTACT={"IN_TIME": 9}, WINDOW={"MISSED": 20}, TO_MATCH={"30": 10}, TO_CONTACT={"30": 10}
    )
    assert already_published["TO_MATCH"] == 30
    assert "TO_CONTACT" not in already_published


@pytest.mark.parametrize(
    ("middle", "kept", "missed", "open_"),
    [
        (71, 0, 5, True),
        (71, 1, 20, False),
        (71, 9, 20, False),
        (71, 10, 5, True),
        (72, 5, 0, True),
        (72, 20, 1, False),
        (72, 20, 9, False),
        (72, 5, 10, True),
    ],
)
def test_a_median_is_published_where_the_windows_on_its_side_are_none_or_ten(
    middle: int, kept: int, missed: int, open_: bool
) -> None:
    assert suppression.median_is_safe(middle, kept, missed, K) is open_


def test_a_median_under_72_hours_says_that_five_windows_were_kept() -> None:
    assert [suppression.surely_in_time(middle) for middle in (0, 71, 72, 100)] == [5, 5, 0, 0]


@pytest.mark.parametrize(("part", "base", "shown"), [(0, 20, 0), (1, 200, 1), (1, 201, 0), (10, 30, 33), (20, 30, 67)])
def test_percentages_are_rounded_with_halves_up(part: int, base: int, shown: int) -> None:
    assert suppression.percent(part, base) == shown


@pytest.mark.parametrize(("talks", "published"), [(9, {}), (10, {"TALK": 10, "PER_MATCH": 5})])
def test_conversations_are_published_with_how_many_there_were_a_window(talks: int, published: dict[str, int]) -> None:
    already_published = process(CONTACT={"IN_TIME": 20}, TALK={"ALL": talks})
    assert {name: number for name, number in already_published.items() if name in ("TALK", "PER_MATCH")} == published


@pytest.mark.parametrize(("answers", "published"), [(9, None), (10, 10)])
def test_answers_to_the_survey_are_published_from_ten_on(answers: int, published: int | None) -> None:
    assert process(CONTACT={"IN_TIME": 20}, SURVEY={"ALL": answers}).get("SURVEY") == published
