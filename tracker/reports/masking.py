"""A site's own totals as they may leave it: each 0 or at least K, and none to be worked out from the others.

What is too small is told together with more, never blanked out beside its sum (docs/rules.md#site-report).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from tracker.figures import periods

Part = tuple[str, int]
# Of a small part that stands together with others as many values as this stay possible (docs/rules.md#site-report).
FEWEST_POSSIBLE = 5


@dataclass(frozen=True)
class MaskedRow:
    """A row of a masked table.

    Attributes:
        count: None when all that there is is too small to be told.
        members: what is told together in it, in words.
    """

    label: str
    count: int | None
    members: tuple[str, ...] = ()


def mask_count(count: int, k: int) -> int | None:
    """Return a count that may be shown; None for 1 to k - 1."""
    return None if 0 < count < k else count


def mask(rows: Sequence[Part], group_label: str, k: int) -> list[MaskedRow]:
    """Return the parts of a whole, small ones together with as many others as it takes; empty where that leaves none.

    Whoever knows the whole and this rule still finds `FEWEST_POSSIBLE` values or more possible for each small part, or
    one of `k` or more: a test tries every table of three parts.

    Args:
        rows: (label, count) of parts that do not overlap.
        group_label: label of the row in which small parts stand together.
    """
    small = [row for row in rows if 0 < row[1] < k]
    large = sorted((row for row in rows if row[1] >= k), key=lambda row: row[1])
    if small and not _is_uncertain(small, k):
        # A larger part among them must not show by being the smallest that was left.
        while large and (_total(small) < 2 * k or large[0][1] < _total(small)):
            small.append(large.pop(0))
        if not large or _total(small) < 2 * k:
            return []
    grouped = [label for label, _count in rows if label in dict(small)]
    separate = [MaskedRow(label, count) for label, count in rows if label not in grouped]
    return [*separate, MaskedRow(group_label, _total(small), tuple(grouped))] if grouped else separate


def _is_uncertain(small: Sequence[Part], k: int) -> bool:
    """Whether these may be shown as one row by themselves: each could be many things between 1 and k - 1."""
    others, total = len(small) - 1, _total(small)
    least, most = max(1, total - others * (k - 1)), min(k - 1, total - others)
    return others > 0 and total >= k and most - least + 1 >= FEWEST_POSSIBLE


def _total(rows: Sequence[Part]) -> int:
    return sum(count for _label, count in rows)


def mask_mentions(rows: Sequence[Part], whole: int, k: int) -> list[MaskedRow]:
    """Return how many of a whole mention each of these: hidden where so few do, or do not, that it may not be shown.

    Args:
        rows: (label, count); one of the whole may mention several.
        whole: how many there are.
    """
    return [
        MaskedRow(label, None if None in (mask_count(count, k), mask_count(whole - count, k)) else count)
        for label, count in rows
    ]


def finest_periods(first: date, last: date, count: Callable[[date, date], int], k: int) -> list[tuple[date, date, int]]:
    """Return (first month, last month, count) in the finest steps that may all be shown: quarters, half-years, or one.

    Empty when not even the whole may be told.

    Args:
        first: first day of the first month, `last` that of the last month; whole quarters.
        count: of the months from one to another.
    """
    for months in (periods.QUARTER, 2 * periods.QUARTER, periods.YEAR):
        periods_counted = [(start, end, count(start, end)) for start, end in _split(first, last, months)]
        if all(mask_count(number, k) is not None for *_months, number in periods_counted):
            return periods_counted
    return []


def _split(first: date, last: date, months: int) -> Iterator[tuple[date, date]]:
    starts = [first]
    while (following := periods.later(starts[-1], months)) <= last:
        starts.append(following)
    for start, following in pairwise([*starts, periods.next_month(last)]):
        yield start, periods.later(following, -1)
