"""Sessions: places and the waiting list, reminders, attendance that makes one trained, calendars, files."""

import io
import re
import time
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.utils.timezone import localdate

from psi import tenancy
from psi.tenancy import site_scope
from sites.engine import agenda
from sites.engine.audit import SYSTEM
from sites.engine.models import AuditEntry, Due, Notice
from sites.people import transitions as people
from sites.tenants.models import Membership, Role, Site
from tests import line
from tests.markup import flat
from tests.people import World, supporter
from tests.refusals import refused
from training.attendance import transitions as attendance_transitions
from training.sessions import transitions as sessions
from training.sessions.models import Enrolment, Session
from training.supporters import lending
from training.supporters.models import PeerSupporter

SignIn = Callable[[Any], Client]
DAY = timedelta(days=1)


def plan(site: Site, kind: str = "FOUNDATIONS", *, days: float = 30, **facts: Any) -> Session:
    """Plan a session of a site, `days` from now, or in the past."""
    values = {
        "minutes": 150,
        "place": "Online",
        "link": "https://example.org/secret-room",
        "capacity": 2,
        "approval": "CPD-7",
    }
    starts = tenancy.now() + days * DAY
    with site_scope(site.pk, now=min(tenancy.now(), starts - DAY)):
        return sessions.schedule(by=SYSTEM, kind=kind, **{"starts_at": starts} | values | facts)


def come(session: Session, at: Site, one: PeerSupporter, home: Site) -> str:
    """Enrol a supporter of `home`, a moment after the session was planned."""
    with site_scope(home.pk, now=session.changed_at):
        return sessions.enrol(
            session.pk,
            at=at,
            user_id=one.user_id,
            home=home,
            name="Dr Who Comes",
            roles={"supporter"},
            by=line.acting(one.user, "supporter"),
        )


def seat(site: Site, one: PeerSupporter) -> Enrolment:
    """Return a place in a session of the own site."""
    session = plan(site)
    come(session, site, one, site)
    with site_scope(site.pk):
        return Enrolment.objects.get(session=session)


def states(at: Site, session: Session) -> dict[int, str]:
    with site_scope(at.pk):
        return dict(Enrolment.objects.filter(session=session).values_list("user_id", "state"))


def mails(at: Site, *kinds: str) -> list[tuple[str, int]]:
    with site_scope(at.pk):
        rows = Notice.objects.filter(kind__in=kinds).order_by("pk")
        return list(rows.values_list("kind", "recipient_id"))


def attend(at: Site, session: Session, **minutes: int) -> None:
    """Note minutes, by the address of each person up to the first dot."""
    with site_scope(at.pk):
        seats = Enrolment.objects.filter(session=session).select_related("user")
        rows = {row.user.email.split(".")[0]: row.pk for row in seats}
        attendance_transitions.note_attendance(session.pk, {rows[who]: n for who, n in minutes.items()}, by=SYSTEM)


def test_who_comes_late_waits_and_gets_the_place_that_becomes_free(world: World) -> None:
    session, home = plan(world.province), world.north
    one, two, three = (supporter(home, f"Dr Number {n}") for n in ("One", "Two", "Three"))
    assert [come(session, world.province, each, home) for each in (one, two, three, three)] == [
        "ENROLLED",
        "ENROLLED",
        "WAITING",
        "WAITING",
    ]
    for _ in range(2):
        with site_scope(home.pk):
            by = line.acting(one.user, "supporter")
            sessions.step_back(session.pk, at=world.province, user_id=one.user_id, by=by)
    assert states(world.province, session) == {
        one.user_id: "CANCELLED",
        two.user_id: "ENROLLED",
        three.user_id: "ENROLLED",
    }
    assert mails(world.province, "SEAT_IN") == [("SEAT_IN", two.user_id), ("SEAT_IN", three.user_id)]


def test_a_dozen_at_once_take_no_more_places_than_there_are(committed_world: World) -> None:
    world = committed_world
    session = plan(world.province, capacity=3)
    peers = [supporter(world.north, f"Dr Race {n:02}") for n in range(12)]
    answers = line.together(*[lambda one=one: come(session, world.province, one, world.north) for one in peers])
    assert sorted(answers) == ["ENROLLED"] * 3 + ["WAITING"] * 9


