"""A site's own totals as they may leave it: each 0 or at least K, and none to be worked out from the others.

What is too small is told together with more, never blanked out beside its sum (docs/rules.md#site-report).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from tracker.figures import periods

Counted = tuple[str, int]
# Of a small part that stands together with others as many values as this stay possible (docs/rules.md#site-report).
ROOM = 5


@dataclass(frozen=True)
class Told:
    """A row that may be told.

    Attributes:
        count: None when all that there is is too small to be told.
        members: what is told together in it, in words.
    """

    label: str
    count: int | None
    members: tuple[str, ...] = ()


def told(count: int, k: int) -> int | None:
    """Return a count that may be told; None for 1 to k - 1."""
    return None if 0 < count < k else count


def fold(rows: Sequence[Counted], together: str, k: int) -> list[Told]:
    """Return the parts of a whole, small ones together with as many others as it takes; empty where that leaves none.

    Whoever knows the whole and this rule still finds `ROOM` values or more possible for each small part, or one of `k`
    or more: a test tries every table of three parts.

    Args:
        rows: (label, count) of parts that do not overlap.
        together: what the folded row is called.
    """
    small = [row for row in rows if 0 < row[1] < k]
    large = sorted((row for row in rows if row[1] >= k), key=lambda row: row[1])
    if small and not _roomy(small, k):
        # A larger part among them must not show by being the smallest that was left.
        while large and (_sum(small) < 2 * k or large[0][1] < _sum(small)):
            small.append(large.pop(0))
        if not large or _sum(small) < 2 * k:
            return []
    folded = [label for label, _count in rows if label in dict(small)]
    kept = [Told(label, count) for label, count in rows if label not in folded]
    return [*kept, Told(together, _sum(small), tuple(folded))] if folded else kept


def _roomy(small: Sequence[Counted], k: int) -> bool:
    """Whether these may be told by themselves as one: each could be many things between 1 and k - 1."""
    others, total = len(small) - 1, _sum(small)
    least, most = max(1, total - others * (k - 1)), min(k - 1, total - others)
    return others > 0 and total >= k and most - least + 1 >= ROOM


def _sum(rows: Sequence[Counted]) -> int:
    return sum(count for _label, count in rows)


def mentions(rows: Sequence[Counted], whole: int, k: int) -> list[Told]:
    """Return how many of a whole mention each of these: hidden where so few do, or do not, that it may not be told.

    Args:
        rows: (label, count); one of the whole may mention several.
        whole: how many there are.
    """
    return [Told(label, None if None in (told(count, k), told(whole - count, k)) else count) for label, count in rows]


def in_time(first: date, last: date, count: Callable[[date, date], int], k: int) -> list[tuple[date, date, int]]:
    """Return (first month, last month, count) in the finest steps that may all be told: quarters, half-years, or one.

    Empty when not even the whole may be told.

    Args:
        first: first day of the first month, `last` that of the last month; whole quarters.
        count: of the months from one to another.
    """
    for months in (periods.QUARTER, 2 * periods.QUARTER, periods.YEAR):
        found = [(start, end, count(start, end)) for start, end in _steps(first, last, months)]
        if all(told(number, k) is not None for *_months, number in found):
            return found
    return []


def _steps(first: date, last: date, months: int) -> Iterator[tuple[date, date]]:
    starts = [first]
    while (following := periods.later(starts[-1], months)) <= last:
        starts.append(following)
    for start, following in pairwise([*starts, periods.next_month(last)]):
        yield start, periods.later(following, -1)
