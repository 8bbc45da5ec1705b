"""The disclosure audit: whoever knows every number ever published must not be able to find a hidden one.

It plays the attacker. The unknowns are the cells of a cube, integers from 0 on; each published number
is an equation over them, or an interval where it was rounded. For each hidden count of 1 to K - 1 the
linear-programming solver HiGHS looks for the smallest and the largest value that the published numbers
allow. The gate opens only if that is 0 and at least K, for every one of them
(docs/rules.md#disclosure-audit).

A linear program also considers fractions, so that its interval may be wider than what whole numbers
allow. For the narrowest interval of each family both ends are therefore shown again by a cube of whole
numbers, which is checked here by addition, without the solver.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import highspy
import numpy as np
from numpy.typing import NDArray

# Cells of a cube, as places in it.
CellIndices = NDArray[np.intp]
TOLERANCE = 1e-6
# How long one program may take. What is not solved by then counts as found out
# (docs/rules.md#disclosure-audit).
TIME_LIMIT = 60.0
# Cubes of whole numbers are looked for beside the truth first, among what so many small changes touch.
SEARCHES = 4
OPTIMAL = highspy.HighsModelStatus.kOptimal


@dataclass(frozen=True, eq=False)
class PublishedNumber:
    """A published number: these cells of the cube add up to `low`..`high`, the same for a count.

    Attributes:
        table: which table it stands in, so that it can be said what to leave out.
    """

    cells: CellIndices
    low: int
    high: int
    table: str = ""


@dataclass(frozen=True, eq=False)
class ProtectedCount:
    """A count of 1 to K - 1 that is not published. `family` says what kind it is, and never whose."""

    family: str
    cells: CellIndices


@dataclass
class AuditResult:
    """What the attack found.

    Attributes:
        numbers: how many published numbers the attacker knew.
        examined: how many hidden counts were attacked.
        narrowest: the least upper bound of any; None when there was none to attack.
        disclosed: the hidden counts that are too well known. Empty: the gate is open.
    """

    numbers: int = 0
    examined: int = 0
    narrowest: int | None = None
    disclosed: list[ProtectedCount] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return not self.disclosed


def solver_version() -> str:
    """Return the solver's name and version, which are stored with a release."""
    return f"HiGHS {highspy.Highs().version()}"