def test_whose_role_ends_gives_their_places_back(world: World) -> None:
    there, here = plan(world.province, capacity=1), plan(world.north, "REFRESHER")
    sam, next_one = world.supporters["north"], supporter(world.north, "Dr Next North")
    for session, at in ((there, world.province), (here, world.north)):
        come(session, at, sam, world.north)
    come(there, world.province, next_one, world.north)
    with site_scope(world.north.pk):
        people.end_role(Membership.objects.get(user=sam.user, site=world.north), by=SYSTEM)
    assert states(world.north, here) == {sam.user_id: "CANCELLED"}
    assert states(world.province, there) == {sam.user_id: "CANCELLED", next_one.user_id: "ENROLLED"}


def test_the_link_is_for_those_enrolled_alone(world: World, sign_in: SignIn) -> None:
    session, client = plan(world.province), sign_in(world["north supporter"])
    page = client.get("/north/my/training/").content.decode()
    assert ("Foundations" in page, "Provincial peer support" in page, "secret-room" in page) == (True, True, False)
    assert client.get(f"/north/training/at/province/{session.pk}.ics").status_code == 404
    client.post("/north/my/training/", {"do": "enrol", "at": "province", "session": session.pk})
    assert "secret-room" in client.get("/north/my/training/").content.decode()
    (event,) = events(client.get(f"/north/training/at/province/{session.pk}.ics").content.decode())
    assert "secret-room" in event["DESCRIPTION"]
    here = re.findall(r'<a href="([^"]+)" aria-current="page">', client.get("/north/my/training/").content.decode())
    assert here == ["/north/my/training/"]
    client.post("/north/my/training/", {"do": "step_back", "at": "province", "session": session.pk})
    assert "secret-room" not in client.get("/north/my/training/").content.decode()


def test_a_session_of_another_site_is_not_to_be_seen_nor_taken(world: World, sign_in: SignIn) -> None:
    session, client = plan(world.south, place="Room Canary"), sign_in(world["north supporter"])
    assert "Canary" not in client.get("/north/my/training/").content.decode()
    answer = client.post("/north/my/training/", {"do": "enrol", "at": "south", "session": session.pk})
    assert (answer.status_code, states(world.south, session)) == (404, {})


def test_site_teams_come_to_the_community_of_practice_and_supporters_do_not(world: World, sign_in: SignIn) -> None:
    session = plan(world.province, "COMMUNITY")
    said = {"do": "enrol", "at": "province", "session": session.pk}
    peer, lead = sign_in(world["north supporter"]), sign_in(world["north lead"])
    assert "Community of practice" not in peer.get("/north/my/training/").content.decode()
    peer.post("/north/my/training/", said)
    assert states(world.province, session) == {}
    assert "Community of practice" in lead.get("/north/training/").content.decode()
    lead.post("/north/training/", said)
    assert states(world.province, session) == {world["north lead"].pk: "ENROLLED"}


def test_reminders_a_week_and_a_day_ahead(world: World) -> None:
    session, sam = plan(world.north), world.supporters["north"]
    come(session, world.north, sam, world.north)
    for day in range(32):
        agenda.sweep(now=tenancy.now() + day * DAY)
    assert [kind for kind, _ in mails(world.north, "SEAT_7", "SEAT_1")] == ["SEAT_7", "SEAT_1"]
    assert not Due.objects.filter(kind="SESSION").exists()


def test_each_change_is_told_of_and_calendars_learn_it(world: World) -> None:
    session, sam = plan(world.north, days=20), world.supporters["north"]
    come(session, world.north, sam, world.north)
    facts = {name: getattr(session, name) for name in ("kind", "minutes", "place", "link", "capacity", "approval")}
    told = set()
    for number in (1, 2):
        with site_scope(world.north.pk):
            starts = session.starts_at + number * DAY
            assert sessions.change(session.pk, by=SYSTEM, starts_at=starts, **facts).sequence == number
            told.add(Notice.objects.get(kind="SEAT_MOVED").pk)
    assert len(told) == 2


