"""The gate: whoever knows every number ever published must not be able to find a hidden one.

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
Places = NDArray[np.intp]
NEAR = 1e-6
# How long one program may take. What is not solved by then counts as found out
# (docs/rules.md#disclosure-audit).
SECONDS = 60.0
# Cubes of whole numbers are looked for beside the truth first, among what so many small changes touch.
TRIES = 4
SOLVED = highspy.HighsModelStatus.kOptimal


@dataclass(frozen=True, eq=False)
class Number:
    """A published number: these cells of the cube add up to `low`..`high`, the same for a count.

    Attributes:
        table: which table it stands in, so that it can be said what to leave out.
    """

    cells: Places
    low: int
    high: int
    table: str = ""


@dataclass(frozen=True, eq=False)
class Secret:
    """A count of 1 to K - 1 that is not published. `family` says what kind it is, and never whose."""

    family: str
    cells: Places


@dataclass
class Verdict:
    """What the attack found.

    Attributes:
        numbers: how many published numbers the attacker knew.
        examined: how many hidden counts were attacked.
        narrowest: the least upper bound of any; None when there was none to attack.
        known: the hidden counts that are too well known. Empty: the gate is open.
    """

    numbers: int = 0
    examined: int = 0
    narrowest: int | None = None
    known: list[Secret] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return not self.known


def solver() -> str:
    """Return the solver's name and version, to be kept with a release."""
    return f"HiGHS {highspy.Highs().version()}"


