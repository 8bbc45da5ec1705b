"""Beside the conversations: debriefs without a case, reminders, informal contacts, the box for remarks, safety."""

import re
import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.db import connection

from matching.invitations import rematch
from matching.invitations import transitions as match_moves
from matching.matches.models import Match
from psi.tenancy import now, site_scope
from sites.engine import agenda, today
from sites.engine.models import AuditEntry, Due, Fact, Notice
from sites.engine.recording_months import this_month
from tests import line, rows
from tests.markup import flat
from tests.people import World
from tests.refusals import refused
from tests.test_walk import addresses
from tracker.conversations import informal_contacts, remarks, reminders, transitions
from tracker.conversations.choices import Minutes, Way
from tracker.conversations.models import DebriefRequest, HeldRemark, InformalContact, Interaction, Remark
from tracker.conversations.transitions import Conversation

TALK = Conversation(number=1, way=Way.PHONE, minutes=Minutes.UNDER_30, ease=4, strain=2, wants_debrief=True)
JANUARY = datetime(2027, 1, 20, 18, tzinfo=UTC)


def record(world: World, match: Match, now: datetime | None = None, **said: Any) -> Interaction:
    conversation = Conversation(**(TALK.__dict__ | said))
    with site_scope(match.site_id, now=now):
        return transitions.record(match.pk, conversation, key=uuid.uuid4(), by=line.helper(world))


def post(number: str, **more: str) -> dict[str, str]:
    said = {"number": number, "way": "VIDEO", "minutes": "LONGER", "ease": "5", "strain": "1", "safety_steps": "yes"}
    return {"key": str(uuid.uuid4())} | said | more


# The conversation


def test_what_is_recorded_late_goes_to_the_month_before_and_is_counted_now(world: World) -> None:
    match = line.contacted(world, now=JANUARY)
    february = JANUARY + timedelta(days=20)
    record(world, match, february, month=date(2027, 1, 1))
    for month in (date(2026, 12, 1), date(2027, 3, 1)):
        with refused("MONTH_CLOSED"):
            record(world, match, february, month=month, number=2)
    with site_scope(match.site_id):
        assert Interaction.objects.get().month == date(2027, 1, 1)
        assert Fact.objects.get(measure="TALK").month == date(2027, 2, 1)


def test_the_third_has_words_for_handing_on_and_a_fourth_asks_first(world: World, sign_in: Any) -> None:
    match, sam = line.contacted(world), sign_in(world["north supporter"])
    path = f"/north/my/{line.fresh(match).referral.ref}/conversation/"
    for number in ("1", "2", "3"):
        page = flat(sam.get(path).text)
        # The words stand in the page, and the style sheet shows them with the third and later ones.
        assert '<a href="tel:18006636729">1-800-663-6729</a>,</b>can be there for longer.' in page
        assert 'class="note hand-on"' in page
        assert f'value="{number}" checked' in re.sub(r" id=\"\w+\"| aria-\w+=\"\w+\"| required=\"\w*\"", "", page)
        assert sam.post(path, post(number)).status_code == 302
    asked = sam.post(path, post("4"))
    assert (asked.status_code, "Please tick that it was the fourth" in asked.text) == (422, True)
    assert asked.context["form"]["way"].value() == "VIDEO"
    for _ in range(2):
        assert sam.post(path, post("4", beyond="on")).status_code == 302
    with site_scope(match.site_id):
        said = list(Interaction.objects.order_by("pk").values_list("number", "safety_steps"))
    assert said == [(1, True), (2, True), (3, True), (4, True), (4, True)]


def test_a_conversation_is_recorded_once_whatever_the_browser_brings_back(world: World, sign_in: Any) -> None:
    match, sam = line.contacted(world), sign_in(world["north supporter"])
    path = f"/north/my/{line.fresh(match).referral.ref}/conversation/"
    first = post("1")
    assert [sam.post(path, first).status_code for _ in range(2)] == [302, 302]
    again = sam.post(path, post("1"))
    assert again.status_code == 422 and "This one is recorded already." in again.text
    assert "recorded: First" in sam.get(path).text
    # Who chose another number by hand is not asked for that one again.
    assert sam.post(path, post("3")).status_code == 302
    assert sam.get(path).context["form"].initial["number"] == "4"
    with refused("RECORDED_ALREADY"):
        record(world, match, number=3)
    with site_scope(match.site_id):
        assert Interaction.objects.count() == 2


