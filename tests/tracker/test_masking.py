"""Parts of a site's own totals: each rule with the case just inside it and the case just outside."""

from collections.abc import Sequence
from datetime import date

import pytest

from tracker.figures import periods
from tracker.reports import masking

K = 10
APRIL, MARCH = date(2025, 4, 1), date(2026, 3, 1)


def masked(*counts: int) -> tuple[list[int | None], list[int]]:
    """Return what is published of parts, in order, and of them what stands together in the last of these.

    Names go against the order of the counts, so that nothing is sorted by name in passing.
    """
    names = [chr(ord("z") - i) for i in range(len(counts))]
    rows = masking.mask(list(zip(names, counts, strict=True)), "other", K)
    single = [row for row in rows if row.label != "other"]
    assert [row.label for row in single] == [name for name in names if name in {row.label for row in single}]
    assert all(row.members == () for row in single) and rows[: len(single)] == single
    together = [row for row in rows if row.label == "other"]
    members = [name for row in together for name in row.members]
    return [row.count for row in rows], [counts[names.index(name)] for name in members]


@pytest.mark.parametrize(("count", "published"), [(0, 0), (1, None), (9, None), (10, 10), (11, 11)])
def test_a_count_is_hidden_from_one_to_nine(count: int, published: int | None) -> None:
    assert masking.mask_count(count, K) == published


@pytest.mark.parametrize("counts", [(), (0,), (10,), (0, 10, 0, 11)])
def test_parts_of_which_none_is_small_stay_as_they_are(counts: Sequence[int]) -> None:
    assert masked(*counts) == (list(counts), [])


@pytest.mark.parametrize(
    "small",
    [
        (1, 9),  # ten, the least that may be published
        (9, 1),
        (5, 9),  # of fourteen each may be 5 to 9: five values
        (5, 9, 9),
        (1, 1, 1, 1, 1, 5),  # of ten in six parts each may be 1 to 5
    ],
)
def test_small_parts_stand_alone_where_each_could_be_any_of_five(small: Sequence[int]) -> None:
    assert masked(*small) == ([sum(small)], list(small))
    assert masked(10, *small, 0) == ([10, 0, sum(small)], list(small))


@pytest.mark.parametrize(
    "small",
    [
        (9,),  # alone
        (1, 8),  # nine, too small for a sum
        (6, 9),  # of fifteen each may be 6 to 9: four values
        (9, 9),  # of eighteen each is nine
        (1, 1, 1, 1, 1, 1, 4),  # of ten in seven parts each may be 1 to 4
    ],
)
def test_other_small_parts_are_published_with_larger_ones_or_not_at_all(small: Sequence[int]) -> None:
    assert masked(*small) == masked(*small, 0) == ([], [])
    assert masked(*small, 80) == ([], [])
    assert masked(*small, 40, 80) == ([80, sum(small) + 40], [*small, 40])


def test_with_twice_the_smallest_count_they_stand_alone_beside_a_larger_part() -> None:
    # Of 24 each may be 6 to 9: four values, unless one of ten or more could be among them.
    assert masked(6, 9, 9) == masked(6, 9, 9, 0) == ([], [])
    assert masked(6, 9, 9, 24) == ([24, 24], [6, 9, 9])
    assert masked(6, 9, 9, 23) == ([], [])


def test_a_sum_with_larger_parts_is_twice_the_smallest_count_or_more() -> None:
    assert masked(9, 11, 20) == ([20, 20], [9, 11])
    assert masked(9, 10, 50) == ([], [])  # nineteen, so that the fifty join
    assert masked(9, 10, 11, 50) == ([50, 30], [9, 10, 11])


def test_the_smallest_of_the_larger_parts_join_first() -> None:
    assert masked(60, 9, 30, 12, 50) == ([60, 30, 50, 21], [9, 12])
    assert masked(12, 60, 9, 30, 50) == ([60, 30, 50, 21], [12, 9])


def test_no_larger_part_that_is_left_is_smaller_than_the_sum() -> None:
    assert masked(9, 10, 11, 30) == ([30, 30], [9, 10, 11])
    assert masked(9, 10, 11, 29) == ([], [])
    assert masked(9, 10, 11, 29, 70) == ([70, 59], [9, 10, 11, 29])


def test_where_all_larger_parts_have_joined_nothing_is_published() -> None:
    assert masked(9, 11) == masked(9, 10, 11) == ([], [])


@pytest.mark.parametrize(
    ("count", "whole", "published"),
    [
        (0, 20, 0),
        (1, 20, None),
        (9, 20, None),
        (10, 20, 10),
        (11, 20, None),  # nine did not
        (19, 20, None),
        (20, 20, 20),
        (10, 19, None),
    ],
)
def test_mentions_are_hidden_where_few_mention_it_or_few_do_not(count: int, whole: int, published: int | None) -> None:
    assert masking.mask_mentions([("reason", count)], whole, K) == [masking.MaskedRow("reason", published)]


def steps(*quarters: int) -> list[tuple[date, date, int]]:
    """Return the steps of a year with these counts in its quarters, each in the quarter's last month."""
    of = dict(zip([date(2025, 6, 1), date(2025, 9, 1), date(2025, 12, 1), MARCH], quarters, strict=True))

    def count(first: date, last: date) -> int:
        return sum(of.get(month, 0) for month in periods.months(first, last))

    return masking.finest_periods(APRIL, MARCH, count, K)


def test_a_year_is_published_by_quarters_by_half_years_or_as_one() -> None:
    june, september, december = date(2025, 6, 1), date(2025, 9, 1), date(2025, 12, 1)
    july, october, january = date(2025, 7, 1), date(2025, 10, 1), date(2026, 1, 1)
    assert steps(10, 0, 11, 12) == [
        (APRIL, june, 10),
        (july, september, 0),
        (october, december, 11),
        (january, MARCH, 12),
    ]
    assert steps(9, 1, 11, 12) == [(APRIL, september, 10), (october, MARCH, 23)]
    assert steps(12, 12, 5, 4) == [(APRIL, MARCH, 33)]
    assert steps(1, 2, 3, 4) == [(APRIL, MARCH, 10)]
    assert steps(1, 2, 3, 3) == []
