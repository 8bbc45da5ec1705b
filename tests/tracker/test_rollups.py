"""Rollups: what is counted is what happened, however often and by whomever it is counted."""

import random
import threading
import zoneinfo
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils.timezone import localdate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from matching.invitations import alerts, transitions
from matching.matches.models import Alert
from psi import tenancy
from psi.tenancy import site_scope
from sites.engine import agenda, facts
from sites.engine.models import Due, Fact, Notice
from sites.tenants.models import Site
from tests import line
from tests.people import World
from tracker.figures import rollups
from tracker.figures.models import Rollup, RollupFill


def this_month() -> date:
    return localdate(tenancy.now()).replace(day=1)


def counts(site: Site) -> dict[tuple[date, str, str], int]:
    with site_scope(site.pk):
        rows = Rollup.objects.values_list("month", "measure", "category", "count")
        return {(month, measure, category): count for month, measure, category, count in rows}


def recount(site: Site) -> dict[tuple[date, str, str], int]:
    """Count the facts in Python, without the SQL under test."""
    found: dict[tuple[date, str, str], int] = {}
    with site_scope(site.pk):
        for key in Fact.objects.values_list("month", "measure", "category"):
            found[key] = found.get(key, 0) + 1
    return found


def differences(site: Site) -> list[Any]:
    with site_scope(site.pk):
        return rollups.differences()


def dirty() -> set[tuple[int, int]]:
    return set(Due.objects.filter(kind=facts.DIRTY_MONTH).values_list("site_id", "object_id"))


def busy_months(world: World, seed: int) -> None:
    """Let things happen at two sites over three months."""
    print(f"seed {seed}")
    dice = random.Random(seed)
    start = datetime(2026, 3, 1, tzinfo=UTC)
    for _ in range(30):
        at = start + timedelta(minutes=dice.randrange(90 * 24 * 60))
        site = dice.choice([world.north, world.south])
        with site_scope(site.pk, now=at):
            facts.count(
                ("REQUEST", "ALL"),
                ("REQ_REASON", dice.choice(["BURNOUT", "OTHER"])),
                *[("TALK", "ALL")] * dice.randrange(3),
            )


def test_rebuilding_equals_a_full_recount(world: World) -> None:
    busy_months(world, random.randrange(10**6))
    assert (counts(world.north), differences(world.north) == []) == ({}, False)
    agenda.sweep()
    for site in (world.north, world.south):
        assert counts(site) == recount(site)
        assert differences(site) == []
    assert dirty() == set()
    before = counts(world.north)
    busy_months(world, 1)
    assert counts(world.north) == before
    assert differences(world.north) != []
    agenda.sweep()
    assert counts(world.north) == recount(world.north)


def test_a_count_that_is_wrong_or_of_nothing_is_found_and_mended(world: World) -> None:
    busy_months(world, 7)
    agenda.sweep()
    with site_scope(world.north.pk):
        cell = Rollup.objects.order_by("pk").first()
        Rollup.objects.filter(pk=cell.pk).update(count=cell.count + 1)  # type: ignore[union-attr]
        Rollup.objects.create(month=cell.month, measure="GHOST", category="ALL", count=1)  # type: ignore[union-attr]
        gone = Rollup.objects.exclude(pk=cell.pk).exclude(measure="GHOST").order_by("pk").first()  # type: ignore[union-attr]
        gone.delete()  # type: ignore[union-attr]
        found = {(cell.month, cell.measure, cell.category), (cell.month, "GHOST", "ALL")}  # type: ignore[union-attr]
        found |= {(gone.month, gone.measure, gone.category)}  # type: ignore[union-attr]
        assert set(rollups.differences()) == found
        rollups.rebuild_all()
        assert rollups.differences() == []
    assert counts(world.north) == recount(world.north)


def test_an_event_marks_its_month_in_the_same_transaction(world: World) -> None:
    with pytest.raises(ZeroDivisionError), site_scope(world.north.pk):
        facts.count(("REQUEST", "ALL"))
        raise ZeroDivisionError
    assert (dirty(), recount(world.north)) == (set(), {})
    with site_scope(world.north.pk, now=datetime(2026, 3, 5, 12, tzinfo=UTC)):
        facts.count(("REQUEST", "ALL"))
        # Last of all, because every event of the month wants the same mark.
        assert dirty() == set()
    assert dirty() == {(world.north.pk, 202603)}
    assert recount(world.north) == {(date(2026, 3, 1), "REQUEST", "ALL"): 1}