# Safety steps


def test_every_page_of_a_supporter_leads_to_the_safety_steps(world: World, sign_in: Any) -> None:
    for who, leads in (("north supporter", True), ("north lead", False)):
        RecoveryCodes.activate(world[who])
        page = sign_in(world[who]).get("/accounts/factors/").text
        assert ('class="safety" href="/north/my/safety/"' in page) == leads
    match = line.fresh(line.contacted(world))
    sam, seen = sign_in(world["north supporter"]), set()
    for address in addresses():
        if address.route.startswith("<slug:site>/my/") and address.takes <= {"site", "ref"}:
            answer = sam.get(
                f"/north/my/{address.route.removeprefix('<slug:site>/my/')}".replace("<ref:ref>", match.referral.ref)
            )
            if answer.status_code == 200 and answer["Content-Type"].startswith("text/html"):
                assert 'href="/north/my/safety/"' in answer.text, address.route
                seen.add(address.name)
    assert seen >= {"my", "my_match", "conversation", "my_training", "commitment", "about_me", "informal", "remark"}
    page = sam.get("/north/my/safety/").text
    for words in ("may harm themselves", "unsafe practice", "call 9-1-1", "1-800-663-6729", "CMPA", "1-800-267-6522"):
        assert words in page
    assert 'class="safety"' not in sign_in(world["north administrator"]).get("/north/today/").text


# Debriefs


def test_a_debrief_reaches_the_province_without_the_case(world: World, sign_in: Any) -> None:
    match = line.contacted(world)
    for number in (1, 2):
        record(world, match, number=number)
    agenda.sweep()
    with site_scope(world.province.pk):
        row = DebriefRequest.objects.get()
        assert (row.origin, row.user, row.name) == (world.north, world["north supporter"], "Dr Sam North")
        assert {field.name for field in DebriefRequest._meta.fields} == {
            "id", "site", "origin", "user", "name", "asked_on"
        }  # fmt: skip
        assert Notice.objects.filter(kind="DEBRIEF", recipient=world["coordinator"]).count() == 1
        (item,) = [item for item in today.items("province") if "debrief" in item.title]
        assert item.title == "1 supporter would like a debrief"
    with connection.cursor() as cursor, site_scope(match.site_id):
        cursor.execute("SELECT column_name FROM information_schema.columns WHERE table_name = 'tracker_interaction'")
        assert not [name for (name,) in cursor.fetchall() if "debrief" in name]
    cora = sign_in(world["coordinator"])
    page = cora.get("/province/debriefs/")
    assert "Dr Sam North" in page.text and line.fresh(match).referral.ref not in page.text
    wrong = cora.post("/province/debriefs/", {"debrief": "x"}, follow=True).text
    assert "not on the list any more" in wrong and "Dr Sam North" in wrong
    for _ in range(2):
        assert cora.post("/province/debriefs/", {"debrief": row.pk}).status_code == 302
    with site_scope(world.province.pk):
        assert (DebriefRequest.objects.count(), today.items("province")) == (0, [])


@pytest.mark.xdist_group("races")
def test_a_debrief_shares_no_transaction_with_its_conversation(committed_world: World) -> None:
    match = line.contacted(committed_world)
    record(committed_world, match)
    agenda.sweep()
    found = set()
    for site, table in (
        (match.site_id, "tracker_interaction"),
        (committed_world.province.pk, "tracker_debriefrequest"),
    ):
        with site_scope(site), connection.cursor() as cursor:
            cursor.execute(f"SELECT xmin::text FROM {table}")
            found |= set(cursor.fetchall())
    assert len(found) == 2


