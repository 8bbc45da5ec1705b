"""A release on its way: in its turn, made of what was frozen, checked, published, and never changed again."""

import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, InternalError, ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext

from matching.invitations import transitions
from psi import tenancy
from psi.tenancy import site_scope
from referrals.requests.transitions import clear_spam, lock
from sites.engine import agenda
from sites.engine.models import AuditEntry, Due, Fact
from sites.tenants.models import Site
from tests import line
from tests.people import World, site
from tests.refusals import refused
from tests.tracker import cubes
from tests.tracker.releasing import cells, coordinator, happen, note, prepared, released
from tracker.figures import periods
from tracker.figures.models import Rollup
from tracker.releases import attack_model, snapshot, status
from tracker.releases import check as release_check
from tracker.releases import tables as release_tables
from tracker.releases import transitions as releases
from tracker.releases.cube import build
from tracker.releases.models import Frozen, Release, ReleaseCell
from tracker.releases.options import ReleaseOptions
from tracker.reports.models import Paper

APRIL, MAY, JUNE = date(2025, 4, 1), date(2025, 5, 1), date(2025, 6, 1)
JULY, SEPTEMBER = date(2025, 7, 1), date(2025, 9, 1)
AUGUST_1, NOVEMBER_1 = date(2025, 8, 1), date(2025, 11, 1)
State = Release.State


def numbers(world: World) -> list[tuple[date, date, int]]:
    return [(first, last, number) for _, _, first, last, number in cells(world)]


def test_the_sites_are_added_up_and_the_unfunded_left_out(world: World) -> None:
    outside = site("outside", funding=Site.Funding.EXISTING)
    for month in (APRIL, MAY, JUNE):
        happen(world.north, month, 12)
        happen(world.south, month, 11)
        happen(outside, month, 40)
        note(world.north, month, [("MATCHED", "ALL")] * 30)
    agenda.sweep()
    released(world, APRIL, AUGUST_1)
    assert numbers(world) == [(APRIL, APRIL, 23), (APRIL, JUNE, 69), (MAY, MAY, 23), (JUNE, JUNE, 23)]
    for at in (world.north, world.south, outside):
        with site_scope(at.pk):
            assert (ReleaseCell.objects.count(), Release.objects.count()) == (0, 0)
    with site_scope(world.province.pk):
        # The province keeps that its own months are frozen, and no count of a site.
        assert set(Frozen.objects.values_list("measure", "count")) == {("FROZEN", 0)}


def test_counts_are_fresh_even_when_no_worker_has_counted_yet(world: World) -> None:
    happen(world.north, APRIL, 20)
    with site_scope(world.north.pk):
        # Only that there is something to release; May is counted by the release itself.
        agenda.sweep()
    happen(world.north, MAY, 30)
    released(world, APRIL, AUGUST_1)
    assert numbers(world) == [(APRIL, APRIL, 20), (APRIL, JUNE, 50), (MAY, MAY, 30), (JUNE, JUNE, 0)]


def test_late_records_and_corrections_change_nothing_that_is_frozen(world: World) -> None:
    for month in (APRIL, MAY, JUNE):
        happen(world.north, month, 20)
    agenda.sweep()
    first = prepared(world, APRIL, AUGUST_1)
    # Between the check and a second one, a record is dated into May, and one of June is taken back.
    happen(world.north, MAY, 3)
    agenda.sweep()
    with site_scope(world.province.pk):
        releases.drop(first.pk, by=coordinator(world))
    again = released(world, APRIL, date(2025, 8, 3))
    assert again.digest == first.digest
    happen(world.north, JULY, 12)
    released(world, JULY, NOVEMBER_1)
    with site_scope(world.province.pk):
        totals = [
            (row.period, row.number) for table in release_tables.over_time() if table.code == "P1" for row in table.rows
        ]
    assert ("April to June 2025", 60) in totals
    assert ("July to September 2025", 12) in totals


def test_a_quarter_kept_back_is_told_with_the_next(world: World) -> None:
    happen(world.north, APRIL, 4)
    agenda.sweep()
    assert released(world, APRIL, AUGUST_1).state == State.PUBLISHED
    assert cells(world) == []
    happen(world.north, date(2025, 8, 1), 7)
    released(world, JULY, NOVEMBER_1)
    assert numbers(world) == [(APRIL, SEPTEMBER, 11)]


