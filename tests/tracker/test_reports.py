"""The report for the funder and the annual evaluation: two pages, the numbers that may be told, and no other."""

from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from itertools import product
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils.timezone import localdate
from hypothesis import given
from hypothesis import strategies as some

from psi.tenancy import now, site_scope
from sites.engine import agenda
from sites.engine.models import AuditEntry
from tests import people, printed
from tests.people import World
from tests.tracker import crawl, published
from tests.tracker.releasing import happen, note
from tracker.figures import periods, reporting_periods
from tracker.figures import views as figure_views
from tracker.releases import tables as release_tables
from tracker.releases.models import Release, ReleaseCell
from tracker.releases.tables import PROCESS_LABELS
from tracker.reports import masking
from tracker.reports import province as reports
from tracker.reports import site as site_reports

SignIn = Callable[[Any], Client]
K = 10
APRIL, MARCH = date(2025, 4, 1), date(2026, 3, 1)
# The last but one that is over: its report is offered today, and tomorrow as well.
YEAR = reporting_periods.finished_fiscal_years(localdate())[1]
counts = some.lists(some.integers(0, 40), min_size=1, max_size=9)


# What may be told of parts


@given(counts)
def test_no_part_that_is_told_is_small_and_all_of_them_are_there(parts: list[int]) -> None:
    rows = [(f"part {i}", count) for i, count in enumerate(parts)]
    told = masking.mask(rows, "other", K)
    if not told:
        assert any(0 < part < K for part in parts)
        return
    shown = [row.count for row in told]
    assert [count for count in shown if count is None or 0 < count < K] == []
    assert sum(count or 0 for count in shown) == sum(parts)
    names = [row.label for row in told if row.label != "other"] + [m for row in told for m in row.members]
    assert sorted(names) == sorted(label for label, _count in rows)


@given(counts)
def test_what_is_folded_stands_with_another_and_adds_up_to_ten(parts: list[int]) -> None:
    for row in masking.mask([(f"part {i}", count) for i, count in enumerate(parts)], "other", K):
        if row.members and row.count is not None:
            assert len(row.members) >= 2 and row.count >= K


def test_whoever_knows_the_rule_cannot_tell_a_small_part() -> None:
    """Every table of three parts: those that look the same, their sum known, leave each small part open."""
    alike: dict[Any, list[tuple[int, ...]]] = defaultdict(list)
    most = 32
    for parts in product(range(most + 1), repeat=3):
        if K <= sum(parts) <= most:
            told = masking.mask([(str(i), part) for i, part in enumerate(parts)], "other", K)
            alike[sum(parts), tuple(told)].append(parts)
    assert len({len(told) for _whole, told in alike}) > 2
    for (_whole, told), tables in alike.items():
        shown = {row.label for row in told}
        for i in (i for i in range(3) if str(i) not in shown):
            possible = {parts[i] for parts in tables}
            assert not any(0 < part < K for part in possible) or len(possible) >= 5 or max(possible) >= K, (told, i)


@given(counts, some.integers(0, 40))
def test_of_mentions_neither_those_nor_the_others_are_few(parts: list[int], others: int) -> None:
    whole = max(parts) + others
    for row, count in zip(
        masking.mask_mentions([(f"reason {i}", n) for i, n in enumerate(parts)], whole, K), parts, strict=True
    ):
        few = 0 < count < K or 0 < whole - count < K
        assert row.count == (None if few else count)


@given(some.lists(some.integers(0, 15), min_size=12, max_size=12))
def test_a_year_is_told_in_the_finest_steps_of_which_none_is_small(each: list[int]) -> None:
    of = dict(zip(periods.months(APRIL, MARCH), each, strict=True))

    def count(first: date, last: date) -> int:
        return sum(of[month] for month in periods.months(first, last))

    steps = masking.finest_periods(APRIL, MARCH, count, K)
    assert [n for _first, _last, n in steps if 0 < n < K] == []
    if not steps:
        assert 0 < sum(each) < K
        return
    assert sum(n for _first, _last, n in steps) == sum(each)
    finer = [count(month, periods.later(month, 2)) for month in periods.quarters(APRIL, MARCH)]
    assert len(steps) == 4 or any(0 < n < K for n in finer)


# A site's