def test_a_cancelled_session_is_told_and_stays_in_the_calendar_as_cancelled(world: World, sign_in: SignIn) -> None:
    session, sam = plan(world.north), world.supporters["north"]
    come(session, world.north, sam, world.north)
    sign_in(world["north administrator"]).post(f"/north/training/{session.pk}/", {"do": "cancel"})
    assert mails(world.north, "SEAT_OFF") == [("SEAT_OFF", sam.user_id)]
    text = sign_in(sam.user).get(f"/north/training/at/north/{session.pk}.ics").content.decode()
    assert "STATUS:CANCELLED" in text and "SEQUENCE:1" in text
    page = sign_in(sam.user).get("/north/my/training/").content.decode()
    assert ("cancelled" in page, "you have a place" in page, "secret-room" in page) == (True, False, False)


def test_the_link_stays_until_the_session_ends(world: World, sign_in: SignIn) -> None:
    client, running, over = sign_in(world["north supporter"]), plan(world.north, days=-0.05), plan(world.north, days=-1)
    for session in (running, over):
        come(session, world.north, world.supporters["north"], world.north)
    offers = client.get("/north/my/training/").context["offers"]
    assert [(line["session"], bool(line["link"]), line["open"]) for line in offers["coming"]] == [
        (running, True, False)
    ]
    assert [(line["session"], line["link"]) for line in offers["over"]] == [(over, "")]


def test_pressed_twice_a_session_is_planned_once(committed_world: World) -> None:
    site, starts = committed_world.north, tenancy.now() + DAY

    def press() -> int:
        with site_scope(site.pk):
            facts = {"minutes": 90, "place": "Online", "link": "", "capacity": 9, "approval": ""}
            return sessions.schedule(by=SYSTEM, kind="PRACTICE", starts_at=starts, **facts).pk

    assert len(set(line.together(*[press] * 4))) == 1


@pytest.mark.parametrize("nasty", ["a\x00b", "9" * 5000, "²", "-1", "9" * 19])
def test_nothing_that_a_form_can_send_breaks_a_page(world: World, sign_in: SignIn, nasty: str) -> None:
    session, sam = plan(world.north, days=-2), world.supporters["north"]
    come(session, world.north, sam, world.north)
    with site_scope(world.north.pk):
        place = Enrolment.objects.get(session=session)
    path, client = f"/north/training/{session.pk}/", sign_in(world["north administrator"])
    for said in ({"do": "remove", "material": nasty}, {"do": "attendance", f"minutes_{place.pk}": nasty}):
        assert client.post(path, said).status_code in (404, 422)
    assert client.post(path, {"do": "attendance", f"minutes_{nasty[:99]}": "5"}).status_code == 302
    own = sign_in(sam.user)
    for said in ({"at": nasty, "session": session.pk}, {"at": "north", "session": nasty}):
        assert own.post("/north/my/training/", {"do": "enrol"} | said).status_code == 404
    assert states(world.north, session) == {sam.user_id: "ENROLLED"}


# Attendance makes one trained


def test_both_attended_make_one_trained_at_home_and_wherever_they_are_lent(world: World) -> None:
    new = supporter(world.north, "Nova North", trained_on=None)
    with site_scope(world.north.pk):
        lending.lend(new.pk, to=world.province, by=line.acting(new.user, "supporter"))
    first, second = plan(world.province, days=-20), plan(world.north, "PRACTICE", days=-9, minutes=90)
    come(first, world.province, new, world.north)
    come(second, world.north, new, world.north)
    attend(world.province, first, nova=150)
    assert _trained(new) is None
    attend(world.north, second, nova=71)
    assert _trained(new) is None  # 72 minutes are four fifths of 90
    attend(world.north, second, nova=72)
    day = second.starts_at.astimezone(ZoneInfo("America/Vancouver")).date()
    assert _trained(new) == day
    with site_scope(world.province.pk):
        assert PeerSupporter.objects.get(user=new.user).trained_on == day
    attend(world.province, first, nova=0)
    assert _trained(new) is None
    with site_scope(world.north.pk):
        trail = AuditEntry.objects.filter(object_kind="SUPPORTER", object_id=new.pk, action__endswith="TRAINED")
        assert list(trail.order_by("number").values_list("action", flat=True)) == ["TRAINED", "UNTRAINED"]