def attack(
    counts: NDArray[np.int64],
    numbers: Sequence[PublishedNumber],
    protected_counts: Sequence[ProtectedCount],
    k: int,
    *,
    possible: NDArray[np.bool_] | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> AuditResult:
    """Attack every secret, family by family, and return what was found.

    Args:
        counts: the true cube, flat. It only serves to find whole numbers, and to see that the published ones add up.
        numbers: every number ever published, and those about to be.
        protected_counts: the hidden counts of 1 to k - 1.
        k: the smallest count that may be told.
        possible: the cells that the attacker thinks of, all those of the truth among them; every cell when left
            out. To think of fewer makes intervals narrower: the gate is stricter, and sooner done.
        progress: called with the number of secrets examined so far.
    """
    result = AuditResult(numbers=len(numbers))
    for family in _families(protected_counts):
        program = _Program(counts, numbers, family, possible)
        least_protected: tuple[float, ProtectedCount] | None = None
        can_be_zero = np.zeros(len(family), dtype=bool)
        for i, protected in enumerate(family):
            if not can_be_zero[i]:
                smallest = program.lower_bound(protected)
                # One cube in which many of them are nothing shows it for all of these.
                can_be_zero |= program.zero_in_solution()
                can_be_zero[i] = smallest is not None and smallest < TOLERANCE
            largest = program.upper_bound(protected)
            if not can_be_zero[i] or largest is None or largest < k - TOLERANCE:
                result.disclosed.append(protected)
            elif least_protected is None or largest < least_protected[0]:
                least_protected = largest, protected
            if largest is not None and largest < float("inf"):
                bounds = [int(largest + TOLERANCE)] + ([] if result.narrowest is None else [result.narrowest])
                result.narrowest = min(bounds)
            result.examined += 1
            progress(result.examined)
        if least_protected is not None and not program.has_whole_solutions(least_protected[1], k):
            result.disclosed.append(least_protected[1])
    return result


def _families(protected_counts: Sequence[ProtectedCount]) -> Iterator[list[ProtectedCount]]:
    for name in dict.fromkeys(protected.family for protected in protected_counts):
        yield [protected for protected in protected_counts if protected.family == name]


class _Program:
    """The attacker's linear program for one family of secrets.

    Cells that no number and no secret of the family tells apart are one unknown, which leaves some
    hundred thousand unknowns and a few hundred equations. The program is kept between questions, and
    each solution is where the next search begins.
    """

    def __init__(
        self,
        counts: NDArray[np.int64],
        numbers: Sequence[PublishedNumber],
        protected_counts: Sequence[ProtectedCount],
        possible: NDArray[np.bool_] | None,
    ) -> None:
        size = counts.size
        empty = np.zeros(size, dtype=bool)
        for number in numbers:
            if number.high == 0:
                empty[number.cells] = True
        self._numbers = [number for number in numbers if number.high > 0]
        # A sum of random words tells sets of memberships apart; 64 bits make a mistake unthinkable.
        hashes = np.random.default_rng(0).integers(
            1, 2**63, len(self._numbers) + len(protected_counts), dtype=np.uint64
        )
        signatures = np.zeros(size, dtype=np.uint64)
        memberships = [number.cells for number in self._numbers] + [protected.cells for protected in protected_counts]
        for hash_, cells in zip(hashes, memberships, strict=True):
            signatures[cells] += hash_
        considered = np.flatnonzero(~empty if possible is None else ~empty & possible)
        _, unknown = np.unique(signatures[considered], return_inverse=True)
        self._unknown = np.full(size, -1, dtype=np.intp)
        self._unknown[considered] = unknown
        self._size = int(unknown.max()) + 1 if len(considered) else 0
        self._truth = np.zeros(self._size)
        np.add.at(self._truth, unknown, counts[considered])
        self._rows = [self._unknowns_of(number.cells) for number in self._numbers]
        self._protected = [self._unknowns_of(protected.cells) for protected in protected_counts]
        self._objective = np.zeros(0, dtype=np.int32)
        self._solution = np.zeros(self._size)
        self._solver = _new_solver(self._size, self._rows, self._numbers)
        for option, value in (("presolve", "off"), ("solver", "simplex"), ("simplex_strategy", 4)):
            self._solver.setOptionValue(option, value)

    def _unknowns_of(self, cells: CellIndices) -> CellIndices:
        unknowns = np.unique(self._unknown[cells])
        return unknowns[unknowns >= 0]

    def lower_bound(self, protected: ProtectedCount) -> float | None:
        """Return the smallest value of `protected`, None if the solver did not come to an end."""
        return self._solve(protected, 1.0)

    def upper_bound(self, protected: ProtectedCount) -> float | None:
        """Return the largest value of `protected`, None if the solver did not come to an end."""
        return self._solve(protected, -1.0)

    def _solve(self, protected: ProtectedCount, sign: float) -> float | None:
        cells = self._unknowns_of(protected.cells).astype(np.int32)
        if not len(cells):
            return 0.0
        if not self._rows:
            return 0.0 if sign > 0 else float("inf")
        self._solver.changeColsCost(len(self._objective), self._objective, np.zeros(len(self._objective)))
        self._solver.changeColsCost(len(cells), cells, np.full(len(cells), sign))
        self._objective = cells
        status = _solve_in_time(self._solver)
        if status in (highspy.HighsModelStatus.kUnbounded, highspy.HighsModelStatus.kUnboundedOrInfeasible):
            return float("inf") if sign < 0 else None
        if status != OPTIMAL:
            return None
        self._solution = np.asarray(self._solver.getSolution().col_value)
        return float(self._solution[cells].sum())

    def zero_in_solution(self) -> NDArray[np.bool_]:
        """Return for each secret of the family whether it is 0 in the last solution."""
        return np.array([self._solution[cells].sum() < TOLERANCE for cells in self._protected])

    def has_whole_solutions(self, protected: ProtectedCount, k: int) -> bool:
        """Whether cubes of whole numbers exist in which `protected` is 0, and at least `k`."""
        cells = self._unknowns_of(protected.cells)
        return all(
            self._solve(protected, sign) is not None and self._has_whole_solution(cells, low, high)
            for sign, low, high in ((1.0, 0, 0), (-1.0, k, int(self._truth.sum()) + k))
        )

    def _has_whole_solution(self, cells: CellIndices, low: int, high: int) -> bool:
        # Looked for among the unknowns that the truth or the last solution needs: few, and enough.
        relevant = np.flatnonzero((self._solution > TOLERANCE) | (self._truth > 0))
        truth = self._truth[relevant].astype(np.int64)
        rows = _restrict(relevant, self._size, [*self._rows, cells])
        numbers = [*self._numbers, PublishedNumber(cells, low, high)]
        near, every = _nearest_unknowns(truth, rows, numbers), np.arange(len(relevant))
        return any(_is_solution(_nearest_solution(truth, free, rows, numbers), rows, numbers) for free in (near, every))


def _restrict(relevant: CellIndices, size: int, rows: Sequence[CellIndices]) -> list[CellIndices]:
    """Return rows of `size` unknowns as places among those that are `relevant`; the others fall out."""
    position = np.full(size, -1, dtype=np.intp)
    position[relevant] = np.arange(len(relevant))
    return [unknowns[unknowns >= 0] for unknowns in (position[row] for row in rows)]


def _nearest_unknowns(
    truth: NDArray[np.int64], rows: Sequence[CellIndices], numbers: Sequence[PublishedNumber]
) -> CellIndices:
    """Return the unknowns that are not as in truth, where as little as may be is changed until the numbers add up.

    Fractions are allowed here, and each unknown has a price by chance. A cube of whole numbers is most often
    found among these few alone, in a fortieth of the time.
    """
    size, nonzero = len(truth), np.flatnonzero(truth)
    # Each unknown may grow; those that are not 0 stand there once more, to shrink.
    shrink = [size + unknowns for unknowns in _restrict(nonzero, size, rows)]
    program = _new_solver(
        size + len(nonzero),
        [np.concatenate(both) for both in zip(rows, shrink, strict=True)],
        _residuals(truth, rows, numbers),
        signs=[np.repeat((1.0, -1.0), (len(up), len(down))) for up, down in zip(rows, shrink, strict=True)],
        largest=np.concatenate([np.full(size, highspy.kHighsInf), truth[nonzero]]),
    )
    rng, every = np.random.default_rng(0), np.arange(size + len(nonzero), dtype=np.int32)
    changed = np.zeros(size + len(nonzero), dtype=bool)
    for _ in range(SEARCHES):
        program.changeColsCost(len(every), every, rng.uniform(1, 2, len(every)))
        if _solve_in_time(program) != OPTIMAL:
            break
        changed |= np.asarray(program.getSolution().col_value) > TOLERANCE
    return np.union1d(np.flatnonzero(changed[:size]), nonzero[changed[size:]])


def _nearest_solution(
    truth: NDArray[np.int64], free: CellIndices, rows: Sequence[CellIndices], numbers: Sequence[PublishedNumber]
) -> NDArray[np.int64]:
    """Return the truth, but its `free` unknowns such that the numbers add up; as it is if none are found."""
    values = truth.copy()
    values[free] = 0
    whole = _new_solver(len(free), _restrict(free, len(truth), rows), _residuals(values, rows, numbers), whole=True)
    if _solve_in_time(whole) != OPTIMAL:
        return truth
    values[free] = np.rint(np.asarray(whole.getSolution().col_value)).astype(np.int64)
    return values


def _residuals(
    values: NDArray[np.int64], rows: Sequence[CellIndices], numbers: Sequence[PublishedNumber]
) -> list[PublishedNumber]:
    """Return what must be added to `values`, row by row, until the numbers add up."""
    sums = [int(values[row].sum()) for row in rows]
    return [
        PublishedNumber(number.cells, number.low - total, number.high - total)
        for number, total in zip(numbers, sums, strict=True)
    ]


def _is_solution(values: NDArray[np.int64], rows: Sequence[CellIndices], numbers: Sequence[PublishedNumber]) -> bool:
    return bool((values >= 0).all()) and all(
        number.low <= values[row].sum() <= number.high for number, row in zip(numbers, rows, strict=True)
    )


def _solve_in_time(program: Any) -> Any:
    """Run a program, for `TIME_LIMIT` at most, and return how it ended."""
    # Its clock goes on from one run to the next.
    program.setOptionValue("time_limit", program.getRunTime() + TIME_LIMIT)
    program.run()
    return program.getModelStatus()


def _new_solver(
    size: int,
    rows: Sequence[CellIndices],
    numbers: Sequence[PublishedNumber],
    *,
    signs: Sequence[NDArray[np.float64]] | None = None,
    largest: NDArray[np.float64] | None = None,
    whole: bool = False,
) -> Any:
    """Return a solver that knows `size` unknowns from 0 on (to `largest`), and of which each row adds up to what."""
    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = size, len(rows)
    program.col_cost_ = np.zeros(size)
    program.col_lower_ = np.zeros(size)
    program.col_upper_ = np.full(size, highspy.kHighsInf) if largest is None else largest
    program.row_lower_ = np.array([number.low for number in numbers], dtype=float)
    program.row_upper_ = np.array([number.high for number in numbers], dtype=float)
    program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lengths = np.array([len(row) for row in rows], dtype=np.int32)
    program.a_matrix_.start_ = np.concatenate([np.zeros(1, dtype=np.int32), np.cumsum(lengths, dtype=np.int32)])
    program.a_matrix_.index_ = (np.concatenate(rows) if rows else np.zeros(0)).astype(np.int32)
    program.a_matrix_.value_ = np.ones(int(lengths.sum())) if signs is None else np.concatenate(signs)
    if whole:
        program.integrality_ = [highspy.HighsVarType.kInteger] * size
    solver = highspy.Highs()
    solver.silent()
    solver.setOptionValue("threads", 1)
    solver.passModel(program)
    return solver