def test_a_month_is_that_of_the_sites_own_calendar(world: World) -> None:
    Site.objects.filter(pk=world.south.pk).update(time_zone="Asia/Tokyo")
    for site in (world.north, world.south):
        with site_scope(site.pk, now=datetime(2026, 3, 31, 20, tzinfo=UTC)):
            facts.count(("REQUEST", "ALL"))
    assert list(recount(world.north)) == [(date(2026, 3, 1), "REQUEST", "ALL")]
    assert list(recount(world.south)) == [(date(2026, 4, 1), "REQUEST", "ALL")]


def test_a_months_rebuild_leaves_the_others_alone(world: World) -> None:
    busy_months(world, 3)
    with site_scope(world.north.pk):
        rollups.rebuild([202603])
    assert {month for month, _, _ in counts(world.north)} == {date(2026, 3, 1)}
    assert counts(world.south) == {}


def test_facts_have_no_face_and_outlive_the_referral(world: World) -> None:
    match = line.contacted(world)
    agenda.sweep()
    before = counts(world.north)
    assert before[(this_month(), "REQUEST", "ALL")] == 1
    with site_scope(world.north.pk), connection.cursor() as cursor:
        cursor.execute(
            "SELECT array_agg(column_name::text ORDER BY column_name) FROM information_schema.columns"
            " WHERE table_name = 'sites_fact'"
        )
        assert cursor.fetchone()[0] == ["category", "id", "measure", "month", "site_id"]
        cursor.execute("DELETE FROM matching_matchevent")
        cursor.execute("DELETE FROM matching_match")
        for table in ("referralreason", "referralconsent", "referralevent"):
            cursor.execute(f"DELETE FROM referrals_{table}")
        cursor.execute("DELETE FROM referrals_referral WHERE id = %s", [match.referral_id])
        rollups.rebuild_all()
    assert counts(world.north) == before


@pytest.mark.xdist_group("races")
def test_workers_and_events_at_once_lose_and_double_nothing(committed_world: World) -> None:
    world, stop = committed_world, threading.Event()

    def events() -> None:
        for _ in range(25):
            with site_scope(world.north.pk):
                facts.count(("REQUEST", "ALL"), ("REQ_REASON", "OTHER"))

    def worker() -> None:
        while not stop.is_set():
            agenda.sweep()

    def last() -> None:
        events()
        stop.set()

    answers = line.together(events, events, events, last, worker, worker, worker)
    assert answers == [None] * 7
    agenda.sweep()
    assert differences(world.north) == []
    assert sum(counts(world.north).values()) == 200
    assert dirty() == set()


@pytest.mark.xdist_group("races")
def test_two_workers_rebuild_the_same_month_at_once(committed_world: World) -> None:
    world = committed_world
    busy_months(world, 11)

    def rebuild() -> None:
        for _ in range(10):
            with site_scope(world.north.pk):
                rollups.rebuild_all()

    assert line.together(*[rebuild] * 4) == [None] * 4
    assert counts(world.north) == recount(world.north)


def test_the_command_counts_what_the_workers_count(world: World) -> None:
    busy_months(world, random.randrange(10**6))
    match = line.contacted(world)
    with site_scope(world.north.pk):
        transitions.close(match.referral_id, "DONE", by=line.administrator(world))
    agenda.sweep()
    by_workers = [counts(site) for site in (world.north, world.south)]
    for site in (world.north, world.south):
        with site_scope(site.pk):
            Rollup.objects.all().delete()
            Rollup.objects.create(month=date(2020, 1, 1), measure="GHOST", category="ALL", count=3)
    call_command("rebuild_rollups")
    assert [counts(site) for site in (world.north, world.south)] == by_workers
    assert by_workers[0][(this_month(), "CLOSED", "DONE")] == 1


def test_an_interrupted_fill_was_never_there_and_is_done_again(world: World) -> None:
    busy_months(world, 5)
    agenda.sweep()
    before = counts(world.north), filled(world.north)
    busy_months(world, 6)
    marked = dirty()
    with pytest.raises(ZeroDivisionError), site_scope(world.north.pk):
        rollups.rebuild_all()
        raise ZeroDivisionError
    assert (counts(world.north), filled(world.north)) == before
    assert dirty() == marked != set()
    agenda.sweep()
    assert counts(world.north) == recount(world.north)
    assert set(filled(world.north)) == {month for month, _, _ in recount(world.north)}
    again = {number for site_id, number in marked if site_id == world.north.pk}
    later = {month for month, at in filled(world.north).items() if at != before[1].get(month)}
    assert {month.year * 100 + month.month for month in later} == again


def filled(site: Site) -> dict[date, datetime]:
    with site_scope(site.pk):
        return dict(RollupFill.objects.values_list("month", "filled_at"))