# Reminders


def kinds(world: World) -> dict[str, int]:
    with site_scope(world.north.pk):
        found = list(Notice.objects.filter(kind__startswith="UNREC").values_list("kind", flat=True))
    return {kind: found.count(kind) for kind in found}


def look(world: World, match: Match, days: float) -> int:
    """Let the worker look, some days after contact; return how many are not recorded by then."""
    with site_scope(world.north.pk, now=JANUARY + timedelta(days=days)):
        for kind, handler, what in (
            (match_moves.UNRECORDED, reminders.handle_unrecorded, match.pk),
            (reminders.WEEKLY, reminders.handle_weekly, 0),
        ):
            due = Due.objects.filter(kind=kind, at__lte=JANUARY + timedelta(days=days))
            if due.delete()[0]:
                handler([what])
        return reminders.unrecorded().count()


def test_three_days_after_contact_the_supporter_is_reminded_and_then_weekly_the_administrator_gets_a_count(
    world: World, sign_in: Any
) -> None:
    match = line.contacted(world, now=JANUARY)
    assert (look(world, match, 2.9), kinds(world)) == (0, {})
    assert (look(world, match, 3), kinds(world)) == (1, {"UNRECORDED": 1})
    with site_scope(world.north.pk, now=JANUARY + timedelta(days=4)):
        reminders.handle_unrecorded([match.pk])
        titles = [item.title for item in today.items("north")]
        assert titles.count("1 conversation is not recorded yet") == 1
    assert (look(world, match, 9), kinds(world)) == (1, {"UNRECORDED": 1})
    assert (look(world, match, 10), kinds(world)) == (1, {"UNRECORDED": 1, "UNREC_WEEK": 1})
    with site_scope(world.north.pk, now=JANUARY + timedelta(days=10)):
        reminders.handle_weekly([0])
    assert kinds(world) == {"UNRECORDED": 1, "UNREC_WEEK": 1}
    record(world, match, JANUARY + timedelta(days=11))
    assert (look(world, match, 17), kinds(world)) == (0, {"UNRECORDED": 1, "UNREC_WEEK": 1})
    assert not Due.objects.filter(kind=reminders.WEEKLY).exists()


@pytest.mark.parametrize("how", ["recorded", "given back"])
def test_what_is_recorded_or_somebody_elses_is_not_asked_for(world: World, how: str) -> None:
    match = line.contacted(world, now=JANUARY)
    assert Due.objects.filter(kind=match_moves.UNRECORDED, object_id=match.pk).exists()
    if how == "recorded":
        record(world, match, JANUARY)
    else:
        with site_scope(match.site_id, now=JANUARY):
            rematch.hand_back(match.pk, by=line.helper(world))
    assert not Due.objects.filter(kind=match_moves.UNRECORDED).exists()


def test_what_was_finished_without_a_record_is_asked_for_all_the_same_and_not_for_ever(world: World) -> None:
    match = line.contacted(world, now=JANUARY)
    with site_scope(match.site_id, now=JANUARY + timedelta(days=1)):
        match_moves.finish(match.pk, by=line.helper(world))
    assert (look(world, match, 3), kinds(world)) == (1, {"UNRECORDED": 1})
    assert [look(world, match, days) for days in (10, 21, 23)] == [1, 1, 0]


def test_where_no_conversation_came_about_nobody_is_reminded_and_one_may_still_come(world: World) -> None:
    match = line.contacted(world, now=JANUARY)
    assert (look(world, match, 3), kinds(world)) == (1, {"UNRECORDED": 1})
    with site_scope(match.site_id, now=JANUARY + timedelta(days=4)):
        match_moves.record_no_conversation(match.pk, by=line.helper(world))
    assert (look(world, match, 10), kinds(world)) == (0, {"UNRECORDED": 1})
    record(world, match, JANUARY + timedelta(days=12))