def test_who_is_lent_and_enrols_on_the_other_rosters_page_is_trained_at_home(world: World, sign_in: SignIn) -> None:
    new = supporter(world.north, "Nova North", trained_on=None)
    with site_scope(world.north.pk):
        lending.lend(new.pk, to=world.province, by=line.acting(new.user, "supporter"))
    for kind in ("FOUNDATIONS", "PRACTICE"):
        session, pressed = plan(world.province, kind), sign_in(new.user)
        pressed.post("/province/my/training/", {"do": "enrol", "at": "province", "session": session.pk})
        with site_scope(world.province.pk):
            Session.objects.filter(pk=session.pk).update(starts_at=tenancy.now() - DAY)
        attend(world.province, session, nova=150)
    assert _trained(new) is not None


def test_who_stands_in_the_provinces_roster_in_their_own_right_is_trained_there_too(world: World) -> None:
    new = supporter(world.north, "Nova North", trained_on=None)
    there = supporter(world.province, "Nova Province", new.user, trained_on=None)
    for kind in ("FOUNDATIONS", "PRACTICE"):
        session = plan(world.north, kind, days=-3)
        come(session, world.north, new, world.north)
        attend(world.north, session, nova=150)
    assert _trained(new) == _trained(there) is not None


def test_both_noted_at_the_same_moment_in_two_sites_make_one_trained(committed_world: World) -> None:
    world, home = committed_world, committed_world.north
    new = supporter(home, "Nova North", trained_on=None)
    held = [(world.province, plan(world.province, days=-20)), (home, plan(home, "PRACTICE", days=-9))]
    for at, session in held:
        come(session, at, new, home)

    def note(at: Site, session: Session) -> None:
        with site_scope(at.pk):
            attendance_transitions.note_attendance(
                session.pk, {Enrolment.objects.get(session=session).pk: session.minutes}, by=SYSTEM
            )
            time.sleep(0.3)  # neither commits before the other has noted

    assert line.together(*[lambda each=each: note(*each) for each in held]) == [None, None]
    assert _trained(new) is not None


def test_an_earlier_day_on_the_roster_stays(world: World) -> None:
    sam = world.supporters["north"]
    first, second = plan(world.north, days=-20), plan(world.north, "PRACTICE", days=-9, minutes=90)
    for session in (first, second):
        come(session, world.north, sam, world.north)
    attend(world.north, first, drsam=150)
    attend(world.north, second, drsam=90)
    assert _trained(sam) == sam.trained_on
    attend(world.north, second, drsam=0)
    assert _trained(sam) == sam.trained_on == date(2025, 9, 25)


def _trained(one: PeerSupporter) -> date | None:
    with site_scope(one.site_id):
        return PeerSupporter.objects.get(pk=one.pk).trained_on


def test_attendance_is_prefilled_and_mistakes_keep_what_was_typed(world: World, sign_in: SignIn) -> None:
    session, sam = plan(world.north, days=-2), world.supporters["north"]
    come(session, world.north, sam, world.north)
    client = sign_in(world["north administrator"])
    assert "Foundations: who was there?" in client.get("/north/today/").content.decode()
    path = f"/north/training/{session.pk}/"
    name = re.findall(r'name="(minutes_\d+)" value="150"', flat(client.get(path).content.decode()))[0]
    for typed, sentence in (("two", "Enter whole minutes"), ("999", "much longer"), ("-5", "much longer")):
        answer = client.post(path, {"do": "attendance", name: typed})
        text = answer.content.decode()
        assert (answer.status_code, sentence in text, f'value="{typed}"' in text) == (422, True, True)
    for _ in range(2):
        client.post(path, {"do": "attendance", name: "140"})
    with site_scope(world.north.pk):
        assert AuditEntry.objects.filter(action="ATTENDED").count() == 1
    assert states(world.north, session) == {sam.user_id: "ATTENDED"}
    assert "who was there" not in client.get("/north/today/").content.decode()
    assert "attended, 140 minutes" in sign_in(sam.user).get("/north/my/training/").content.decode()


