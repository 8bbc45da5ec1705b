"""That a conversation happened: recorded once, by whose it is, in closed lists, and never what was said."""

import uuid
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import DataError, IntegrityError, connection, transaction

from matching.invitations import transitions as match_moves
from matching.matches.models import Match
from psi.tenancy import site_scope
from sites.engine.models import AuditEntry, Fact
from tests import line
from tests.people import World, supporter
from tests.refusals import refused
from tracker.conversations import transitions
from tracker.conversations.choices import Minutes, Resource, Way
from tracker.conversations.models import Interaction, ResourceOffered
from tracker.conversations.transitions import Conversation

TALK = Conversation(
    number=1,
    way=Way.PHONE,
    minutes=Minutes.UNDER_30,
    ease=4,
    strain=2,
    resources=(Resource.PHP, Resource.CMPA),
    wants_debrief=True,
)


def record(world: World, match: Match, key: uuid.UUID | None = None, now: datetime | None = None) -> Interaction:
    with site_scope(match.site_id, now=now):
        return transitions.record(match.pk, TALK, key=key or uuid.uuid4(), by=line.helper(world))


def test_a_conversation_is_recorded_with_its_facts_and_its_entry(world: World) -> None:
    match = line.contacted(world)
    with site_scope(match.site_id):
        before = AuditEntry.objects.count()
    record(world, match)
    with site_scope(match.site_id):
        one = Interaction.objects.get()
        assert (one.number, one.way, one.minutes, one.ease, one.strain) == (1, "PHONE", "UNDER_30", 4, 2)
        assert one.safety_steps is False
        assert set(ResourceOffered.objects.values_list("resource", flat=True)) == {"PHP", "CMPA"}
        assert set(Fact.objects.filter(measure__startswith="TALK").values_list("measure", "category")) == {
            ("TALK", "ALL"),
            ("TALK_WAY", "PHONE"),
            ("TALK_LENGTH", "UNDER_30"),
        }
        assert AuditEntry.objects.count() == before


def test_a_double_press_records_one(world: World) -> None:
    match, key = line.contacted(world), uuid.uuid4()
    assert record(world, match, key).pk == record(world, match, key).pk
    second = replace(TALK, number=2)
    with site_scope(match.site_id):
        transitions.record(match.pk, second, key=uuid.uuid4(), by=line.helper(world))
    with site_scope(match.site_id):
        assert Interaction.objects.count() == 2
        assert Fact.objects.filter(measure="TALK").count() == 2


@pytest.mark.xdist_group("races")
def test_a_press_by_ten_at_once_records_one(committed_world: World) -> None:
    match, key = line.contacted(committed_world), uuid.uuid4()
    answers = line.together(*[lambda: record(committed_world, match, key).pk] * 10)
    assert len(set(answers)) == 1, line.kinds(answers)
    with site_scope(match.site_id):
        assert Interaction.objects.count() == Fact.objects.filter(measure="TALK").count() == 1
        assert ResourceOffered.objects.count() == 2


@pytest.mark.parametrize("way", [line.invited, line.accepted, line.confirmed])
def test_nothing_is_recorded_before_the_contact(world: World, way: Any) -> None:
    with refused("NO_CONTACT"):
        record(world, way(world))


def test_a_finished_match_may_be_recorded_late(world: World) -> None:
    match = line.contacted(world)
    with site_scope(match.site_id):
        match_moves.finish(match.pk, by=line.helper(world))
    record(world, match)
    with site_scope(match.site_id):
        assert Interaction.objects.count() == 1


def test_a_conversation_that_was_had_is_recorded_though_the_match_was_taken_away(world: World, sign_in: Any) -> None:
    match = line.contacted(world)
    with site_scope(match.site_id):
        match_moves.reassign(match.pk, by=line.administrator(world))
    browser, place = sign_in(world["north supporter"]), f"/north/my/{line.fresh(match).referral.ref}/"
    assert f'href="{place}"' in browser.get("/north/my/").text
    assert f'href="{place}conversation/"' in browser.get(place).text
    assert browser.get(f"{place}conversation/").status_code == 200
    assert record(world, match).match_id == match.pk


def test_somebody_elses_match_does_not_exist(world: World) -> None:
    match = line.contacted(world)
    other = supporter(world.north, "Dr Otto North")
    with pytest.raises(Match.DoesNotExist), site_scope(match.site_id):
        transitions.record(match.pk, TALK, key=uuid.uuid4(), by=line.acting(other.user, "supporter"))
    with pytest.raises(Match.DoesNotExist), site_scope(world.south.pk):
        transitions.record(match.pk, TALK, key=uuid.uuid4(), by=line.helper(world))


def test_the_month_is_that_of_the_facts(world: World) -> None:
    """An evening at the end of a month in British Columbia is the next month in UTC."""
    match = line.contacted(world, now=datetime(2027, 1, 30, 12, tzinfo=UTC))
    record(world, match, now=datetime(2027, 2, 1, 3, tzinfo=UTC))
    with site_scope(match.site_id):
        assert Fact.objects.filter(measure="TALK").get().month == date(2027, 1, 1)
        assert Interaction.objects.get().month == date(2027, 1, 1)


@pytest.mark.parametrize(
    "values",
    [
        {"month": "2027-01-02"},
        {"number": 0},
        {"number": 5},
        {"ease": 0},
        {"strain": 6},
        {"way": "'SHOUTED'"},
        {"minutes": "'12 min, he cried'"},
    ],
)
def test_the_database_takes_closed_lists_only(world: World, values: dict[str, Any]) -> None:
    match = line.contacted(world)
    record(world, match)
    (column, value), *_ = values.items()
    literal = f"'{value}'" if column == "month" else value
    with site_scope(match.site_id):
        with pytest.raises((IntegrityError, DataError), match="check constraint|too long"), transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f"UPDATE tracker_interaction SET {column} = {literal}")
        assert Interaction.objects.get().number == 1


def test_there_is_nowhere_to_write(world: World) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_name IN"
            " ('tracker_interaction', 'tracker_resourceoffered') AND (data_type IN ('text', 'json', 'jsonb', 'bytea',"
            " 'ARRAY') OR character_maximum_length > 16 OR data_type LIKE 'timestamp%')"
        )
        assert cursor.fetchall() == []


def test_the_page_keeps_the_supporter_to_the_lists(world: World, sign_in: Any) -> None:
    match = line.contacted(world)
    path = f"/north/my/{line.fresh(match).referral.ref}/conversation/"
    client = sign_in(world["north supporter"])
    good = {"key": str(uuid.uuid4()), "number": "1", "way": "VIDEO", "minutes": "LONGER", "ease": "5", "strain": "1"}
    good["safety_steps"] = "no"
    assert client.post(path, good | {"way": "SHOUTED"}).status_code == 422
    assert client.post(path, {k: v for k, v in good.items() if k != "minutes"}).status_code == 422
    with site_scope(match.site_id):
        assert Interaction.objects.count() == 0
    for _ in range(2):
        assert client.post(path, good).status_code == 302
    with site_scope(match.site_id):
        assert Interaction.objects.get().way == "VIDEO"
    other = supporter(world.north, "Dr Otto North")
    assert sign_in(other.user).get(path).status_code == 404
    assert sign_in(world["north administrator"]).get(path).status_code == 403