def test_the_page_offers_to_say_that_none_came_about_until_one_has(world: World, sign_in: Any) -> None:
    match, sam = line.contacted(world), sign_in(world["north supporter"])
    place = f"/north/my/{line.fresh(match).referral.ref}/"
    button = f'action="{place}no-conversation/"'
    assert button in sam.get(f"{place}conversation/").text
    assert sam.get(f"{place}no-conversation/").headers["Location"] == place
    assert [sam.post(f"{place}no-conversation/").status_code for _ in range(2)] == [302, 302]
    with site_scope(match.site_id):
        assert Match.objects.get(pk=match.pk).untalked
    assert sam.post(f"{place}conversation/", post("1")).status_code == 302
    assert button not in sam.get(f"{place}conversation/").text


def test_before_the_contact_nobody_can_say_that_no_conversation_came_about(world: World) -> None:
    match = line.confirmed(world)
    with refused("NO_CONTACT"), site_scope(match.site_id):
        match_moves.record_no_conversation(match.pk, by=line.helper(world))


def test_nobody_says_so_of_somebody_elses_match(world: World, sign_in: Any) -> None:
    match, other = line.contacted(world), rows.supporter(world.north, "Dr Otto North")
    with pytest.raises(Match.DoesNotExist), site_scope(match.site_id):
        match_moves.record_no_conversation(match.pk, by=line.acting(other.user, "supporter"))
    path = f"/north/my/{line.fresh(match).referral.ref}/no-conversation/"
    assert sign_in(other.user).post(path).status_code == 404
    assert sign_in(world["north administrator"]).post(path).status_code == 403
    assert sign_in(world["south supporter"]).post(path).status_code == 404
    with site_scope(match.site_id):
        assert not Match.objects.get(pk=match.pk).untalked


def test_nothing_is_recorded_in_a_month_after_the_match_has_ended(world: World) -> None:
    match, ended = line.contacted(world, now=JANUARY), JANUARY + timedelta(days=1)
    with site_scope(match.site_id, now=ended):
        match_moves.finish(match.pk, by=line.helper(world))
    with refused("MONTH_CLOSED"):
        record(world, match, JANUARY + timedelta(days=30))
    record(world, match, JANUARY + timedelta(days=30), month=date(2027, 1, 1))


def test_a_match_that_ended_long_ago_has_no_month_left_and_its_page_offers_none(world: World, sign_in: Any) -> None:
    before = now() - timedelta(days=100)
    match, sam = line.contacted(world, now=before), sign_in(world["north supporter"])
    with site_scope(match.site_id, now=before):
        match_moves.finish(match.pk, by=line.helper(world))
    place = f"/north/my/{line.fresh(match).referral.ref}/"
    assert "Record the conversation" not in sam.get(place).text
    answer = sam.get(f"{place}conversation/", follow=True)
    assert answer.redirect_chain == [(place, 302)] and "too long ago" in answer.text
    assert sam.post(f"{place}conversation/", post("1")).status_code == 302
    with site_scope(match.site_id):
        assert not Interaction.objects.exists()


# Informal contacts


def test_an_informal_contact_is_counted_and_names_nobody(world: World, sign_in: Any) -> None:
    sam, key = sign_in(world["north supporter"]), str(uuid.uuid4())
    month = sam.get("/north/my/informal/").context["form"].months[0]
    said = {"key": key, "way": "IN_PERSON", "minutes": "UNDER_15", "month": month.isoformat()}
    assert sam.post("/north/my/informal/", said | {"month": "2020-01-01"}).status_code == 422
    with site_scope(world.north.pk):
        entries = AuditEntry.objects.count()
    for _ in range(2):
        assert sam.post("/north/my/informal/", said).status_code == 302
    with site_scope(world.north.pk):
        assert InformalContact.objects.get().way == "IN_PERSON"
        assert list(Fact.objects.values_list("measure", "category")) == [("INFORMAL", "ALL")]
        assert AuditEntry.objects.count() == entries
        with refused("MONTH_CLOSED"):
            informal_contacts.log(
                month=date(2020, 1, 1), way=Way.PHONE, minutes=Minutes.LONGER, key=uuid.uuid4(), by=line.helper(world)
            )