def test_attendance_is_asked_for_where_it_matters(world: World, sign_in: SignIn) -> None:
    """Nobody has to note a debrief group, and a session to which nobody came was none."""
    debrief, empty = plan(world.north, "DEBRIEF", days=-2), plan(world.north, "REFRESHER", days=-2)
    come(debrief, world.north, world.supporters["north"], world.north)
    client = sign_in(world["north administrator"])
    assert "who was there" not in client.get("/north/today/").content.decode()
    page = client.get("/north/training/")
    assert (list(page.context["planned"]), list(page.context["past"])) == ([empty], [debrief])
    assert "attendance to be noted" not in page.content.decode()
    assert "It did not take place" in client.get(f"/north/training/{empty.pk}/").content.decode()
    client.post(f"/north/training/{empty.pk}/", {"do": "cancel"})
    assert list(client.get("/north/training/").context["planned"]) == []


def test_nothing_is_noted_before_it_starts(world: World) -> None:
    session, sam = plan(world.north), world.supporters["north"]
    come(session, world.north, sam, world.north)
    with refused("NOT_STARTED"):
        attend(world.north, session, drsam=150)


# Planning


def _sunday(day: date) -> date:
    """Return the first Sunday from this day on."""
    return day + (6 - day.weekday()) * DAY


def test_planning_is_in_the_time_of_the_site_across_a_change_of_clocks(world: World, sign_in: SignIn) -> None:
    Site.objects.filter(pk=world.north.pk).update(time_zone="America/Toronto")
    client = sign_in(world["north administrator"])
    said = {"kind": "FOUNDATIONS", "minutes": 150, "place": "Online", "capacity": 20}
    year = localdate().year + 2
    forward, back = _sunday(date(year, 3, 8)), _sunday(date(year, 11, 1))
    for day, hour in ((forward - DAY, 23), (forward, 22), (back - DAY, 22), (back + DAY, 23)):
        client.post("/north/training/new/", said | {"day": f"{day}", "time": "18:00"})
        with site_scope(world.north.pk):
            session = Session.objects.order_by("-pk")[0]
        assert session.starts_at.astimezone(UTC).hour == hour
    answer = client.post("/north/training/new/", said | {"day": "2020-01-01", "time": "18:00"})
    assert (answer.status_code, "still to come" in answer.content.decode()) == (422, True)
    for on, at, told in ((f"{forward}", "02:30", "clocks change"), ("9999-12-31", "18:00", "next ten years")):
        answer = client.post("/north/training/new/", said | {"day": on, "time": at})
        assert (answer.status_code, told in answer.content.decode()) == (422, True)
    answer = client.post("/north/training/new/", said | {"day": f"{forward}", "time": "6 pm", "capacity": 0})
    text = answer.content.decode()
    assert "Enter a time such as 18:30." in text and "Enter a whole number, 1 to 500." in text and "6 pm" in text


def test_there_cannot_be_fewer_places_than_people(world: World, sign_in: SignIn) -> None:
    session = plan(world.north)
    for name in ("Dr Eins", "Dr Zwei"):
        come(session, world.north, supporter(world.north, name), world.north)
    day = f"{localdate(session.starts_at)}"
    said = {"kind": "FOUNDATIONS", "minutes": 150, "place": "Online", "day": day, "time": "18:00"}
    answer = sign_in(world["north administrator"]).post(f"/north/training/{session.pk}/change/", said | {"capacity": 1})
    assert (answer.status_code, "2 people are enrolled already" in answer.content.decode()) == (422, True)


# The calendar, read back without the library that wrote it


def events(text: str) -> list[dict[str, str]]:
    """Read a calendar by hand: unfold the lines (RFC 5545, 3.1), then name and value of each property."""
    found: list[dict[str, str]] = []
    for each in re.sub("\r\n[ \t]", "", text).split("\r\n"):
        if each == "BEGIN:VEVENT":
            found.append({})
        elif found and ":" in each:
            name, _, value = each.partition(":")
            found[-1].setdefault(name.split(";")[0], value)
    return found


