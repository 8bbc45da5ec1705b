"""Advisory locks and the order of last writes: one list for the whole program, each entry declared by its own room."""

import re

import pytest

from psi import locks
from psi.locks import AdvisoryLock, CommitOrder
from sites.engine import audit


def test_the_numbers_of_locks_never_change() -> None:
    """Servers of two versions run side by side during an upgrade, and must wait for each other."""
    assert {lock.name: lock.number for lock in locks.advisory_locks() if lock.name != "LOAD_DEMO"} == {
        "AUDIT_CHAIN": 7101,
        "SIGN_IN_CHAIN": 7102,
        "ROLLUP": 7103,
        "REACH_OUT": 7104,
        "FREEZE": 7105,
    }


def test_what_is_written_last_has_one_order() -> None:
    assert [order.name for order in locks.commit_orders()] == ["ACCESS_WEEK", "SINGLETON_DUE", "FACTS", "CHAIN_END"]


def test_the_triggers_take_the_locks_that_are_declared() -> None:
    taken = [int(number) for number in re.findall(r"pg_advisory_xact_lock\((\d+),", audit.CHAIN_SQL)]
    assert taken == [audit.AUDIT_CHAIN.number, audit.SIGN_IN_CHAIN.number]


@pytest.mark.parametrize(("name", "number"), [("REACH_OUT", 7999), ("ANOTHER", 7104)])
def test_a_lock_that_is_taken_is_refused(name: str, number: int) -> None:
    before = locks.advisory_locks()
    with pytest.raises(ValueError, match="collides with"):
        AdvisoryLock(name, number)
    assert locks.advisory_locks() == before


@pytest.mark.parametrize(("number", "name"), [(35, "FACTS"), (30, "ANOTHER")])
def test_a_place_in_the_order_that_is_taken_is_refused(number: int, name: str) -> None:
    before = locks.commit_orders()
    with pytest.raises(ValueError, match="collides with"):
        CommitOrder(number, name)
    assert locks.commit_orders() == before