def test_a_quarter_has_its_turn_and_its_thirty_days(world: World) -> None:
    with site_scope(world.province.pk):
        assert releases.next_quarter() is None
    happen(world.north, APRIL, 20)
    agenda.sweep()
    with refused("TOO_EARLY"):
        prepared(world, APRIL, date(2025, 7, 30))
    with refused("NOT_NEXT_QUARTER"):
        prepared(world, JULY, NOVEMBER_1)
    release = prepared(world, APRIL, date(2025, 7, 31))
    with refused("RELEASE_ON_ITS_WAY"):
        prepared(world, APRIL, AUGUST_1)
    with site_scope(world.province.pk):
        with refused("NOT_PUBLISHED"):
            releases.set_public(release.pk, public=True, by=coordinator(world))
        releases.publish(release.pk, public=False, by=coordinator(world))
        releases.publish(release.pk, public=True, by=coordinator(world))  # again: nothing more happens
        release.refresh_from_db()
        assert not release.public
        with refused("PUBLISHED_STAYS"):
            releases.drop(release.pk, by=coordinator(world))
        assert releases.next_quarter() == JULY
    with site_scope(world.province.pk):
        actions = AuditEntry.objects.filter(object_kind="RELEASE").order_by("pk").values_list("action", flat=True)
        assert list(actions) == ["PREPARED", "CHECKED", "PUBLISHED"]


def test_the_same_form_twice_asks_once(world: World) -> None:
    happen(world.north, APRIL, 20)
    agenda.sweep()
    key = uuid.uuid4()
    with site_scope(world.province.pk):
        one, two = (releases.prepare(APRIL, ReleaseOptions(), key=key, by=coordinator(world)) for _ in range(2))
        assert one.pk == two.pk and Release.objects.count() == 1


def refusable(world: World) -> None:
    """All who asked themselves mention burnout: who subtracts knows how many reach-outs did."""
    for at in (world.north, world.south, world.province):
        happen(at, APRIL, 4)
        happen(at, APRIL, 6, ("BURNOUT", "EVENT"))
        happen(at, APRIL, 3, pathway="REACH_OUT")
        happen(at, APRIL, 3, ("EVENT",), pathway="REACH_OUT")


def test_what_is_not_safe_is_refused_with_what_helps_and_then_passes(world: World) -> None:
    refusable(world)
    agenda.sweep()
    release = prepared(world, APRIL, AUGUST_1)
    assert (release.state, release.found, release.remedy) == (State.REFUSED, "SET", "P2")
    assert release.solver.startswith("HiGHS 1.") and release.examined > 0 and release.narrowest is not None
    with site_scope(world.province.pk):
        assert ReleaseCell.objects.count() == 0
        with refused("NOT_PASSED"):
            releases.publish(release.pk, public=False, by=coordinator(world))
    again = released(world, APRIL, AUGUST_1, ReleaseOptions(reasons=False))
    assert again.narrowest is None or again.narrowest >= 10
    assert {table for table, *_ in cells(world, "P3")} == {"P3"} and cells(world, "P2") == []


def test_counts_that_contradict_each_other_are_not_told(world: World) -> None:
    note(world.north, APRIL, [("REQUEST", "ALL")] * 20)
    agenda.sweep()
    release = prepared(world, APRIL, AUGUST_1)
    assert (release.state, release.found, release.remedy) == (State.REFUSED, releases.CONTRADICTS, None)


@pytest.mark.expects_error_log
def test_a_check_that_breaks_off_says_so_and_the_quarter_can_be_asked_for_again(world: World) -> None:
    happen(world.north, APRIL, 20)
    note(world.north, MAY, [("REQUEST", "ALL"), ("REQ_SET", "NOT-A-SET")])
    agenda.sweep()
    on = datetime(2025, 8, 1, 20, tzinfo=UTC)
    with site_scope(world.province.pk, now=on):
        release = releases.prepare(APRIL, ReleaseOptions(), key=uuid.uuid4(), by=coordinator(world))
    release_check.check(release.pk)
    with site_scope(world.province.pk, now=on):
        release.refresh_from_db()
        assert (release.state, release.found) == (State.REFUSED, releases.FAILED)
        assert "broke off" in status.refusal_sentence(release)
        assert not Due.objects.filter(kind=Release.KIND).exists() and not ReleaseCell.objects.exists()
    note(world.north, MAY, [("-REQUEST", "ALL"), ("-REQ_SET", "NOT-A-SET")])
    agenda.sweep()
    assert released(world, APRIL, AUGUST_1).state == State.PUBLISHED