def filled(world: World) -> None:
    """A year of a site with a small number in every corner."""
    for month in periods.months(YEAR.first, YEAR.last):
        happen(world.north, month, 3)
        note(
            world.north, month, [("REQ_PATH", "REACH_IN")] * 3 + [("REQ_REASON", "BURNOUT")] * 2 + [("MATCHED", "ALL")]
        )
        note(world.north, month, [("CONTACT", "IN_TIME"), ("TO_CONTACT", "20"), ("TALK", "ALL"), ("TALK_WAY", "PHONE")])
    reasons = [("REQ_REASON", "LIFE")] * 7 + [("REQ_REASON", "EVENT")] * 5
    note(world.north, YEAR.first, reasons + [("WINDOW", "MISSED")] * 3)
    note(world.north, YEAR.first, [("TALK_WAY", "VIDEO")] * 4 + [("TRAINED", "ALL")] * 6 + [("SV_SAFE", "YES")] * 8)
    agenda.sweep()


def test_a_site_reports_a_year_in_one_press_on_two_pages(world: World, sign_in: SignIn) -> None:
    filled(world)
    lead = sign_in(world["north lead"])
    page = lead.get("/north/figures/").text
    assert f'<a href="/north/figures/report/{YEAR.code}.pdf">' in page
    answer = lead.get(f"/north/figures/report/{YEAR.code}.pdf")
    assert answer["Content-Type"] == "application/pdf" and "no-store" in answer["Cache-Control"]
    assert answer["Content-Disposition"] == f'attachment; filename="north-report-{YEAR.code}.pdf"'
    words = printed.words(answer.content)
    assert len(printed.pages(answer.content, 20)) == 2
    for said in ("Report for the funder", "North Division", "36 requests", "12 confirmed matches", "Burnout"):
        assert said in words, said
    assert "72 hours were over 15" in words and "confirmed match hidden" in words
    assert crawl.small(words) == []


def test_a_site_prints_a_year_once_so_that_no_two_prints_can_be_subtracted(world: World, sign_in: SignIn) -> None:
    filled(world)
    lead, path = sign_in(world["north lead"]), f"/north/figures/report/{YEAR.code}.pdf"
    first = lead.get(path).content
    happen(world.north, YEAR.last, 14)
    agenda.sweep()
    assert "50 requests" in printed.words(reports.pdf(of_north(world)))
    assert lead.get(path).content == first and "36 requests" in printed.words(first)
    happen(world.south, YEAR.first, 11)
    agenda.sweep()
    south = sign_in(world["south lead"]).get(f"/south/figures/report/{YEAR.code}.pdf")
    assert "11 requests" in printed.words(south.content)
    with site_scope(world.north.pk):
        assert AuditEntry.objects.filter(action="EXPORTED", object_kind="REPORT").count() == 2


def of_north(world: World) -> reports.Report:
    with site_scope(world.north.pk):
        return site_reports.report_of_site(world.north, YEAR)


def test_a_site_so_small_that_nothing_may_be_told_has_a_report_all_the_same(world: World, sign_in: SignIn) -> None:
    happen(world.north, YEAR.first, 4)
    note(world.north, YEAR.first, [("REQ_PATH", "REACH_IN")] * 4 + [("TALK", "ALL"), ("TALK_WAY", "PHONE")])
    agenda.sweep()
    path = f"/north/figures/report/{YEAR.code}.pdf"
    words = printed.words(sign_in(world["north administrator"]).get(path).content)
    assert "hidden requests" in words and crawl.small(words) == []


@pytest.mark.parametrize("which", ["this", "next", "before the first count", "calendar", "soon"])
def test_no_report_is_made_of_a_year_that_is_not_over(world: World, sign_in: SignIn, which: str) -> None:
    filled(world)
    this = reporting_periods.fiscal_year(localdate())
    codes = {
        "this": this.code,
        "next": reporting_periods.fiscal_year(this.last + timedelta(days=31)).code,
        "before the first count": reporting_periods.fiscal_year(YEAR.first - timedelta(days=1)).code,
        "calendar": str(YEAR.first.year),
    }
    lead = sign_in(world["north lead"])
    assert lead.get(f"/north/figures/report/{YEAR.code}.pdf").status_code == 200
    assert lead.get(f"/north/figures/report/{codes.get(which, which)}.pdf").status_code == 404


@pytest.mark.parametrize(
    ("today", "latest"), [(date(2027, 4, 30), "2025-26"), (date(2027, 5, 1), "2026-27"), (date(2028, 3, 31), "2026-27")]
)
def test_a_year_is_reported_thirty_days_after_its_end_and_for_five_years(today: date, latest: str) -> None:
    codes = [year.code for year in figure_views.reportable_years(today, date(2001, 1, 1))]
    assert (codes[0], len(codes)) == (latest, 5)
    # None is offered before anything was counted.
    assert [year.code for year in figure_views.reportable_years(today, date(2026, 3, 1))][-1] == "2025-26"
    assert figure_views.reportable_years(today, None) == []


