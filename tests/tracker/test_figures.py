"""A site's own figures: counted from its rollups alone, by periods, as page, table, CSV and pictures."""

import io
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.utils.timezone import localdate
from hypothesis import given
from hypothesis import strategies as some

from matching.invitations import transitions
from psi import tenancy
from psi.tenancy import site_scope
from referrals.promotion import access_points
from sites.engine import agenda, facts
from sites.engine.models import AuditEntry, Fact
from sites.tenants.models import Site
from tests import line, rows
from tests.markup import flat
from tests.people import World
from tracker.figures import panels, reporting_periods
from tracker.figures.medians import median
from training.attendance import transitions as sessions
from training.supporters import trained_facts

days = some.dates(date(2001, 1, 1), date(2080, 12, 31))


@given(days, days)
def test_every_period_offered_can_be_read_and_has_a_month_to_show(first: date, today: date) -> None:
    if first > today:
        first, today = today, first
    first = max(first, today - timedelta(days=900))
    for _heading, group in reporting_periods.period_choices(first, today):
        assert group
        for period in group:
            assert reporting_periods.parse(period.code, today) == period
            months = period.months(today)
            assert months[0] == period.first <= months[-1] <= min(today, period.last)
            assert len(period.months(date(9999, 1, 1))) in (3, 12)
    assert any(period.first <= first <= period.last + timedelta(days=31) for period in group)


def test_a_fiscal_year_begins_in_april() -> None:
    year = reporting_periods.parse("", date(2027, 3, 31))
    assert (year.code, year.first, year.last, str(year)) == (
        *("2026-27", date(2026, 4, 1), date(2027, 3, 1), "April 2026 – March 2027"),
    )
    assert reporting_periods.parse("", date(2027, 4, 1)).code == "2027-28"
    assert str(reporting_periods.parse("2027-Q1", date(2027, 4, 1))) == "January – March 2027"