def attack(
    counts: NDArray[np.int64],
    numbers: Sequence[Number],
    secrets: Sequence[Secret],
    k: int,
    *,
    possible: NDArray[np.bool_] | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Verdict:
    """Attack every secret, family by family, and return what was found.

    Args:
        counts: the true cube, flat. It only serves to find whole numbers, and to see that the published ones add up.
        numbers: every number ever published, and those about to be.
        secrets: the hidden counts of 1 to k - 1.
        k: the smallest count that may be told.
        possible: the cells that the attacker thinks of, all those of the truth among them; every cell when left
            out. To think of fewer makes intervals narrower: the gate is stricter, and sooner done.
        progress: called with the number of secrets examined so far.
    """
    verdict = Verdict(numbers=len(numbers))
    for family in _families(secrets):
        program = _Program(counts, numbers, family, possible)
        tight: tuple[float, Secret] | None = None
        nothing = np.zeros(len(family), dtype=bool)
        for i, secret in enumerate(family):
            if not nothing[i]:
                least = program.least(secret)
                # One cube in which many of them are nothing shows it for all of these.
                nothing |= program.are_nothing()
                nothing[i] = least is not None and least < NEAR
            most = program.most(secret)
            if not nothing[i] or most is None or most < k - NEAR:
                verdict.known.append(secret)
            elif tight is None or most < tight[0]:
                tight = most, secret
            if most is not None and most < float("inf"):
                bounds = [int(most + NEAR)] + ([] if verdict.narrowest is None else [verdict.narrowest])
                verdict.narrowest = min(bounds)
            verdict.examined += 1
            progress(verdict.examined)
        if tight is not None and not program.in_whole_numbers(tight[1], k):
            verdict.known.append(tight[1])
    return verdict


def _families(secrets: Sequence[Secret]) -> Iterator[list[Secret]]:
    for name in dict.fromkeys(secret.family for secret in secrets):
        yield [secret for secret in secrets if secret.family == name]


class _Program:
    """The attacker's linear program for one family of secrets.

    Cells that no number and no secret of the family tells apart are one unknown, which leaves some
    hundred thousand unknowns and a few hundred equations. The program is kept between questions, and
    each solution is where the next search begins.
    """

    def __init__(
        self,
        counts: NDArray[np.int64],
        numbers: Sequence[Number],
        secrets: Sequence[Secret],
        possible: NDArray[np.bool_] | None,
    ) -> None:
        size = counts.size
        empty = np.zeros(size, dtype=bool)
        for number in numbers:
            if number.high == 0:
                empty[number.cells] = True
        self._numbers = [number for number in numbers if number.high > 0]
        # A sum of random words tells sets of memberships apart; 64 bits make a mistake unthinkable.
        words = np.random.default_rng(0).integers(1, 2**63, len(self._numbers) + len(secrets), dtype=np.uint64)
        seen_in = np.zeros(size, dtype=np.uint64)
        places = [number.cells for number in self._numbers] + [secret.cells for secret in secrets]
        for word, cells in zip(words, places, strict=True):
            seen_in[cells] += word
        left = np.flatnonzero(~empty if possible is None else ~empty & possible)
        _, unknown = np.unique(seen_in[left], return_inverse=True)
        self._unknown = np.full(size, -1, dtype=np.intp)
        self._unknown[left] = unknown
        self._size = int(unknown.max()) + 1 if len(left) else 0
        self._truth = np.zeros(self._size)
        np.add.at(self._truth, unknown, counts[left])
        self._rows = [self._of(number.cells) for number in self._numbers]
        self._secrets = [self._of(secret.cells) for secret in secrets]
        self._asked = np.zeros(0, dtype=np.int32)
        self._solution = np.zeros(self._size)
        self._solver = _solver(self._size, self._rows, self._numbers)
        for option, value in (("presolve", "off"), ("solver", "simplex"), ("simplex_strategy", 4)):
            self._solver.setOptionValue(option, value)

    def _of(self, cells: Places) -> Places:
        found = np.unique(self._unknown[cells])
        return found[found >= 0]

    def least(self, secret: Secret) -> float | None:
        """Return the smallest value of `secret`, None if the solver did not come to an end."""
        return self._solve(secret, 1.0)

    def most(self, secret: Secret) -> float | None:
        """Return the largest value of `secret`, None if the solver did not come to an end."""
        return self._solve(secret, -1.0)

    def _solve(self, secret: Secret, sign: float) -> float | None:
        cells = self._of(secret.cells).astype(np.int32)
        if not len(cells):
            return 0.0
        if not self._rows:
            return 0.0 if sign > 0 else float("inf")
        self._solver.changeColsCost(len(self._asked), self._asked, np.zeros(len(self._asked)))
        self._solver.changeColsCost(len(cells), cells, np.full(len(cells), sign))
        self._asked = cells
        status = _run(self._solver)
        if status in (highspy.HighsModelStatus.kUnbounded, highspy.HighsModelStatus.kUnboundedOrInfeasible):
            return float("inf") if sign < 0 else None
        if status != SOLVED:
            return None
        self._solution = np.asarray(self._solver.getSolution().col_value)
        return float(self._solution[cells].sum())

    def are_nothing(self) -> NDArray[np.bool_]:
        """Return for each secret of the family whether it is 0 in the last solution."""
        return np.array([self._solution[cells].sum() < NEAR for cells in self._secrets])

    def in_whole_numbers(self, secret: Secret, k: int) -> bool:
        """Whether cubes of whole numbers exist in which `secret` is 0, and at least `k`."""
        cells = self._of(secret.cells)
        return all(
            self._solve(secret, sign) is not None and self._whole(cells, low, high)
            for sign, low, high in ((1.0, 0, 0), (-1.0, k, int(self._truth.sum()) + k))
        )

    def _whole(self, cells: Places, low: int, high: int) -> bool:
        # Looked for among the unknowns that the truth or the last solution needs: few, and enough.
        kept = np.flatnonzero((self._solution > NEAR) | (self._truth > 0))
        truth = self._truth[kept].astype(np.int64)
        rows = _among(kept, self._size, [*self._rows, cells])
        numbers = [*self._numbers, Number(cells, low, high)]
        near, every = _near(truth, rows, numbers), np.arange(len(kept))
        return any(_add_up(_changed(truth, free, rows, numbers), rows, numbers) for free in (near, every))


def _among(kept: Places, size: int, rows: Sequence[Places]) -> list[Places]:
    """Return rows of `size` unknowns as places among those that are `kept`; the others fall out."""
    place = np.full(size, -1, dtype=np.intp)
    place[kept] = np.arange(len(kept))
    return [found[found >= 0] for found in (place[row] for row in rows)]


def _near(truth: NDArray[np.int64], rows: Sequence[Places], numbers: Sequence[Number]) -> Places:
    """Return the unknowns that are not as in truth, where as little as may be is changed until the numbers add up.

    Fractions are allowed here, and each unknown has a price by chance. A cube of whole numbers is most often
    found among these few alone, in a fortieth of the time.
    """
    size, held = len(truth), np.flatnonzero(truth)
    # Each unknown may grow; those that are not 0 stand there once more, to shrink.
    shrink = [size + found for found in _among(held, size, rows)]
    program = _solver(
        size + len(held),
        [np.concatenate(both) for both in zip(rows, shrink, strict=True)],
        _lacking(truth, rows, numbers),
        signs=[np.repeat((1.0, -1.0), (len(up), len(down))) for up, down in zip(rows, shrink, strict=True)],
        most=np.concatenate([np.full(size, highspy.kHighsInf), truth[held]]),
    )
    dice, every = np.random.default_rng(0), np.arange(size + len(held), dtype=np.int32)
    changed = np.zeros(size + len(held), dtype=bool)
    for _ in range(TRIES):
        program.changeColsCost(len(every), every, dice.uniform(1, 2, len(every)))
        if _run(program) != SOLVED:
            break
        changed |= np.asarray(program.getSolution().col_value) > NEAR
    return np.union1d(np.flatnonzero(changed[:size]), held[changed[size:]])


def _changed(
    truth: NDArray[np.int64], free: Places, rows: Sequence[Places], numbers: Sequence[Number]
) -> NDArray[np.int64]:
    """Return the truth, but its `free` unknowns such that the numbers add up; as it is if none are found."""
    values = truth.copy()
    values[free] = 0
    whole = _solver(len(free), _among(free, len(truth), rows), _lacking(values, rows, numbers), whole=True)
    if _run(whole) != SOLVED:
        return truth
    values[free] = np.rint(np.asarray(whole.getSolution().col_value)).astype(np.int64)
    return values


def _lacking(values: NDArray[np.int64], rows: Sequence[Places], numbers: Sequence[Number]) -> list[Number]:
    """Return what must be added to `values`, row by row, until the numbers add up."""
    there = [int(values[row].sum()) for row in rows]
    return [Number(each.cells, each.low - some, each.high - some) for each, some in zip(numbers, there, strict=True)]


def _add_up(values: NDArray[np.int64], rows: Sequence[Places], numbers: Sequence[Number]) -> bool:
    return bool((values >= 0).all()) and all(
        number.low <= values[row].sum() <= number.high for number, row in zip(numbers, rows, strict=True)
    )


def _run(program: Any) -> Any:
    """Run a program, for `SECONDS` at most, and return how it ended."""
    # Its clock goes on from one run to the next.
    program.setOptionValue("time_limit", program.getRunTime() + SECONDS)
    program.run()
    return program.getModelStatus()


def _solver(
    size: int,
    rows: Sequence[Places],
    numbers: Sequence[Number],
    *,
    signs: Sequence[NDArray[np.float64]] | None = None,
    most: NDArray[np.float64] | None = None,
    whole: bool = False,
) -> Any:
    """Return a solver that knows `size` unknowns from 0 on (to `most`), and of which each row adds up to what."""
    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = size, len(rows)
    program.col_cost_ = np.zeros(size)
    program.col_lower_ = np.zeros(size)
    program.col_upper_ = np.full(size, highspy.kHighsInf) if most is None else most
    program.row_lower_ = np.array([number.low for number in numbers], dtype=float)
    program.row_upper_ = np.array([number.high for number in numbers], dtype=float)
    program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lengths = np.array([len(row) for row in rows], dtype=np.int32)
    program.a_matrix_.start_ = np.concatenate([np.zeros(1, dtype=np.int32), np.cumsum(lengths, dtype=np.int32)])
    program.a_matrix_.index_ = (np.concatenate(rows) if rows else np.zeros(0)).astype(np.int32)
    program.a_matrix_.value_ = np.ones(int(lengths.sum())) if signs is None else np.concatenate(signs)
    if whole:
        program.integrality_ = [highspy.HighsVarType.kInteger] * size
    found = highspy.Highs()
    found.silent()
    found.setOptionValue("threads", 1)
    found.passModel(program)
    return found
