"""The audit on cubes so small that every cube that adds up to the published numbers can be written down."""

import itertools
from dataclasses import dataclass

import numpy as np
import pytest

from tracker.releases import disclosure_audit
from tracker.releases.disclosure_audit import ProtectedCount, PublishedNumber, attack

K = 3
CELLS = 4
# Every cube of four cells up to what any of them can be, whatever is published.
EVERY = np.stack(np.meshgrid(*[np.arange(15, dtype=np.int16)] * CELLS, indexing="ij"), axis=-1).reshape(-1, CELLS)


@dataclass
class Case:
    """A cube of chance, what is published of it, and of which cells an attacker thinks."""

    counts: np.ndarray
    numbers: list[PublishedNumber]
    protected: list[ProtectedCount]
    possible: np.ndarray | None

    def values(self, hidden: ProtectedCount) -> set[int]:
        """Return what a hidden count may be, to whoever knows the numbers."""
        fits = np.ones(len(EVERY), dtype=bool)
        for number in self.numbers:
            sums = EVERY[:, number.cells].sum(axis=1)
            fits &= (number.low <= sums) & (sums <= number.high)
        if self.possible is not None:
            fits &= (EVERY[:, ~self.possible] == 0).all(axis=1)
        return set(EVERY[fits][:, hidden.cells].sum(axis=1).tolist())

    def is_bounded(self, hidden: ProtectedCount) -> bool:
        """Whether each of its cells is in something that is published, or nobody thinks of it."""
        covered = {int(cell) for number in self.numbers for cell in number.cells}
        thought = range(CELLS) if self.possible is None else np.flatnonzero(self.possible).tolist()
        return set(hidden.cells.tolist()) & set(thought) <= covered


def places(*cells: int) -> np.ndarray:
    return np.array(cells, dtype=np.intp)


def exactly(counts: np.ndarray, *cells: int, table: str = "") -> PublishedNumber:
    total = int(counts[list(cells)].sum())
    return PublishedNumber(places(*cells), total, total, table)


def case(seed: int, *, neighbours: bool) -> Case:
    """Return a case; of `neighbours` alone, so that fractions allow no more than whole numbers, or of any cells."""
    dice = np.random.default_rng(seed)
    counts = dice.integers(0, 4, CELLS)
    runs = [places(*range(a, b)) for a in range(CELLS) for b in range(a + 1, CELLS + 1)]
    any_ = [places(*(i for i in range(CELLS) if word >> i & 1)) for word in range(1, 2**CELLS)]
    sums = runs if neighbours else any_
    numbers = []
    for i in dice.choice(len(sums), dice.integers(0, 5), replace=False):
        total = int(counts[sums[i]].sum())
        low, high = (
            (total, total)
            if dice.random() < 0.6
            else (max(total - dice.integers(0, 3), 0), total + dice.integers(0, 3))
        )
        numbers.append(PublishedNumber(sums[i], int(low), int(high)))
    possible = None if dice.random() < 0.5 else (counts > 0) | (dice.random(CELLS) < 0.5)
    protected = [ProtectedCount(f"{cells}", cells) for cells in sums if 0 < counts[cells].sum() < K]
    return Case(counts, numbers, protected, possible)


# Here, as a family of its own, cells 1 and 2 could be anything. Cell 1 is empty and in no published number, and so not
# among those with which whole numbers are looked for: the audit says no where it could say yes.
STRICTER = {(36, True, False): [[1, 2]]}


@pytest.mark.parametrize("neighbours", [True, False])
@pytest.mark.parametrize("one_family", [False, True])
def test_known_is_what_cannot_be_nothing_or_cannot_be_k(neighbours: bool, one_family: bool) -> None:
    for seed in range(40):
        each = case(seed, neighbours=neighbours)
        protected = [ProtectedCount("ALL", hidden.cells) for hidden in each.protected] if one_family else each.protected
        examined: list[int] = []
        verdict = attack(each.counts, each.numbers, protected, K, possible=each.possible, progress=examined.append)
        known, bounds = [], []
        for hidden in protected:
            values, bounded = each.values(hidden), each.is_bounded(hidden)
            if min(values) > 0 or (bounded and max(values) < K):
                known.append(hidden.cells.tolist())
            if bounded:
                bounds.append(max(values))
        known += STRICTER.get((seed, neighbours, one_family), [])
        assert (seed, sorted(hidden.cells.tolist() for hidden in verdict.disclosed)) == (seed, sorted(known))
        assert (seed, verdict.narrowest) == (seed, min(bounds, default=None))
        assert (seed, verdict.passed) == (seed, not known)
        assert (verdict.numbers, verdict.examined) == (len(each.numbers), len(protected))
        assert examined == list(range(1, len(protected) + 1))