happened = some.tuples(
    some.sampled_from([date(2025, 12, 1), date(2026, 1, 1), date(2026, 2, 1)]),
    some.sampled_from(["REQUEST", "-REQUEST", "TALK_WAY", "TO_MATCH"]),
    some.sampled_from(["ALL", "PHONE", "71"]),
)


@pytest.mark.expects_error_log  # more may be taken back than was counted, and then the proof shouts
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some.lists(happened, max_size=40))
def test_whatever_the_facts_the_command_and_the_workers_count_them_alike(world: World, rows: list[Any]) -> None:
    expected: dict[tuple[date, str, str], int] = {}
    for month, measure, category in rows:
        key = month, measure.lstrip("-"), category
        expected[key] = expected.get(key, 0) + (-1 if measure.startswith("-") else 1)
    with transaction.atomic():
        with site_scope(world.north.pk):
            Fact.objects.bulk_create(Fact(month=m, measure=measure, category=c) for m, measure, c in rows)
            agenda.schedule(facts.DIRTY_MONTH, {m.year * 100 + m.month for m, _, _ in rows}, tenancy.now())
        agenda.sweep()
        by_workers = counts(world.north)
        call_command("rebuild_rollups")
        assert counts(world.north) == by_workers == {key: n for key, n in expected.items() if n > 0}
        wrong = world.north.pk in rollups.verify()
        assert wrong == any(n < 0 for n in expected.values())
        transaction.set_rollback(True)


def test_the_nightly_proof_shouts_until_the_figures_are_right_again(world: World, caplog: Any) -> None:
    def told() -> list[tuple[int, str]]:
        with site_scope(world.province.pk):
            return list(Alert.objects.values_list("origin_id", "kind"))

    busy_months(world, 9)
    assert (rollups.verify(), told()) == ([], [])  # a worker is about to count them
    agenda.sweep()
    with site_scope(world.north.pk):
        Rollup.objects.filter(measure="REQUEST").update(count=99)
    for _ in range(2):
        assert rollups.verify() == [world.north.pk]
        assert told() == [(world.north.pk, "COUNTS")]
    with site_scope(world.province.pk):
        assert Notice.objects.filter(kind="ALERT").count() == 1
    said = [record.getMessage() for record in caplog.records if record.name == "psi.figures"]
    assert len(said) == 2 and f"rollups of site {world.north.pk} differ from its facts in 3 cells" in said[0]
    caplog.clear()
    call_command("rebuild_rollups")
    assert (rollups.verify(), told()) == ([], [])
    with site_scope(world.south.pk):
        facts.count(("REQUEST", "ALL"))
    Due.objects.filter(site_id=world.south.pk).update(parked=True)
    assert rollups.verify() == [world.south.pk]
    caplog.clear()


@pytest.mark.expects_error_log
@pytest.mark.xdist_group("races")
def test_a_site_that_cannot_be_proved_stops_no_other(committed_world: World, caplog: Any) -> None:
    world, taken, release = committed_world, threading.Event(), threading.Event()
    with site_scope(world.province.pk):
        held = Alert.objects.create(origin=world.north, kind="COUNTS", ref=alerts.COUNTS, at=tenancy.now())
    with site_scope(world.south.pk):
        Rollup.objects.create(month=date(2020, 1, 1), measure="GHOST", category="ALL", count=3)

    def hold() -> None:
        with site_scope(world.province.pk):
            Alert.objects.select_for_update().get(pk=held.pk)
            taken.set()
            release.wait(20)

    def prove() -> list[int]:
        taken.wait(20)
        found = rollups.verify()
        release.set()
        return found

    assert line.together(hold, prove) == [None, [world.south.pk]]
    said = [record.getMessage() for record in caplog.records if record.name == "psi.figures"]
    assert said[0] == f"figures of site {world.north.pk} could not be proved: OperationalError"
    assert len(said) == 2 and f"rollups of site {world.south.pk} differ" in said[1]


def test_the_month_is_told_by_the_locked_list_of_time_zones_whatever_postgresql_has(world: World) -> None:
    """Since November 2026 clocks do not go back in British Columbia. An older list has this half an hour to midnight."""
    assert zoneinfo.TZPATH == ()
    new_year = datetime(2027, 1, 1, 7, 30, tzinfo=UTC)
    with site_scope(world.north.pk, now=new_year):
        facts.count(("REQUEST", "ALL"))
        assert localdate(tenancy.now()) == tenancy.local(tenancy.now()).date() == date(2027, 1, 1)
    with site_scope(world.north.pk):
        assert Fact.objects.get().month == date(2027, 1, 1)
