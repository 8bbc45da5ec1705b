"""Advisory locks, and the order of last writes: each is declared by the room that owns it, and nowhere twice.

Both keep transactions from waiting for each other in a circle, so each has a number that is its own in the whole
program. A room declares a constant beside the code that needs it; a number or name that is taken already stops the
program from starting.
"""

from dataclasses import dataclass
from typing import TypeVar


@dataclass(frozen=True)
class AdvisoryLock:
    """Something that one transaction at a time does at a site: an advisory lock of PostgreSQL with the site's id.

    Attributes:
        name: what is done, in capitals.
        number: the lock's first key. It never changes: servers of two versions must wait for each other.

    Raises:
        ValueError: the name or the number is another's.
    """

    name: str
    number: int

    def __post_init__(self) -> None:
        _declare(self, _advisory_locks)


@dataclass(frozen=True, order=True)
class CommitOrder:
    """A place in the order in which a transaction writes the rows of a site that other transactions queue for.

    Attributes:
        number: the place; lower numbers are written first. Every transaction keeps to it (tenancy.before_commit).
        name: what is written, in capitals.

    Raises:
        ValueError: the name or the number is another's.
    """

    number: int
    name: str

    def __post_init__(self) -> None:
        _declare(self, _commit_orders)


_advisory_locks: dict[int, AdvisoryLock] = {}
_commit_orders: dict[int, CommitOrder] = {}


def advisory_locks() -> list[AdvisoryLock]:
    """Return every declared lock, by number."""
    return [lock for _number, lock in sorted(_advisory_locks.items())]


def commit_orders() -> list[CommitOrder]:
    """Return every declared place, in the order in which they are written."""
    return sorted(_commit_orders.values())


Declared = TypeVar("Declared", AdvisoryLock, CommitOrder)


def _declare(new: Declared, declared: dict[int, Declared]) -> None:
    taken = [other for other in declared.values() if other.number == new.number or other.name == new.name]
    if taken:
        raise ValueError(f"{new} collides with {taken[0]}: names and numbers are unique across the program.")
    declared[new.number] = new