@pytest.mark.parametrize(
    ("text", "words"),
    [("2026-99", "ends a year after"), ("soon", "not a period"), ("2026-Q5", "not a period"), ("2031", "not begun"),
     ("0001", "not a period"), ("２０２６", "not a period")],
)  # fmt: skip
def test_a_wrong_period_is_answered_with_a_sentence(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        reporting_periods.parse(text, date(2026, 11, 24))


def test_bands_are_alike_but_for_the_open_last_one() -> None:
    names = [
        [band for band, _n in panels.by_band(starts, Counter())]
        for starts in (panels.TO_CONTACT_BANDS, panels.TO_MATCH_BANDS)
    ]
    assert names == [
        ["0–11", "12–23", "24–35", "36–47", "48–59", "60–71", "72–83", "84–95", "96+"],
        ["0–23", "24–47", "48–71", "72–95", "96–119", "120–143", "144–167", "168+"],
    ]


@given(some.lists(some.integers(0, 999), max_size=40))
def test_bands_and_the_median_are_those_of_the_hours(hours: list[int]) -> None:
    counted = Counter(hours)
    assert sum(n for _band, n in panels.by_band(panels.TO_CONTACT_BANDS, counted)) == len(hours)
    if hours:
        assert median(counted) == sorted(hours)[(len(hours) - 1) // 2]


def happen(site: Site, month: date, *counted: tuple[str, str]) -> None:
    with site_scope(site.pk, now=datetime(month.year, month.month, 15, 20, tzinfo=UTC)):
        facts.count(*counted)


def test_hours_are_whole_and_have_an_end(world: World) -> None:
    start = tenancy.now() - timedelta(days=90)
    match = line.confirmed(world, now=start)
    with site_scope(match.site_id, now=start + timedelta(hours=29, minutes=59)):
        transitions.record_contact(match.pk, by=line.helper(world))
    with site_scope(match.site_id):
        hours = Fact.objects.filter(measure__startswith="TO_").values_list("measure", "category").order_by("measure")
        assert list(hours) == [("TO_CONTACT", "29"), ("TO_MATCH", "0")]
    assert facts.hours(timedelta(days=400)) == "999"


def test_page_and_files_say_what_was_counted_in_the_period(world: World, sign_in: Any) -> None:
    happen(world.north, date(2026, 2, 1), *[("REQUEST", "ALL")] * 17)
    happen(world.north, date(2026, 5, 1), *[("REQUEST", "ALL")] * 23, ("TO_CONTACT", "5"), ("TO_CONTACT", "80"))
    happen(world.south, date(2026, 5, 1), *[("REQUEST", "ALL")] * 91)
    agenda.sweep()
    lead = sign_in(world["north lead"])
    told = {}
    for code in ("2025-26", "2026-27", "2026", "2026-Q2"):
        page = lead.get(f"/north/figures/?period={code}")
        assert page.status_code == 200
        told[code] = flat(page.text).partition('<b class="num">')[2].partition("<")[0]
        assert "91" not in page.text.partition('<div class="charts">')[2]
    assert told == {"2025-26": "17", "2026-27": "23", "2026": "40", "2026-Q2": "23"}
    wrong = lead.get("/north/figures/?period=2026-28")
    assert wrong.status_code == 400 and "ends a year after it began" in wrong.text
    got = {kind: lead.get(f"/north/figures/months.{kind}?period=2026-Q2") for kind in ("csv", "svg", "png")}
    assert got["csv"].content.decode() == (
        "\ufeffSite,Counted,Month,Requests\r\n"
        + "".join(
            f'North Division,"Requests, April – June 2026",{month} 2026,{n}\r\n'
            for month, n in (("Apr", 0), ("May", 23), ("Jun", 0))
        )
    )
    assert ">23</text>" in got["svg"].text and got["png"].content.startswith(b"\x89PNG")
    assert got["svg"]["Content-Disposition"] == 'attachment; filename="north-months-2026-q2.svg"'
    hours = lead.get("/north/figures/to-contact.csv?period=2026").content.decode()
    assert "0–11,1\r\n" in hours and "72–83,1\r\n" in hours
    for path in ("months.exe", "nothing.csv", "months.csv?period=soon"):
        assert lead.get(f"/north/figures/{path}").status_code == 404
    for who, path in (("coordinator", "/province/figures/months.csv"), ("coordinator", "/north/figures/months.csv")):
        assert sign_in(world[who]).get(path).status_code == 404


def test_a_file_asks_for_the_factor_and_is_noted(world: World, sign_in: Any) -> None:
    lead = sign_in(world["north lead"])
    assert lead.get("/north/figures/months.csv").status_code == 200
    TOTP.activate(world["north lead"], generate_totp_secret())
    session = lead.session
    session["account_authentication_methods"] = [{"method": "mfa", "at": 0, "type": "webauthn"}]
    session.save()
    for path in ("months.csv", "months.png", "report/2025-26.pdf"):
        assert "/accounts/confirm/" in lead.get(f"/north/figures/{path}").headers["Location"]
    assert lead.get("/north/figures/").status_code == 200
    with site_scope(world.north.pk):
        taken = AuditEntry.objects.filter(action="EXPORTED").values_list("object_kind", "actor")
        assert list(taken) == [("FIGURES", world["north lead"].pk)]


def test_answers_are_shown_from_ten_on_and_by_whole_fiscal_years(world: World, sign_in: Any) -> None:
    lead = sign_in(world["north lead"])
    happen(world.north, date(2026, 5, 1), *[("SURVEY", "ALL"), ("SV_SAFE", "YES")] * 9)
    agenda.sweep()
    path = "/north/figures/survey.{}?period=2026-Q2"
    assert "Felt safe: yes,hidden\r\n" in lead.get(path.format("csv")).content.decode()
    assert ">9<" not in lead.get(path.format("svg")).text
    happen(world.north, date(2026, 9, 1), ("SURVEY", "ALL"), ("SV_SAFE", "NO"))
    agenda.sweep()
    text = lead.get(path.format("csv")).content.decode()
    assert "Felt safe: yes,9\r\n" in text and "Felt safe: no,1\r\n" in text


def test_who_carries_how_much_is_told_without_names(world: World, sign_in: Any) -> None:
    rows.match(line.request(world.north), rows.supporter(world.north, "Dr Number One"), "CONFIRMED")
    this = localdate(tenancy.now()).year
    text = sign_in(world["north lead"]).get(f"/north/figures/load.csv?period={this}").content.decode()
    found = [each.rsplit(",", 2)[1:] for each in text.splitlines()]
    assert found == [["Matches", "Supporters"], ["0", "1"], ["1–3", "1"], ["4–7", "0"], ["8+", "0"]]


def test_a_name_that_a_spreadsheet_would_run_stays_a_name(world: World, sign_in: Any) -> None:
    with site_scope(world.north.pk):
        point = access_points.make("=1+1", by=line.administrator(world))
        access_points.count(point.code, "sent")
    assert "'=1+1,1" in sign_in(world["north lead"]).get("/north/figures/points.csv").content.decode()


def shown(site: Site, code: str, today: date) -> dict[str, panels.Panel]:
    """Return the panels of a site as they stand on a day."""
    with site_scope(site.pk, now=datetime(today.year, today.month, today.day, 20, tzinfo=UTC)):
        return {panel.name: panel for panel in panels.figures_of(reporting_periods.parse(code, today), today).panels}


def test_contacts_and_those_without_one_add_up_to_the_windows(world: World) -> None:
    in_time = [("CONTACT", "IN_TIME"), ("TO_CONTACT", "20")]
    late = [("WINDOW", "MISSED"), ("CONTACT", "LATE"), ("TO_CONTACT", "80")]
    happen(world.north, date(2026, 5, 1), *in_time * 3, *late, *[("WINDOW", "MISSED")] * 4)
    happen(world.north, date(2026, 8, 1), *in_time, *late[1:], ("WINDOW", "MISSED"))
    agenda.sweep()
    notes = {
        code: shown(world.north, code, date(2026, 11, 24))["to-contact"].note for code in ("2026-Q2", "2026-Q3", "2026")
    }
    half = "Half of them took 20 hours or less."
    assert notes == {
        "2026-Q2": f"{half} 4 more matches passed 72 hours, and nobody has made contact; no column counts them.",
        # A contact made late counts in its own month: more of them than windows missed, and nothing can be said.
        "2026-Q3": half,
        "2026": f"{half} 4 more matches passed 72 hours, and nobody has made contact; no column counts them.",
    }


@pytest.mark.parametrize(
    ("code", "today", "year"),
    [
        ("", date(2027, 2, 3), 2027),
        ("", date(2026, 11, 24), 2026),
        ("2026-Q4", date(2027, 2, 3), 2026),
        ("2025-26", date(2027, 2, 3), 2025),
        ("2026", date(2026, 1, 2), 2026),
    ],
)
def test_load_is_of_the_running_year_or_of_the_year_with_most_of_the_months(
    world: World, code: str, today: date, year: int
) -> None:
    load = shown(world.north, code, today)["load"]
    assert load.chart.unit == f"Active supporters, by matches they took in {year}"


def test_a_running_year_of_the_survey_says_so_far(world: World) -> None:
    units = [
        shown(world.north, code, date(2026, 11, 24))["survey"].chart.unit for code in ("2026-Q2", "2025-26", "2026-27")
    ]
    assert units == [
        "Answers, April 2026 – March 2027, so far",
        "Answers, April 2025 – March 2026",
        "Answers, April 2026 – March 2027, so far",
    ]


def trained(site: Site) -> list[int]:
    agenda.sweep()
    return [n or 0 for _month, n in shown(site, "2026-Q4", date(2026, 11, 24))["training"].chart.rows]


def test_who_was_trained_is_counted_once_in_the_month_of_the_day_and_at_home_alone(world: World) -> None:
    people = [rows.supporter(world.north, f"Dr {n}", trained_on=date(2026, 10, 30)) for n in range(3)]
    people.append(rows.supporter(world.north, "Dr Lent Here", trained_on=date(2026, 10, 3), home=world.south))

    def note() -> None:
        with site_scope(world.north.pk):
            for each in people:
                trained_facts.count_trained(each)

    note()
    note()
    assert trained(world.north) == [3, 0]
    people[0].trained_on, people[1].trained_on = date(2026, 11, 2), None
    note()
    assert trained(world.north) == [1, 1]


@pytest.mark.parametrize("day", ["0001-01-01", "1926-10-05", "2099-01-01"])
def test_a_slip_in_the_day_of_training_is_refused_with_a_sentence(world: World, sign_in: Any, day: str) -> None:
    sam, client = world.supporters["north"], sign_in(world["north administrator"])
    path = f"/north/supporters/{sam.user_id}/"
    said = {"state": "ACTIVE", "trained_on": day, "practice": "FAMILY", "stage": "MID", "gender": "UNSAID"}
    answer = client.post(path, said | {"cap_year": "7", "cap_live": "2"})
    assert answer.status_code == 422 and "too far back, or ahead" in answer.text
    file = f"name,email,trained_on\nDr New,new@example.ca,{day}\n"
    shown = client.post("/north/supporters/import/", {"file": io.BytesIO(file.encode())})
    assert "lies too far back, or ahead" in unescape(shown.text)


def test_who_was_trained_long_before_makes_no_years_to_choose_and_no_report(world: World, sign_in: Any) -> None:
    with site_scope(world.north.pk):
        trained_facts.count_trained(rows.supporter(world.north, "Dr Long Ago", trained_on=date(2004, 5, 1)))
    agenda.sweep()
    page = sign_in(world["north lead"]).get("/north/figures/").text
    assert "2005" not in page and "report/" not in page
    line.request(world.north)
    agenda.sweep()
    assert "2005" not in sign_in(world["north lead"]).get("/north/figures/").text


def test_the_day_of_training_is_counted_and_taken_back(world: World) -> None:
    sam = world.supporters["north"]
    with site_scope(world.north.pk):
        type(sam).objects.filter(pk=sam.pk).update(trained_on=None)
    seats = []
    for kind in ("FOUNDATIONS", "PRACTICE"):
        session = rows.session(world.north, "Room", kind)
        seats.append((session, rows.seat(session, sam.user, world.north)))
    later = tenancy.now() + timedelta(days=22)
    counts = []
    for minutes in (150, 0):
        for session, seat in seats:
            with site_scope(world.north.pk, now=later):
                sessions.note_attendance(session.pk, {seat.pk: minutes}, by=line.administrator(world))
        agenda.sweep(now=later + timedelta(days=1))
        with site_scope(world.north.pk, now=later):
            year = reporting_periods.fiscal_year(later.date())
            counts.append(panels.totals(year, year)[1]["TRAINED", "ALL"])
    assert counts == [1, 0]
