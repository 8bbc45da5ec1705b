"""What is due is looked at once, by one, and nothing that goes wrong stops the rest."""

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from psi import tenancy
from psi.celery import app
from psi.tenancy import site_scope
from sites.engine import agenda
from sites.engine.models import Due
from sites.tenants.models import Site
from tests import line
from tests.people import World, site
from training.supporters.models import Department, Evaluates

ERRORS = [f"1 of PROBE at site %s parked after {agenda.ATTEMPTS} attempts"]


class Probe:
    """A handler that notes what it is given, and fails for the ids in `poison`."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, list[int]]] = []
        self.done: list[int] = []
        self.at: list[datetime] = []
        self.poison: set[int] = set()
        self.also: Callable[[list[int]], None] = lambda ids: None

    def __call__(self, ids: list[int]) -> None:
        self.calls.append((tenancy.current_site_id(), ids))
        self.at.append(tenancy.now())
        for number in ids:
            Department.objects.create(name=f"{number}-{len(self.calls)}")
        self.also(ids)
        if self.poison & set(ids):
            raise ZeroDivisionError
        self.done += ids


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch) -> Probe:
    probe = Probe()
    monkeypatch.setitem(agenda._handlers, "PROBE", probe)
    return probe


def due(at: Site, *ids: int, when: timedelta = -timedelta(minutes=1), kind: str = "PROBE") -> None:
    with site_scope(at.pk):
        agenda.schedule(kind, ids, tenancy.now() + when)


def rows() -> list[tuple[int, int, bool]]:
    """Return (object id, attempts, parked) of what is left."""
    return list(Due.objects.filter(kind="PROBE").order_by("object_id").values_list("object_id", "attempts", "parked"))


# Handling


def test_what_is_due_is_handled_once_in_its_sites_scope(world: World, probe: Probe) -> None:
    due(world.north, 3, 1, 2)
    due(world.south, 9)
    due(world.north, 4, when=timedelta(hours=1))
    assert agenda.sweep() == 4
    assert sorted(probe.calls) == [(world.north.pk, [1, 2, 3]), (world.south.pk, [9])]
    assert rows() == [(4, 0, False)]
    assert agenda.sweep() == 0
    assert len(probe.calls) == 2


def test_scheduling_again_replaces(world: World, probe: Probe) -> None:
    due(world.north, 1)
    due(world.north, 1, when=timedelta(hours=1))
    assert agenda.sweep() == 0
    due(world.north, 1, 1)
    assert agenda.sweep() == 1
    assert probe.done == [1]


def test_what_was_cancelled_is_not_handled(world: World, probe: Probe) -> None:
    due(world.north, 1, 2)
    due(world.south, 1)
    with site_scope(world.north.pk):
        agenda.cancel("PROBE", [1])
        agenda.cancel("OTHER", [2])
    agenda.sweep()
    assert sorted(probe.calls) == [(world.north.pk, [2]), (world.south.pk, [1])]


def test_a_handler_that_schedules_anew_keeps_its_row(world: World, probe: Probe) -> None:
    probe.also = lambda ids: agenda.schedule("PROBE", [1], tenancy.now() + timedelta(days=1))
    due(world.north, 1, 2)
    agenda.sweep()
    assert rows() == [(1, 0, False)]
    left = Due.objects.get(kind="PROBE")
    assert left.lease is None
    assert left.at > tenancy.now() + timedelta(hours=23)


def test_more_than_a_batch_is_handled_in_batches(world: World, probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    due(world.north, *range(1, 8))
    monkeypatch.setattr(agenda.claim, "__kwdefaults__", {"now": None, "limit": 3})
    assert agenda.sweep() == 7
    assert sorted(len(ids) for _, ids in probe.calls) == [1, 3, 3]
    assert sorted(probe.done) == list(range(1, 8))


def test_the_earliest_comes_first(world: World, probe: Probe) -> None:
    for number in (1, 2, 3):
        due(world.north, number, when=-timedelta(minutes=number))
    assert [c.object_ids for c in agenda.claim(limit=1)] == [[3]]
    assert [c.object_ids for c in agenda.claim(limit=1)] == [[2]]


# Claims and leases


def test_what_one_has_claimed_another_does_not_get(world: World) -> None:
    due(world.north, 1, 2)
    first, second = agenda.claim(limit=1), agenda.claim()
    assert [c.object_ids for c in first + second] in ([[1], [2]], [[2], [1]])
    assert agenda.claim() == []


def test_a_lease_lasts_two_minutes_and_then_another_may(world: World) -> None:
    due(world.north, 1)
    (first,) = agenda.claim()
    line.rewind(timedelta(minutes=1, seconds=55))
    assert agenda.claim() == []
    line.rewind(timedelta(seconds=6))
    (second,) = agenda.claim()
    assert (second.object_ids, second.lease == first.lease) == ([1], False)
    # The one who was slow may neither remove nor put off what is another's by now.
    agenda.finish(first, [1])
    agenda.postpone(first, [1], ZeroDivisionError())
    assert agenda.renew_lease(first, [1]) == set()
    assert rows() == [(1, 0, False)]
    assert agenda.renew_lease(second, [1]) == {1}
    agenda.finish(second, [1])
    assert rows() == []


def test_a_lease_that_is_held_lasts_longer(world: World) -> None:
    due(world.north, 1)
    (mine,) = agenda.claim()
    for _ in range(3):
        line.rewind(timedelta(minutes=1, seconds=55))
        assert agenda.renew_lease(mine, [1]) == {1}
    assert agenda.claim() == []


def test_what_is_said_anew_while_a_handler_runs_is_not_lost(world: World) -> None:
    due(world.north, 1)
    (mine,) = agenda.claim()
    due(world.north, 1)
    agenda.finish(mine, [1])
    assert rows() == [(1, 0, False)]
    assert len(agenda.claim()) == 1


@pytest.mark.xdist_group("races")
def test_claimers_never_get_the_same_row(committed_world: World) -> None:
    due(committed_world.north, *range(1, 201))

    def claims() -> list[int]:
        got: list[int] = []
        while found := agenda.claim(limit=7):
            got += [i for item in found for i in item.object_ids]
        return got

    answers = line.together(*[claims] * 6)
    assert sorted(i for got in answers for i in got) == list(range(1, 201)), line.kinds(answers)


@pytest.mark.xdist_group("races")
def test_sweepers_at_once_handle_each_row_once(committed_world: World, probe: Probe) -> None:
    for at in (committed_world.north, committed_world.south):
        due(at, *range(1, 101))
    answers = line.together(*[agenda.sweep] * 4)
    assert sum(answers) == 200
    assert sorted(probe.done) == sorted([*range(1, 101)] * 2)
    assert rows() == []


def test_a_claim_costs_the_same_whatever_the_number_of_sites(world: World) -> None:
    counts = []
    for number in range(1, 10, 4):
        for n in range(number):
            due(site(f"many-{number}-{n}"), 1, 2)
        with CaptureQueriesContext(connection) as queries:
            assert len(agenda.claim()) == number
        counts.append(len([q for q in queries if "SAVEPOINT" not in q["sql"]]))
    assert counts == [1, 1, 1]


def test_the_claim_is_served_by_its_index(world: World) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO sites_due (site_id, kind, object_id, at, attempts, parked)"
            " SELECT %s, 'PROBE', n, now() + interval '1 day', 0, false FROM generate_series(1, 20000) AS n",
            [world.north.pk],
        )
        cursor.execute("ANALYZE sites_due")
        with CaptureQueriesContext(connection) as queries:
            assert agenda.claim() == []
        (claim,) = [query["sql"] for query in queries if "SKIP LOCKED" in query["sql"]]
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT TEXT) {claim}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "due_at" in plan, plan
    assert "Seq Scan" not in plan, plan
    assert "Index Cond: (at <= " in plan
    assert "Rows Removed by Filter" not in plan, plan


# What goes wrong


@pytest.mark.expects_error_log
def test_a_poisoned_row_is_parked_and_the_others_are_done(
    world: World, probe: Probe, caplog: pytest.LogCaptureFixture
) -> None:
    probe.poison = {2}
    due(world.north, 1, 2, 3)
    assert agenda.sweep() == 3
    assert probe.calls == [
        (world.north.pk, [1, 2, 3]),
        (world.north.pk, [1]),
        (world.north.pk, [2]),
        (world.north.pk, [3]),
    ]
    assert probe.done == [1, 3]
    assert rows() == [(2, 1, False)]
    with site_scope(world.north.pk):
        # What the failing attempts had written is gone; of the others each is there once.
        assert sorted(Department.objects.values_list("name", flat=True)) == ["1-2", "3-4"]
    for _ in range(agenda.ATTEMPTS - 1):
        line.rewind()
        agenda.sweep()
    assert rows() == [(2, agenda.ATTEMPTS, True)]
    tried = len(probe.calls)
    line.rewind(where="true")
    agenda.sweep()
    assert len(probe.calls) == tried
    said = [r.getMessage() for r in caplog.records if r.levelname == "ERROR"]
    assert said == [ERRORS[0] % world.north.pk]
    # Somebody has looked, and says it anew.
    probe.poison = set()
    due(world.north, 2)
    agenda.sweep()
    assert (probe.done, rows()) == ([1, 3, 2], [])


def test_each_failure_waits_longer_up_to_a_quarter_of_an_hour(world: World, probe: Probe) -> None:
    probe.poison = {1}
    due(world.north, 1)
    waits = []
    for _ in range(agenda.ATTEMPTS - 1):
        agenda.sweep()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT round(extract(epoch FROM at - clock_timestamp())) FROM sites_due WHERE kind = 'PROBE'"
            )
            waits.append(int(cursor.fetchone()[0]))
        line.rewind()
    assert waits == [15, 30, 60, 120, 240, 480, 900]


def test_a_row_that_fails_at_the_commit_takes_no_other_with_it(committed_world: World, probe: Probe) -> None:
    """Foreign keys are checked when the transaction ends, after the handler has said that all is well."""

    def dangle(ids: list[int]) -> None:
        if 2 in ids:
            Evaluates.objects.create(supporter_id=committed_world.supporters["north"].pk, department_id=10**9)

    probe.also = dangle
    due(committed_world.north, 1, 2, 3)
    due(committed_world.south, 4)
    agenda.sweep()
    assert rows() == [(2, 1, False)]
    with site_scope(committed_world.north.pk):
        assert sorted(name[0] for name in Department.objects.values_list("name", flat=True)) == ["1", "3"]
    with site_scope(committed_world.south.pk):
        assert Department.objects.count() == 1


def test_what_is_written_last_and_fails_takes_no_other_with_it(committed_world: World, probe: Probe) -> None:
    def later() -> None:
        raise ZeroDivisionError

    probe.also = lambda ids: tenancy.before_commit(later, agenda.SINGLETON_DUE) if 2 in ids else None
    due(committed_world.north, 1, 2, 3)
    due(committed_world.south, 4)
    agenda.sweep()
    assert rows() == [(2, 1, False)]
    with site_scope(committed_world.north.pk):
        assert sorted(name[0] for name in Department.objects.values_list("name", flat=True)) == ["1", "3"]


def test_a_kind_nobody_looks_after_waits_and_delays_no_other(world: World, probe: Probe) -> None:
    """Rows of newer code, seen by an older worker while a new version is rolled out."""
    due(world.north, 1, kind="OF_TOMORROW")
    due(world.north, 2)
    agenda.sweep()
    assert probe.done == [2]
    assert Due.objects.get(kind="OF_TOMORROW").attempts == 1


@pytest.mark.xdist_group("races")
def test_a_row_somebody_holds_delays_its_own_site_only(committed_world: World, probe: Probe) -> None:
    with site_scope(committed_world.north.pk):
        held = Department.objects.create(name="held")
    release, taken = threading.Event(), threading.Event()

    def hold() -> None:
        with site_scope(committed_world.north.pk):
            Department.objects.select_for_update().get(pk=held.pk)
            taken.set()
            release.wait(20)

    def wait_for_it(ids: list[int]) -> None:
        if tenancy.current_site_id() == committed_world.north.pk:
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '200ms'")
            Department.objects.select_for_update().get(pk=held.pk)

    def sweep() -> None:
        taken.wait(20)
        agenda.sweep()
        release.set()

    probe.also = wait_for_it
    due(committed_world.north, 1)
    due(committed_world.south, 2)
    assert line.together(hold, sweep) == [None, None]
    assert probe.done == [2]
    assert rows() == [(1, 1, False)]
    line.rewind()
    agenda.sweep()
    assert (probe.done, rows()) == ([2, 1], [])


# Time played forward


def test_a_moment_that_is_played_dates_what_happens(world: World, probe: Probe) -> None:
    then = tenancy.now() + timedelta(hours=73)
    due(world.north, 1, when=timedelta(hours=72))
    assert agenda.sweep() == 0
    assert agenda.sweep(now=then) == 1
    assert probe.at == [then]
    assert rows() == []


def test_a_failing_row_does_not_hold_up_a_moment_that_is_played(world: World, probe: Probe) -> None:
    probe.poison = {2}
    then = tenancy.now() + timedelta(hours=73)
    due(world.north, 1, 2, when=timedelta(hours=72))
    began = time.monotonic()
    assert agenda.sweep(now=then) == 2
    assert time.monotonic() - began < 5
    assert probe.done == [1]
    assert rows() == [(2, 1, False)]
    assert Due.objects.get(kind="PROBE").at > then


def test_what_a_played_moment_makes_due_is_handled_in_the_same_sweep(world: World, probe: Probe) -> None:
    then = tenancy.now() + timedelta(hours=73)
    probe.also = lambda ids: agenda.schedule("PROBE", [2], tenancy.now()) if ids == [1] else None
    due(world.north, 1, when=timedelta(hours=72))
    assert agenda.sweep(now=then) == 2
    assert (probe.done, probe.at) == ([1, 2], [then, then])


def test_a_row_claimed_elsewhere_is_left_alone_by_a_played_moment(world: World, probe: Probe) -> None:
    due(world.north, 1)
    agenda.claim()
    assert agenda.sweep(now=tenancy.now() + timedelta(hours=73)) == 0
    assert probe.calls == []


# Waking


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """Note what is sent to the broker: the task, and whether it was inside a transaction."""
    sent: list[tuple[str, bool]] = []
    monkeypatch.setattr(agenda, "_quiet_until", 0.0)
    monkeypatch.setattr(app, "send_task", lambda name, **kwargs: sent.append((name, connection.in_atomic_block)))
    return sent


def test_workers_are_woken_after_the_commit_and_only_for_what_is_due(
    committed_world: World, broker: list[tuple[str, bool]]
) -> None:
    due(committed_world.north, 1, when=timedelta(hours=1))
    assert broker == []
    due(committed_world.north, 2)
    assert broker == [("sites.tasks.tick", False)]
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        due(committed_world.north, 3)
        raise ZeroDivisionError
    assert len(broker) == 1


def test_workers_are_woken_once_for_a_transaction_and_a_waking_expires(
    committed_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[float] = []
    monkeypatch.setattr(agenda, "_quiet_until", 0.0)
    monkeypatch.setattr(app, "send_task", lambda name, **kwargs: sent.append(kwargs["expires"]))
    with transaction.atomic():
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            due(committed_world.north, 1)
            raise ZeroDivisionError
        due(committed_world.north, 2)
        due(committed_world.north, 3)
    assert sent == [settings.PSI_TICK_SECONDS]
    line.request(committed_world.north)
    line.request(committed_world.north, outside=True)
    assert len(sent) == 3


def test_a_broker_that_is_away_is_asked_once_in_five_seconds(
    committed_world: World,
    broker: list[tuple[str, bool]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def away(name: str, **kwargs: Any) -> None:
        broker.append((name, connection.in_atomic_block))
        raise OSError

    monkeypatch.setattr(app, "send_task", away)
    for number in range(5):
        due(committed_world.north, number)
    assert len(broker) == 1
    assert len(rows()) == 5
    assert [r.getMessage() for r in caplog.records if r.name == "psi.agenda"] == ["no worker could be woken: OSError"]
