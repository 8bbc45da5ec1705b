"""What the province publishes: nothing under K, nothing to be told by subtraction, nothing ever changed."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from typing import Any

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from psi.tenancy import site_scope
from sites import agenda, facts
from sites.models import Fact, Site
from tests import line
from tests.people import World, site
from tracker import figures, releases
from tracker.models import ReleaseCell, Rollup
from tracker.releases import Cell, fold, next_month

K = 10
START = date(2025, 4, 1)


def months_from(start: date, number: int) -> list[date]:
    months = [start]
    while len(months) < number:
        months.append(next_month(months[-1]))
    return months


def covered(cell: Cell) -> frozenset[date]:
    months, month = set(), cell.first
    while month <= cell.last:
        months.add(month)
        month = next_month(month)
    return frozenset(months)


# What may be told, of any year

small = st.one_of(st.just(0), st.integers(1, K - 1), st.integers(K, 60))


@given(counts=st.lists(small, min_size=3, max_size=24))
@settings(max_examples=300, deadline=None, print_blob=True)
def test_no_number_under_k_is_told_nor_can_be_worked_out(counts: list[int]) -> None:
    months = months_from(START, len(counts))
    truth = Counter(dict(zip(months, counts, strict=True)))
    cells = list(fold(truth, START, months[-1] + timedelta(days=31 + 30), K))
    sums: dict[frozenset[date], int] = {}
    for cell in cells:
        assert cell.count == sum(truth[month] for month in covered(cell))
        assert cell.count == 0 or cell.count >= K
        assert covered(cell) not in sums
        sums[covered(cell)] = cell.count
    # Whoever adds and subtracts what overlaps learns no number from 1 to K - 1.
    known = dict(sums)
    growing = True
    while growing:
        growing = False
        for (one, a), (other, b) in combinations(list(known.items()), 2):
            for left, right, x, y in ((one, other, a, b), (other, one, b, a)):
                rest = left - right
                if right < left and rest not in known:
                    known[rest] = x - y
                    growing = True
    assert [n for n in known.values() if 0 < n < K] == []
    # A month is told or hidden with all of its period.
    told = {cell.first for cell in cells if cell.first == cell.last}
    for cell in cells:
        if cell.first != cell.last:
            assert len(told & covered(cell)) in (0, len(covered(cell)))


@given(counts=st.lists(small, min_size=12, max_size=12))
@settings(max_examples=100, deadline=None, print_blob=True)
def test_what_is_left_over_is_told_later_once_and_whole(counts: list[int]) -> None:
    truth = Counter(dict(zip(months_from(START, 12), counts, strict=True)))
    cells = list(fold(truth, START, date(2026, 5, 1), K))
    periods = [cell for cell in cells if (cell.last.month - cell.first.month) % 12 >= 2]
    for before, after in zip(periods, periods[1:], strict=False):
        assert after.first == next_month(before.last)
    kept_back = sum(counts) - sum(cell.count for cell in periods)
    assert 0 <= kept_back < K


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([12, 10, 30], [(1, 1, 12), (2, 2, 10), (3, 3, 30), (1, 3, 52)]),
        ([12, 9, 30], [(1, 3, 51)]),
        ([0, 0, 12], [(1, 1, 0), (2, 2, 0), (3, 3, 12), (1, 3, 12)]),
        ([0, 0, 0], [(1, 1, 0), (2, 2, 0), (3, 3, 0), (1, 3, 0)]),
        ([3, 3, 3], []),
        ([3, 3, 3, 20, 20, 20], [(1, 6, 69)]),
        ([3, 3, 4, 20, 20, 20], [(1, 3, 10), (4, 4, 20), (5, 5, 20), (6, 6, 20), (4, 6, 60)]),
        ([1, 0, 0, 0, 0, 0, 9, 0, 0], [(1, 9, 10)]),
    ],
)
def test_months_quarters_and_longer(counts: list[int], expected: list[tuple[int, int, int]]) -> None:
    months = months_from(date(2025, 1, 1), len(counts))
    cells = fold(Counter(dict(zip(months, counts, strict=True))), date(2025, 1, 1), date(2026, 1, 30), K)
    told = [(c.first.month, c.last.month, c.count) for c in cells if c.last <= months[-1]]
    assert told == expected


@pytest.mark.parametrize(
    ("today", "last"),
    [
        (date(2025, 7, 30), None),
        (date(2025, 7, 31), date(2025, 6, 1)),
        (date(2025, 10, 30), date(2025, 6, 1)),
        (date(2025, 10, 31), date(2025, 9, 1)),
        (date(2026, 1, 30), date(2025, 9, 1)),
        (date(2026, 1, 31), date(2025, 12, 1)),
    ],
)
def test_a_quarter_is_told_thirty_days_after_its_end(today: date, last: date | None) -> None:
    truth = Counter(dict.fromkeys(months_from(START, 24), 20))
    cells = list(fold(truth, START, today, K))
    assert max((cell.last for cell in cells), default=None) == last


# With the database


def happen(at: Site, month: date, number: int, measure: str = "REQUEST") -> None:
    with site_scope(at.pk, now=datetime(month.year, month.month, 15, 20, tzinfo=UTC)):
        facts.count(*[(measure, "ALL")] * number)


def release(world: World, on: date, monkeypatch: pytest.MonkeyPatch) -> int:
    """Release on a day, as the province's worker would."""
    real = releases.tenancy.site_scope
    at = datetime(on.year, on.month, on.day, 20, tzinfo=UTC)
    with monkeypatch.context() as patched:
        patched.setattr(releases.tenancy, "site_scope", lambda site_id, **k: real(site_id, **{"now": at, **k}))
        return releases.release_closed_quarters()


