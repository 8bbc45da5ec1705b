"""What is changed, by which tests it is covered, and which of it is drawn."""

import random
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mutants.operators import Mutant, mutants

BASE = Path(__file__).resolve().parent.parent
MODULES, EQUIVALENT = (Path(__file__).with_name(name) for name in ("modules.toml", "equivalent.toml"))


@dataclass(frozen=True)
class File:
    """A file whose code is changed.

    Attributes:
        subject: what it is about; subjects are drawn from alike, whatever their size.
        path: from the root.
        only: names to which the changes are limited; empty means the whole file.
        tests: files of tests that cover it, or single tests; the quickest first.
    """

    subject: str
    path: str
    only: tuple[str, ...]
    tests: tuple[str, ...]


@dataclass(frozen=True)
class Equivalent:
    """A change that no test can notice, and why. It is known by its text, not by its line."""

    path: str
    function: str
    before: str
    after: str
    reason: str

    def is_of(self, mutant: Mutant) -> bool:
        """Whether this is the change of a mutant."""
        return (self.path, self.function, self.before, self.after) == (
            mutant.path,
            mutant.function,
            mutant.before,
            mutant.after,
        )


def files() -> list[File]:
    """Return what `modules.toml` says."""
    rows = tomllib.loads(MODULES.read_text())["file"]
    return [File(row["subject"], row["path"], tuple(row.get("only", ())), tuple(row["tests"])) for row in rows]


def equivalents() -> list[Equivalent]:
    """Return what `equivalent.toml` says."""
    rows = tomllib.loads(EQUIVALENT.read_text()).get("equivalent", [])
    return [
        Equivalent(row["path"], row["function"], _plain(row["before"]), _plain(after), row["reason"])
        for row in rows
        for after in ([row["after"]] if isinstance(row["after"], str) else row["after"])
    ]


def _plain(text: str) -> str:
    return "\n".join(" ".join(line.split()) for line in text.strip().splitlines())


def everything(wanted: Iterable[File]) -> dict[File, list[Mutant]]:
    """Return every change of these files."""
    return {each: mutants(each.path, (BASE / each.path).read_text(), each.only) for each in wanted}


def draw(found: dict[File, list[Mutant]], size: int, seed: int) -> list[tuple[File, Mutant]]:
    """Return `size` changes by chance, as many of each subject as of any other, or all of those that have fewer."""
    subjects: dict[str, list[tuple[File, Mutant]]] = defaultdict(list)
    for each, changes in found.items():
        subjects[each.subject] += [(each, mutant) for mutant in changes]
    dice = random.Random(seed)
    for several in subjects.values():
        dice.shuffle(several)
    share = _share([len(several) for several in subjects.values()], size)
    drawn = [several[:number] for several, number in zip(subjects.values(), share, strict=True)]
    return [each for several in drawn for each in several]


def _share(there: Sequence[int], size: int) -> list[int]:
    """Return how many to take of each, as equal as may be."""
    taken = [0] * len(there)
    while sum(taken) < min(size, sum(there)):
        least = min((i for i in range(len(there)) if taken[i] < there[i]), key=lambda i: taken[i])
        taken[least] += 1
    return taken
