"""A site's own totals as they may leave it: each 0 or at least K, and none to be worked out from the others.

What is too small is told together with more, never blanked out beside its sum (rules.md, Figures).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from tracker import periods

Counted = tuple[str, int]


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
    """Return the parts of a whole, small ones together with as many others as it takes.

    Of what is folded the rows tell that it is not 0, and what it adds up to: `k` or more, of two or more.

    Args:
        rows: (label, count) of parts that do not overlap, or of mentions.
        together: what the folded row is called.
    """
    small = sorted((row for row in rows if 0 < row[1] < k), key=lambda row: row[1])
    large = sorted((row for row in rows if row[1] >= k), key=lambda row: row[1])
    while small and large and (len(small) < 2 or sum(count for _label, count in small) < k):
        small.append(large.pop(0))
    folded = {label for label, _count in small}
    kept = [Told(label, count) for label, count in rows if label not in folded]
    if not small:
        return kept
    if len(small) == 1:
        # With nothing to stand with, it is hidden where it is.
        return [Told(label, None if label in folded else count) for label, count in rows]
    members = tuple(label for label, _count in rows if label in folded)
    return [*kept, Told(together, told(sum(count for _label, count in small), k), members)]


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