def test_the_province_has_no_report_of_its_own_rows(world: World, sign_in: SignIn) -> None:
    assert sign_in(world["coordinator"]).get(f"/province/figures/report/{YEAR.code}.pdf").status_code == 404


# The province's


def large(world: World) -> Release:
    """A release with everything that one may hold: forty sites, every measure, twelve reasons' worth of rows."""
    made = published.release(world)
    at = [people.site(f"far-{n}", name=f"Division of Family Practice number {n:02}") for n in range(40)]
    first, last = date(2026, 1, 1), date(2026, 3, 1)
    with site_scope(world.province.pk):
        rows = [
            ReleaseCell(release=made, table="P4", category=f"S{site.pk}", first=APRIL, last=last, number=44)
            for site in at
        ]
        have = set(ReleaseCell.objects.filter(release=made, table="P5").values_list("category", flat=True))
        rows += [
            ReleaseCell(release=made, table="P5", category=name, first=first, last=last, number=77)
            for name in PROCESS_LABELS
            if name not in have
        ]
        rows += [
            ReleaseCell(release=made, table="P2", category=reason, first=first, last=last, number=55)
            for reason in ("EVENT", "COMPLAINT", "CONFLICT", "LIFE", "CHANGE", "DISCRIM")
        ]
        ReleaseCell.objects.bulk_create(rows)
    return made


@pytest.mark.parametrize("make", [published.release, large])
def test_a_release_is_reported_on_two_pages_with_its_numbers(
    world: World, sign_in: SignIn, make: Callable[[World], Release]
) -> None:
    make(world)
    for who in ("coordinator", "advisor"):
        body = sign_in(world[who]).get("/province/figures/2026-q1/report.pdf").content
        words = printed.words(body)
        assert len(printed.pages(body, 20)) == 2, who
        for said in ("January to March 2026", "84 requests", "95 %", "Burnout or moral injury", "North Division"):
            assert said in words, said
        assert "Other (grouped): An adverse clinical event; Something else" in words
        assert crawl.small(words) == []


def test_the_annual_evaluation_has_the_year_and_the_methods(world: World, sign_in: SignIn) -> None:
    reader = sign_in(world["advisor"])
    assert "Annual evaluation" not in reader.get("/province/figures/").text
    assert reader.get("/province/figures/evaluation/2025-26.pdf").status_code == 404
    published.release(world)
    assert "/province/figures/evaluation/2025-26.pdf" in reader.get("/province/figures/").text
    words = printed.words(reader.get("/province/figures/evaluation/2025-26.pdf").content)
    for said in ("Annual evaluation", "April 2025 to March 2026", "The attack", "What this does not do", "The check"):
        assert said in words, said
    assert crawl.small(words) == []


def test_an_evaluation_adds_up_what_was_told_of_the_year_and_nothing_of_another(world: World) -> None:
    with site_scope(world.province.pk):
        for quarter, number in ((date(2025, 1, 1), 90), (date(2025, 10, 1), 20), (date(2026, 1, 1), 30)):
            made = Release.objects.create(
                quarter=quarter, state=Release.State.PUBLISHED, key=uuid4(), asked_at=now(), published_at=now()
            )
            last = periods.last_month(quarter)
            ReleaseCell.objects.create(release=made, table="P1", first=quarter, last=last, number=number)
            ReleaseCell.objects.create(
                release=made, table="P3", category="REACH_IN", first=quarter, last=last, number=number
            )
        report = reports.annual_evaluation(APRIL)
        assert release_tables.evaluated_years() == [APRIL, date(2024, 4, 1)]
    assert report.figures == [("50", "requests")]
    assert [chart.rows for chart, _note in report.pictures] == [
        (("October to December 2025", 20), ("January to March 2026", 30))
    ]
    assert [row for listing in report.listings for row in listing.rows if row[1]] == [
        ("October to December 2025", "20"), ("January to March 2026", "30"), ("Reach-in", "20"), ("Reach-in", "30"),
    ]  # fmt: skip


@pytest.mark.parametrize("state", [state for state in Release.State if state != Release.State.PUBLISHED])
def test_what_is_not_published_has_no_report(world: World, sign_in: SignIn, state: str) -> None:
    published.release(world, state=state)
    reader = sign_in(world["coordinator"])
    assert reader.get("/province/figures/2026-q1/report.pdf").status_code == 404
    assert reader.get("/province/figures/evaluation/2025-26.pdf").status_code == 404