def test_a_release_with_numbers_that_are_small_by_now_is_not_published(world: World, settings: Any) -> None:
    happen(world.north, APRIL, 20)
    agenda.sweep()
    release = prepared(world, APRIL, AUGUST_1)
    settings.PSI_K = 25
    with site_scope(world.province.pk):
        with refused("SMALLEST_COUNT_RAISED"):
            releases.publish(release.pk, public=False, by=coordinator(world))
        settings.PSI_K = 20
        assert releases.publish(release.pk, public=False, by=coordinator(world)).state == State.PUBLISHED


@pytest.mark.parametrize(("marked", "told_in"), [(date(2025, 7, 20), AUGUST_1), (date(2025, 8, 3), APRIL)])
def test_a_request_taken_for_spam_by_mistake_is_in_one_release(world: World, marked: date, told_in: date) -> None:
    """Frozen without it, it counts when the mistake is mended; frozen with it, where it was."""

    def at(day: date) -> datetime:
        return datetime(day.year, day.month, day.day, 20, tzinfo=UTC)

    happen(world.north, APRIL, 20)
    agenda.sweep()
    asked = line.request(world.north, now=at(date(2025, 4, 20)))
    moves = [
        (marked, lambda: transitions.mark_spam(asked.pk, by=line.administrator(world))),
        (date(2025, 8, 10), lambda: clear_spam(lock(asked.pk), by=line.administrator(world))),
    ]
    for day, move in sorted([(date(2025, 8, 1), None), *moves], key=lambda each: each[0]):
        if move is None:
            released(world, APRIL, day)
            continue
        with site_scope(world.north.pk, now=at(day)):
            move()
    happen(world.north, date(2025, 8, 1), 20)
    released(world, JULY, NOVEMBER_1)
    told = {last: number for first, last, number in numbers(world) if first != last}
    assert told == {JUNE: 20 + (told_in == APRIL), SEPTEMBER: 20 + (told_in == AUGUST_1)}


def test_a_worker_that_died_is_followed_by_another_and_two_do_it_once(world: World) -> None:
    happen(world.north, APRIL, 20)
    agenda.sweep()
    with site_scope(world.province.pk) as scope:
        release = releases.prepare(APRIL, ReleaseOptions(), key=uuid.uuid4(), by=coordinator(world))
        # Another is at it.
        Release.objects.filter(pk=release.pk).update(held_until=scope.now + releases.LEASE)
        release_check.check(release.pk)
        release.refresh_from_db()
        assert release.state == State.CHECKING
        # It has said nothing for ten minutes.
        Release.objects.filter(pk=release.pk).update(held_until=scope.now)
        release_check.check(release.pk)
        release_check.check(release.pk)
        release.refresh_from_db()
        assert release.state == State.READY and ReleaseCell.objects.filter(table="P1").count() == 4
        assert not Due.objects.filter(kind=Release.KIND).exists()


def test_what_waits_is_handed_to_a_worker_again_until_it_is_done(
    world: World, django_capture_on_commit_callbacks: Any
) -> None:
    happen(world.north, APRIL, 20)
    agenda.sweep()
    with site_scope(world.province.pk) as scope:
        release = releases.prepare(APRIL, ReleaseOptions(), key=uuid.uuid4(), by=coordinator(world))
        with django_capture_on_commit_callbacks() as sent:
            releases.handle([release.pk])
        assert len(sent) == 1
        (due,) = Due.objects.filter(kind=Release.KIND)
        assert due.at == scope.now + releases.LEASE
        releases.drop(release.pk, by=coordinator(world))
        assert not Due.objects.filter(kind=Release.KIND).exists()
        with django_capture_on_commit_callbacks() as sent:
            releases.handle([release.pk])
        assert sent == []