@pytest.mark.xdist_group("races")
def test_nobody_waits_for_each_other_who_logs_and_who_asks(committed_world: World) -> None:
    """Both move the mark on the month and the end of the audit chain; all take them in one order (psi.locks.CommitOrder)."""
    world = committed_world

    def log() -> None:
        for _ in range(25):
            with site_scope(world.north.pk):
                by, key = line.helper(world), uuid.uuid4()
                informal_contacts.log(month=this_month(), way=Way.PHONE, minutes=Minutes.LONGER, key=key, by=by)

    def ask() -> None:
        for _ in range(25):
            line.request(world.north)

    assert line.together(log, ask, ask) == [None] * 3


# Remarks


def test_remarks_come_five_at_a_time_without_a_person(world: World, sign_in: Any) -> None:
    sam, lea = sign_in(world["north supporter"]), sign_in(world["north lead"])
    page = sam.get("/north/my/remark/").text
    assert "Conversations are confidential. They are not legally privileged." in page
    assert page.index("legally privileged") < page.index("<textarea")
    assert sam.post("/north/my/remark/", {"text": "x" * 501}).status_code == 422
    for n in (0, 0, 1, 2, 3):
        sam.post("/north/my/remark/", {"text": f"Remark {n}"})
    agenda.sweep()
    assert "The box is empty" in lea.get("/north/remarks/").text
    sam.post("/north/my/remark/", {"text": "Remark 4"})
    agenda.sweep()
    page = lea.get("/north/remarks/").text
    assert all(f"Remark {n}" in page for n in range(5))
    with site_scope(world.north.pk):
        assert (HeldRemark.objects.count(), Remark.objects.count()) == (0, 5)
    for model in (HeldRemark, Remark):
        assert {field.name for field in model._meta.fields} == {"id", "site", "month", "text"}


def test_every_remark_can_be_read_page_by_page(world: World, sign_in: Any) -> None:
    with site_scope(world.north.pk):
        Remark.objects.bulk_create(Remark(month=date(2026, 1 + n % 6, 1), text=f"Remark {n:03}.") for n in range(101))
    lea, path, seen = sign_in(world["north lead"]), "/north/remarks/", set()
    for _ in range(3):
        page = lea.get(path).text
        seen |= set(re.findall(r"Remark \d{3}\.", page))
        found = re.search(r'href="(\?page=\d+)" rel="next"', page)
        path = f"/north/remarks/{found[1]}" if found else ""
    assert len(seen) == 101 and path == ""
    assert lea.get("/north/remarks/?page=x").status_code == lea.get("/north/remarks/?page=99").status_code == 200


def test_remarks_are_written_anew_in_another_order(world: World) -> None:
    """Neither in the order in which they came, nor in that of the keys under which they were held."""
    came, held, placed = [], [], []
    for turn in range(6):
        with site_scope(world.north.pk):
            came.append([f"{turn}{n}" for n in range(5)])
            for text in came[-1]:
                remarks.submit(text)
            held.append(list(HeldRemark.objects.order_by("pk").values_list("text", flat=True)))
            remarks.rewrite([0])
            with connection.cursor() as cursor:
                cursor.execute("SELECT text FROM tracker_remark WHERE text LIKE %s ORDER BY ctid", [f"{turn}%"])
                placed.append([text for (text,) in cursor.fetchall()])
    assert list(map(sorted, placed)) == came
    assert placed != came
    assert placed != held


def test_no_reference_leads_from_these_rows_to_a_request(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint WHERE contype = 'f'"
            " AND conrelid::regclass::text = ANY(%s)",
            [["tracker_debriefrequest", "tracker_informalcontact", "tracker_heldremark", "tracker_remark"]],
        )
        found = set(cursor.fetchall())
    assert {parent for _child, parent in found} == {"sites_site", "sites_user"}
    assert {child for child, parent in found if parent == "sites_user"} == {"tracker_debriefrequest"}