def cells(world: World) -> list[tuple[date, date, int]]:
    with site_scope(world.province.pk):
        return list(ReleaseCell.objects.order_by("first", "last").values_list("first", "last", "count"))


APRIL, MAY, JUNE = months_from(START, 3)


def test_the_sites_are_added_up_and_the_unfunded_left_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    outside = site("outside", funding=Site.Funding.EXISTING)
    for month in (APRIL, MAY, JUNE):
        happen(world.north, month, 6)
        happen(world.south, month, 5)
        happen(world.province, month, 1)
        happen(outside, month, 40)
        happen(world.north, month, 30, measure="MATCHED")
    assert release(world, date(2025, 8, 1), monkeypatch) == 4
    assert cells(world) == [(APRIL, APRIL, 12), (APRIL, JUNE, 36), (MAY, MAY, 12), (JUNE, JUNE, 12)]
    for at in (world.north, world.south, outside):
        with site_scope(at.pk):
            assert ReleaseCell.objects.count() == 0


def test_counts_are_fresh_even_when_no_worker_has_counted_yet(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    happen(world.north, APRIL, 20)
    with site_scope(world.north.pk):
        assert Rollup.objects.count() == 0
    release(world, date(2025, 8, 1), monkeypatch)
    assert cells(world) == [(APRIL, APRIL, 20), (APRIL, JUNE, 20), (MAY, MAY, 0), (JUNE, JUNE, 0)]


def test_a_second_release_changes_and_repeats_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for month in months_from(START, 3):
        happen(world.north, month, 20)
    assert release(world, date(2025, 8, 1), monkeypatch) == 4
    first = cells(world)
    assert release(world, date(2025, 8, 2), monkeypatch) == 0
    # A late record, dated into a month that is out already, is not told: it would tell by its difference.
    happen(world.north, MAY, 3)
    agenda.sweep()
    assert release(world, date(2025, 8, 3), monkeypatch) == 0
    assert cells(world) == first
    for month in months_from(date(2025, 7, 1), 3):
        happen(world.north, month, 4)
    assert release(world, date(2025, 11, 1), monkeypatch) == 1
    assert cells(world) == sorted([*first, (date(2025, 7, 1), date(2025, 9, 1), 12)])


def test_a_quarter_kept_back_is_told_with_the_next(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    happen(world.north, APRIL, 4)
    assert release(world, date(2025, 8, 1), monkeypatch) == 0
    assert cells(world) == []
    happen(world.north, date(2025, 8, 1), 7)
    assert release(world, date(2025, 11, 1), monkeypatch) == 1
    assert cells(world) == [(APRIL, date(2025, 9, 1), 11)]


def test_nothing_is_published_of_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert release(world, date(2025, 8, 1), monkeypatch) == 0
    assert cells(world) == []


@pytest.mark.xdist_group("races")
def test_two_workers_publish_once(committed_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world = committed_world
    for month in (APRIL, MAY, JUNE):
        happen(world.north, month, 20)
    line.together(*[releases.release_closed_quarters] * 4)
    with site_scope(world.province.pk):
        told = ReleaseCell.objects.filter(first__gte=APRIL, last__lte=JUNE)
        assert sorted(told.values_list("first", "last", "count")) == [
            (APRIL, APRIL, 20), (APRIL, JUNE, 60), (MAY, MAY, 20), (JUNE, JUNE, 20)
        ]  # fmt: skip
    everything = cells(world)
    assert len(everything) == len({(first, last) for first, last, _ in everything})


def test_a_release_holds_up_nobody_who_writes_a_row_of_the_province(world: World) -> None:
    """A plain FOR UPDATE of the province's row would block the foreign key of every such row."""
    with CaptureQueriesContext(connection) as queries:
        releases.release_closed_quarters()
    locks = [query["sql"] for query in queries if "FOR " in query["sql"]]
    assert locks and all("FOR NO KEY UPDATE" in lock for lock in locks)


@pytest.mark.parametrize("count", range(1, 10))
def test_the_database_refuses_a_small_number(world: World, count: int) -> None:
    with pytest.raises(IntegrityError, match="release_k"), site_scope(world.province.pk):
        ReleaseCell.objects.create(
            measure="X", first=APRIL, last=APRIL, count=count, released_at=world.north.created_at
        )


@pytest.mark.parametrize("statement", ["UPDATE tracker_releasecell SET count = 30", "DELETE FROM tracker_releasecell"])
def test_what_is_published_is_never_changed(committed_world: World, owner: Any, statement: str) -> None:
    world = committed_world
    with site_scope(world.province.pk):
        for count in (0, 10):
            month = APRIL if count else MAY
            ReleaseCell.objects.create(
                measure="X", first=month, last=month, count=count, released_at=world.north.created_at
            )
        with pytest.raises((IntegrityError, ProgrammingError)), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    with owner.cursor() as cursor:
        cursor.execute("SELECT set_config('psi.site_id', %s, false)", [str(world.province.pk)])
        cursor.execute("SELECT count(*) FROM tracker_releasecell")
        assert cursor.fetchone() == (2,)
        with pytest.raises(Exception, match="tracker_releasecell is append-only"):
            cursor.execute(statement)
    assert cells(world) == [(APRIL, APRIL, 10), (MAY, MAY, 0)]


def test_the_page_shows_what_is_published_and_nothing_else(
    world: World, sign_in: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for month, number in ((APRIL, 87), (MAY, 7), (JUNE, 71), (date(2025, 7, 1), 93)):
        happen(world.north, month, number)
    release(world, date(2025, 8, 1), monkeypatch)
    assert cells(world) == [(APRIL, JUNE, 165)]
    with site_scope(world.province.pk):
        (period,) = figures.published()
        assert (period.total, [count for _, count in period.months]) == (165, [None] * 3)
    for who in ("coordinator", "advisor"):
        page = sign_in(world[who]).get("/province/figures/").content.decode()
        assert "165" in page
        assert "Shown as one number each: Apr 2025 – Jun 2025. At least one month of each had between 1 and 9" in page
        assert [hidden for hidden in ("87", "71", "93", "258") if f">{hidden}<" in page or f" {hidden} " in page] == []


def test_no_release_reads_a_referral(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.test.utils import CaptureQueriesContext

    line.request(world.north)
    happen(world.north, APRIL, 20)
    with CaptureQueriesContext(connection) as queries:
        release(world, date(2025, 8, 1), monkeypatch)
    assert len(cells(world)) > 0
    assert [q["sql"] for q in queries if "referral" in q["sql"] or "matching_" in q["sql"]] == []
    with site_scope(world.north.pk):
        assert Fact.objects.filter(measure="REQUEST").count() == 21