@pytest.mark.xdist_group("races")
def test_two_workers_freeze_once(committed_world: World) -> None:
    world = committed_world
    for month in (APRIL, MAY, JUNE):
        happen(world.north, month, 20)
    agenda.sweep()
    line.together(*[lambda: snapshot.take(JUNE)] * 4)
    with site_scope(world.north.pk):
        kept = Frozen.objects.filter(measure="REQUEST").order_by("month").values_list("month", "count")
        assert list(kept) == [(APRIL, 20), (MAY, 20), (JUNE, 20)]


def test_a_release_holds_up_nobody_who_writes_a_row_of_the_province(world: World) -> None:
    """A plain FOR UPDATE of the province's row would block the foreign key of every such row."""
    happen(world.north, APRIL, 20)
    agenda.sweep()
    with CaptureQueriesContext(connection) as queries:
        released(world, APRIL, AUGUST_1)
    locks = [query["sql"] for query in queries if "FOR " in query["sql"] and '"sites_site"' in query["sql"]]
    assert locks and all("FOR NO KEY UPDATE" in lock for lock in locks)


def year_but_a_few(world: World) -> None:
    """Three quarters that may each be told, and one of five requests."""
    for month in periods.months(APRIL, date(2026, 3, 1)):
        last = month >= date(2026, 1, 1)
        for at in (world.north, world.south, world.province):
            happen(at, month, (month == date(2026, 1, 1)) * 2 if last else 10)
    agenda.sweep()


def test_a_release_is_attacked_with_everything_published_before(world: World) -> None:
    """The sites’ year, less three quarters published earlier, is the small fourth quarter."""
    year_but_a_few(world)
    for quarter in (APRIL, date(2025, 7, 1), date(2025, 10, 1)):
        only = ReleaseOptions(months=True, by_month=False, reasons=False, pathways=False, sites=False, process=False)
        released(world, quarter, periods.later(quarter, 4) + timedelta(days=5), only)
    closing = ReleaseOptions(months=False, by_month=False, reasons=False, pathways=False, sites=True, process=False)
    refused = prepared(world, date(2026, 1, 1), date(2026, 5, 10), closing)
    assert (refused.state, refused.found, refused.remedy) == (State.REFUSED, "ALL", "P4")


def test_without_what_was_published_before_the_same_release_passes(world: World) -> None:
    year_but_a_few(world)
    nothing = ReleaseOptions(months=False, by_month=False, reasons=False, pathways=False, sites=False, process=True)
    for quarter in (APRIL, date(2025, 7, 1), date(2025, 10, 1)):
        released(world, quarter, periods.later(quarter, 4) + timedelta(days=5), nothing)
    closing = ReleaseOptions(months=False, by_month=False, reasons=False, pathways=False, sites=True, process=False)
    assert prepared(world, date(2026, 1, 1), date(2026, 5, 10), closing).state == State.READY


def test_what_a_preview_showed_is_known(world: World) -> None:
    """Pathways previewed, set aside, and told of two quarters together: the difference is the second, which is small."""
    for at in (world.north, world.south, world.province):
        happen(at, APRIL, 20)
        happen(at, APRIL, 8, pathway="REACH_OUT")
        happen(at, JULY, 20)
    happen(world.north, JULY, 2, pathway="REACH_OUT")
    agenda.sweep()
    paths = ReleaseOptions(months=False, by_month=False, reasons=False, pathways=True, sites=False, process=False)
    preview = prepared(world, APRIL, AUGUST_1, paths)
    assert preview.state == State.READY
    with site_scope(world.province.pk):
        releases.drop(preview.pk, by=coordinator(world))
    released(world, APRIL, AUGUST_1, ReleaseOptions(pathways=False, reasons=False))
    refused = prepared(world, JULY, NOVEMBER_1, paths)
    assert (refused.state, refused.found) == (State.REFUSED, "ALL")


def test_counts_that_contradict_each_other_are_not_kept_and_can_be_mended(world: World) -> None:
    note(world.north, APRIL, [("REQUEST", "ALL")] * 20)
    agenda.sweep()
    assert prepared(world, APRIL, AUGUST_1).found == releases.CONTRADICTS
    with site_scope(world.north.pk):
        assert Frozen.objects.count() == 0
    note(world.north, APRIL, [("REQ_SET", "IN_10")] * 20)
    agenda.sweep()
    assert prepared(world, APRIL, AUGUST_1).state == State.READY