def test_the_feed_is_read_by_another_reader_and_its_address_can_be_renewed(world: World, sign_in: SignIn) -> None:
    sam = world.supporters["north"]
    there, here = plan(world.province, days=40), plan(world.north, "REFRESHER", days=50, minutes=60)
    come(there, world.province, sam, world.north)
    come(here, world.north, sam, world.north)
    client = sign_in(sam.user)
    address = re.findall(r"/calendar/\S+?\.ics", client.get("/north/my/training/").content.decode())[0]
    text = Client().get(address).content.decode()
    read = events(text)
    times = {event["SUMMARY"]: (event["DTSTART"], event["DTEND"]) for event in read}
    assert set(times) == {"Training: Refresher", "Training: Foundations"}
    for session, summary in ((there, "Training: Foundations"), (here, "Training: Refresher")):
        start, end = (datetime.strptime(t, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) for t in times[summary])
        assert (start, end) == (session.starts_at.replace(microsecond=0), session.ends_at.replace(microsecond=0))
    assert len({event["UID"] for event in read}) == 2
    assert "Sam" not in text and "North" not in text
    client.post("/north/my/training/", {"do": "renew"})
    assert Client().get(address).status_code == 404
    assert Client().get("/calendar/AAAA.ics").status_code == 404
    again = re.findall(r"/calendar/\S+?\.ics", client.get("/north/my/training/").content.decode())[0]
    assert len(events(Client().get(again).content.decode())) == 2
    Membership.objects.filter(user=sam.user).update(ended_at=tenancy.now())
    assert Client().get(again).status_code == 404


# Files


def _zip(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for name in names:
            packed.writestr(name, "x")
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"%PDF-1.7 something", "PDF"),
        (_zip("ppt/presentation.xml"), "PPTX"),
        (_zip("word/document.xml"), "DOCX"),
        (_zip("word/document.xml", "word/vbaProject.bin"), None),
        (_zip("evil.exe"), None),
        (b"<html><script>alert(1)</script>", None),
        (b"PK\x03\x04 broken", None),
    ],
)
def test_files_are_known_by_what_is_in_them(world: World, sign_in: SignIn, content: bytes, kind: str | None) -> None:
    session, sam = plan(world.north), world.supporters["north"]
    come(session, world.north, sam, world.north)
    client, path = sign_in(world["north administrator"]), f"/north/training/{session.pk}/"
    file = SimpleUploadedFile("slides.pdf", content)
    answer = client.post(path, {"do": "material", "name": "Slides", "file": file})
    assert answer.status_code == (302 if kind else 422)
    if not kind:
        assert "without macros" in answer.content.decode()
        return
    own = sign_in(sam.user)
    link = re.findall(r"/north/training/at/north/files/\d+/", own.get("/north/my/training/").content.decode())[0]
    got = own.get(link)
    assert (got.content, got["Content-Disposition"].startswith("attachment")) == (content, True)
    other = supporter(world.north, "Dr Not Enrolled")
    assert sign_in(other.user).get(link).status_code == 404
    client.post(path, {"do": "remove", "material": link.split("/")[-2]})
    assert own.get(link).status_code == 404


# Nothing here leads to a request

# Tables of training, attendance and what follows from it: a new one is one word more.
OURS = {"training_session", "training_enrolment", "training_material", "training_calendarfeed", "training_agreement"}
OURS |= {f"training_{name}" for name in ("claim", "claimevent", "batch", "certificate", "certificateline")}
OURS |= {"training_certificatecode"}


def test_no_reference_leads_from_training_to_a_request_or_a_match_or_back(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint WHERE contype = 'f'"
        )
        references = set(cursor.fetchall())
        cursor.execute(
            "SELECT DISTINCT table_name FROM information_schema.columns WHERE column_name ~ '(referral|match|tracker)'"
        )
        named = {name for (name,) in cursor.fetchall()}
    assert ("matching_match", "referrals_referral") in references
    reached, seen = set(OURS), set()
    while reached - seen:
        seen |= reached
        reached |= {goal for source, goal in references if source in seen}
    assert {name for name in reached if name.startswith(("referrals_", "matching_", "tracker_"))} == set()
    assert {source for source, goal in references if goal in OURS} <= OURS
    assert named & OURS == set()


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.LEAD])
def test_a_mail_about_a_session_leads_each_to_their_own_page(world: World, sign_in: SignIn, role: Role) -> None:
    client = sign_in(world[f"north {role.value}"])
    assert client.get("/my-training/")["Location"] == "/north/training/"
    assert sign_in(world["north supporter"]).get("/my-training/")["Location"] == "/north/my/training/"
    assert sign_in(world["stranger"]).get("/my-training/").status_code == 404