def test_nothing_published_and_nothing_hidden_passes() -> None:
    verdict = attack(np.array([1, 0]), [], [], K)
    assert verdict == disclosure_audit.AuditResult(0, 0, None, []) == disclosure_audit.AuditResult()
    assert verdict.passed
    assert PublishedNumber(places(0), 1, 1).table == ""


def test_a_count_nobody_thinks_of_is_known() -> None:
    counts = np.array([2, 5])
    verdict = attack(counts, [], [ProtectedCount("ALL", places(0))], K, possible=np.array([False, True]))
    assert (verdict.passed, verdict.narrowest) == (False, 0)
    nobody = attack(counts, [], [ProtectedCount("ALL", places(0, 1))], K, possible=np.array([False, False]))
    assert (nobody.passed, nobody.narrowest) == (False, 0)


def test_a_published_nothing_leaves_its_cells_out() -> None:
    """Cells 0 and 1 are nothing, so that the sum of all is that of the others."""
    counts = np.array([0, 0, 2, 5])
    published = [exactly(counts, 0, 1), exactly(counts, 0, 2), exactly(counts, 0, 1, 2, 3)]
    verdict = attack(counts, published, [ProtectedCount("ALL", places(2))], K)
    assert (verdict.passed, verdict.narrowest, verdict.numbers) == (False, 2, 3)
    assert attack(counts, published[::2], [ProtectedCount("ALL", places(2))], K).passed
    # Of the two cells that are two at least the first is nothing: the second is not.
    counts = np.array([0, 2])
    published = [exactly(counts, 0), PublishedNumber(places(0, 1), 2, 9)]
    assert not attack(counts, published, [ProtectedCount("ALL", places(1))], K).passed
    assert attack(counts, published[1:], [ProtectedCount("ALL", places(1))], K).passed


@pytest.mark.parametrize(("most", "passed"), [(K - 1, False), (K, True), (K + 1, True)])
def test_a_hidden_count_may_be_k_at_least(most: int, passed: bool) -> None:
    counts = np.array([1, most - 1])
    verdict = attack(counts, [exactly(counts, 0, 1)], [ProtectedCount("ALL", places(0))], K)
    assert (verdict.passed, verdict.narrowest) == (passed, most)


@pytest.mark.parametrize(("least", "passed"), [(0, True), (1, False)])
def test_a_hidden_count_may_be_nothing(least: int, passed: bool) -> None:
    counts = np.array([1, 4])
    published = [exactly(counts, 0, 1), PublishedNumber(places(1), 0, 5 - least)]
    assert attack(counts, published, [ProtectedCount("ALL", places(0))], K).passed is passed


def test_nothing_that_only_fractions_allow_is_no_doubt() -> None:
    """Three cells of which two at a time are 1, once with a fourth: by halves the fourth is 0, by whole numbers 1."""
    counts = np.array([0, 1, 0, 1, 1])
    published = [exactly(counts, 0, 1), exactly(counts, 1, 2), exactly(counts, 0, 2, 3)]
    # The last cell, of which nothing is published, makes the count as large as one likes.
    verdict = attack(counts, published, [ProtectedCount("ALL", places(3, 4))], K)
    assert (verdict.passed, verdict.narrowest) == (False, None)
    assert attack(counts, published[:2], [ProtectedCount("ALL", places(3, 4))], K).passed


def test_whole_numbers_are_looked_for_farther_off_where_there_are_none_near() -> None:
    """The fourth cell can only be nothing if the first changes too, which no linear program needs."""
    counts = np.array([3, 0, 0, 3, 1, 1])
    published = [exactly(counts, 2, 3, 4), exactly(counts, 0, 1, 3, 4), exactly(counts, 1, 2, 4)]
    assert attack(counts, published, [ProtectedCount("ALL", places(4, 5))], K).passed