def test_everybody_knows_that_a_site_was_not_there_yet(world: World) -> None:
    """A new site's months before it came are no hiding place for those of the others."""
    rows = {1: cubes.steady(2, 3), 2: cubes.steady(20, 3)}
    start, end = cubes.START, periods.later(cubes.START, 2)
    marked = {
        site: [*found, *((month, "FROZEN", "ALL", 0) for month in periods.months(start, end))]
        for site, found in rows.items()
    }
    there = build(rows, periods.months(start, end))
    absent = build({1: marked[1], 2: rows[2]}, periods.months(start, end))
    assert there.present.all() and absent.present.tolist() == [[True] * 3, [False] * 3]
    (front, *_) = attack_model.attack_surfaces(absent, [], [], 10)
    assert front.possible is not None
    assert not front.possible.reshape(absent.counts.shape)[1].any()


@pytest.mark.parametrize(
    "statement", ["UPDATE tracker_release SET state = 'DROPPED', published_at = NULL", "DELETE FROM tracker_release"]
)
def test_the_database_lets_nobody_change_what_is_published(world: World, statement: str) -> None:
    happen(world.north, APRIL, 20)
    agenda.sweep()
    release = released(world, APRIL, AUGUST_1, ReleaseOptions(by_month=False))
    with site_scope(world.province.pk):
        releases.set_public(release.pk, public=True, by=coordinator(world))
        with (
            pytest.raises(InternalError, match="what is published stays"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)


@pytest.mark.parametrize("count", range(1, 10))
def test_the_database_refuses_a_small_number(world: World, count: int) -> None:
    with pytest.raises(IntegrityError, match="cell_k"), site_scope(world.province.pk):
        ReleaseCell.objects.create(table="P1", first=APRIL, last=APRIL, number=count)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE tracker_releasecell SET number = 30",
        "DELETE FROM tracker_releasecell",
        "DELETE FROM tracker_frozen",
        "UPDATE tracker_frozen SET count = 0",
        "UPDATE tracker_paper SET pdf = ''",
        "DELETE FROM tracker_paper",
    ],
)
def test_what_is_published_frozen_or_printed_is_never_changed(
    committed_world: World, owner: Any, statement: str
) -> None:
    world = committed_world
    table = next(name for name in statement.split() if name.startswith("tracker_"))
    with site_scope(world.province.pk):
        ReleaseCell.objects.create(table="P1", first=APRIL, last=APRIL, number=10)
        Frozen.objects.create(month=APRIL, measure="REQUEST", category="ALL", count=3)
        Paper.objects.create(year=APRIL, pdf=b"%PDF")
        with pytest.raises((IntegrityError, ProgrammingError)), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    with owner.cursor() as cursor:
        cursor.execute("SELECT set_config('psi.site_id', %s, false)", [str(world.province.pk)])
        with pytest.raises(Exception, match=f"{table} is append-only"):
            cursor.execute(statement)
    assert numbers(world) == [(APRIL, APRIL, 10)]


def test_no_release_reads_a_referral(world: World) -> None:
    happen(world.north, APRIL, 20)
    agenda.sweep()
    line.request(world.north)
    with CaptureQueriesContext(connection) as queries:
        released(world, APRIL, AUGUST_1)
    assert len(cells(world)) > 0
    assert [q["sql"] for q in queries if "referrals_" in q["sql"] or "matching_" in q["sql"]] == []
    with site_scope(world.north.pk):
        assert Fact.objects.filter(measure="REQUEST").count() == 21


def test_a_request_is_counted_with_all_its_reasons_at_once(world: World) -> None:
    line.request(world.north, reasons=("BURNOUT", "EVENT"))
    line.request(world.north, reasons=())
    with site_scope(world.north.pk):
        found = Fact.objects.filter(measure="REQ_SET").order_by("category").values_list("category", flat=True)
        assert list(found) == ["IN_11", "IN_80"]
        assert Rollup.objects.count() == 0


def test_nothing_is_released_of_nothing(world: World) -> None:
    with site_scope(world.province.pk, now=datetime(2025, 8, 1, tzinfo=UTC)):
        assert releases.next_quarter() is None
        with refused("NOT_NEXT_QUARTER"):
            releases.prepare(APRIL, ReleaseOptions(), key=uuid.uuid4(), by=coordinator(world))
        assert tenancy.now().year == 2025