def test_cells_are_told_apart_by_what_they_are_counted_in() -> None:
    """Ten sites by ten months of which the sums of both are published: a cell is at most the smaller of its two."""
    counts = (np.arange(100) ** 2 + np.arange(100) // 7) % 5
    grid = np.arange(100).reshape(10, 10)
    published = [exactly(counts, *line) for line in (*grid.tolist(), *grid.T.tolist())]
    sites, months = counts.reshape(10, 10).sum(axis=1), counts.reshape(10, 10).sum(axis=0)
    for cell in np.flatnonzero((counts > 0) & (counts < K))[::4]:
        verdict = attack(counts, published, [ProtectedCount("ALL", places(int(cell)))], K)
        assert (cell, verdict.narrowest) == (cell, min(sites[cell // 10], months[cell % 10]))
        assert verdict.passed


def test_what_is_not_solved_in_time_counts_as_known(monkeypatch: pytest.MonkeyPatch) -> None:
    # Ten sites by ten months, of which the sums of both are published.
    counts = np.arange(100) % 3
    grid = np.arange(100).reshape(10, 10)
    published = [exactly(counts, *line) for line in (*grid.tolist(), *grid.T.tolist())]
    hidden = [ProtectedCount("ALL", places(1))]
    assert attack(counts, published, hidden, K).passed
    monkeypatch.setattr(disclosure_audit, "TIME_LIMIT", 0.0)
    verdict = attack(counts, published, hidden, K)
    assert (verdict.passed, verdict.narrowest) == (False, None)


def test_the_solver_is_named_with_its_version() -> None:
    name, version = disclosure_audit.solver_version().split()
    assert name == "HiGHS"
    assert version.count(".") == 2


# How cubes of whole numbers are looked for, and checked without the solver


def rows_of(*each: tuple[list[int], int, int]) -> tuple[list[np.ndarray], list[PublishedNumber]]:
    rows = [places(*cells) for cells, _, _ in each]
    return rows, [PublishedNumber(row, low, high) for row, (_, low, high) in zip(rows, each, strict=True)]


def test_sums_are_checked_by_addition_and_nothing_may_be_less_than_nothing() -> None:
    rows, numbers = rows_of(([0, 1], 3, 5), ([1, 2], 0, 2))
    for values, fit in (
        ([3, 0, 0], True),
        ([5, 0, 2], True),
        ([2, 0, 0], False),
        ([6, 0, 0], False),
        ([5, 0, 3], False),
        ([4, -1, 1], False),
    ):
        assert (values, disclosure_audit._is_solution(np.array(values), rows, numbers)) == (values, fit)


def test_what_is_residuals_is_what_is_asked_less_what_is_there() -> None:
    rows, numbers = rows_of(([0, 1], 3, 5), ([2], 7, 7))
    lacking = disclosure_audit._residuals(np.array([2, 0, 9]), rows, numbers)
    assert [(each.low, each.high) for each in lacking] == [(1, 3), (-2, -2)]


def test_little_is_changed_where_little_needs_to_be() -> None:
    """The first is to be nothing; its sum with the second stays, and the other two are not touched."""
    truth = np.array([2, 1, 4, 4])
    rows, numbers = rows_of(([0, 1], 3, 3), ([2, 3], 8, 8), ([0], 0, 0))
    free = disclosure_audit._nearest_unknowns(truth, rows, numbers)
    assert free.tolist() == [0, 1]
    assert disclosure_audit._nearest_solution(truth, free, rows, numbers).tolist() == [0, 3, 4, 4]
    # With the first alone no numbers are found, and the truth stays.
    assert disclosure_audit._nearest_solution(truth, places(0), rows, numbers).tolist() == truth.tolist()


def test_of_several_ways_more_than_one_is_tried() -> None:
    truth = np.array([3, 1, 1, 1, 1, 1, 1])
    rows, numbers = rows_of((list(range(7)), 9, 9), ([0], 0, 0))
    free = disclosure_audit._nearest_unknowns(truth, rows, numbers).tolist()
    assert free[0] == 0
    assert 3 <= len(free) <= 5


def test_what_is_changed_for_neighbours_is_enough() -> None:
    """Where fractions allow no more than whole numbers, those that a linear program changes suffice."""
    found = 0
    for seed in range(40):
        each = case(seed, neighbours=True)
        for hidden in each.protected:
            if 0 not in Case(each.counts, each.numbers, [], None).values(hidden):
                continue
            numbers = [*each.numbers, PublishedNumber(hidden.cells, 0, 0)]
            rows = [number.cells for number in numbers]
            free = disclosure_audit._nearest_unknowns(each.counts, rows, numbers)
            assert disclosure_audit._is_solution(
                disclosure_audit._nearest_solution(each.counts, free, rows, numbers), rows, numbers
            )
            found += 1
    assert found > 20


def test_numbers_that_are_found_are_whole() -> None:
    """By halves the fourth could be nothing; whatever the order of the four, whole numbers are found."""
    for order in itertools.permutations(range(4)):
        a, b, c, d = order
        rows, numbers = rows_of(([a, b], 1, 1), ([b, c], 1, 1), ([a, c, d], 1, 1))
        truth = np.zeros(4, dtype=np.int64)
        found = disclosure_audit._nearest_solution(truth, places(0, 1, 2, 3), rows, numbers)
        assert {name: int(found[i]) for name, i in zip("abcd", order, strict=True)} == {"a": 0, "b": 1, "c": 0, "d": 1}
