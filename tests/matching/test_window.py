"""72 hours from the confirmed match: each step exactly once, whatever the workers did meanwhile."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from matching.invitations import due, transitions
from matching.matches.contact_window import window_ends, window_of
from matching.matches.models import LIVE, Match, MatchEvent
from psi import tenancy
from psi.tenancy import site_scope
from referrals.requests.models import Referral
from sites.engine import agenda
from sites.engine.audit import broken_links
from sites.engine.models import AuditEntry, Due, Fact, Notice
from sites.engine.moves import Refused
from sites.reference.models import ProvinceSetting
from tests import line
from tests.people import World, supporter
from training.supporters.models import SupporterLoad

STEPS = [("NUDGE_1", 24), ("NUDGE_2", 48), ("WINDOW_48", 48), ("WINDOW_72", 72)]


def h(hours: float) -> timedelta:
    return timedelta(hours=hours)


@pytest.fixture
def match(world: World) -> Match:
    """A match confirmed a while ago, so that all its steps lie in the past of the database's clock."""
    return line.confirmed(world, now=tenancy.now() - h(200))


def said(match: Match) -> list[tuple[str, float]]:
    """Return (kind, hours after confirmation) of every notice of the window."""
    with site_scope(match.site_id):
        rows = Notice.objects.filter(object_id=match.pk, kind__in=[kind for kind, _ in STEPS]).order_by(
            "created_at", "kind"
        )
        return [(row.kind, (row.created_at - match.confirmed_at).total_seconds() / 3600) for row in rows]


def steps(match: Match) -> list[tuple[str, float]]:
    """Return (why, hours after confirmation) of the window's events."""
    with site_scope(match.site_id):
        rows = MatchEvent.objects.filter(match=match, why__in=["NUDGE", "MISSED"]).order_by("pk")
        return [(row.why, (row.at - match.confirmed_at).total_seconds() / 3600) for row in rows]


def play(match: Match, *hours: float) -> None:
    for hour in hours:
        agenda.sweep(now=match.confirmed_at + h(hour))


def test_a_worker_that_is_up_takes_each_step_at_its_hour(match: Match) -> None:
    play(match, *range(1, 80))
    assert said(match) == STEPS
    assert steps(match) == [("NUDGE", 24), ("NUDGE", 48), ("MISSED", 72)]
    assert line.fresh(match).window_step == 3
    assert not Due.objects.filter(kind=transitions.WINDOW).exists()


def test_each_step_is_told_to_the_right_person(match: Match, world: World) -> None:
    play(match, 73)
    supporter, administrator = world["north supporter"], world["north administrator"]
    with site_scope(match.site_id):
        told = dict(Notice.objects.filter(object_id=match.pk).values_list("kind", "recipient_id"))
    assert {kind: told[kind] for kind, _ in STEPS} == {
        "NUDGE_1": supporter.pk,
        "NUDGE_2": supporter.pk,
        "WINDOW_48": administrator.pk,
        "WINDOW_72": administrator.pk,
    }


def test_a_worker_that_slept_takes_all_of_them_at_once_and_once(match: Match) -> None:
    play(match, 73, 73, 74, 200)
    assert sorted(said(match)) == sorted((kind, 73.0) for kind, _ in STEPS)
    assert steps(match) == [("NUDGE", 73), ("NUDGE", 73), ("MISSED", 73)]


@pytest.mark.parametrize(("hour", "taken"), [(23.99, 0), (24, 1), (47.99, 1), (48, 2), (71.99, 2), (72, 3)])
def test_no_step_comes_early(match: Match, hour: float, taken: int) -> None:
    play(match, hour)
    assert line.fresh(match).window_step == taken


def test_the_next_step_is_due_at_its_own_time(match: Match) -> None:
    for hour, expected in ((24, 48), (50, 72)):
        play(match, hour)
        (due,) = Due.objects.filter(kind=transitions.WINDOW)
        assert due.at == match.confirmed_at + h(expected)


def test_a_handler_called_early_late_and_twice_changes_nothing(match: Match) -> None:
    for hour in (0, 1, 24, 24, 1, 48, 47, 72, 72, 24):
        with site_scope(match.site_id, now=match.confirmed_at + h(hour)):
            due.handle_windows([match.pk])
    assert said(match) == STEPS
    assert line.fresh(match).window_step == 3


@pytest.mark.parametrize("hour", [1, 30, 60, 100])
def test_nothing_is_said_after_the_contact(match: Match, world: World, hour: float) -> None:
    play(match, hour)
    before = said(match)
    with site_scope(match.site_id, now=match.confirmed_at + h(hour)):
        transitions.record_contact(match.pk, by=line.helper(world))
    assert not Due.objects.filter(kind=transitions.WINDOW).exists()
    play(match, 24, 48, 73, 100)
    with site_scope(match.site_id, now=match.confirmed_at + h(100)):
        due.handle_windows([match.pk])
    assert said(match) == before
    with site_scope(match.site_id):
        assert Fact.objects.filter(measure="CONTACT", category="IN_TIME" if hour <= 72 else "LATE").count() == 1


def test_a_window_missed_is_a_fact_once(match: Match) -> None:
    play(match, *range(70, 80))
    with site_scope(match.site_id):
        assert Fact.objects.filter(measure="WINDOW").values_list("category").get() == ("MISSED",)


@pytest.mark.parametrize(
    "confirmed_at",
    [
        datetime(2027, 3, 13, 20, tzinfo=UTC),  # clocks go forward in between
        datetime(2027, 11, 6, 20, tzinfo=UTC),  # and back
        datetime(2028, 2, 28, 20, tzinfo=UTC),  # leap day
    ],
    ids=["spring", "autumn", "leap"],
)
def test_72_hours_are_72_hours(world: World, confirmed_at: datetime) -> None:
    match = line.confirmed(world, now=confirmed_at)
    agenda.sweep(now=confirmed_at + h(72) - timedelta(seconds=1))
    assert line.fresh(match).window_step == 2
    agenda.sweep(now=confirmed_at + h(72))
    assert line.fresh(match).window_step == 3
    assert window_ends(match) == confirmed_at + h(72)
    with site_scope(match.site_id, now=confirmed_at + h(72)):
        assert window_of(line.fresh(match)).hours_used == 72  # type: ignore[union-attr]


def test_the_province_may_move_the_reminders_not_the_end(world: World) -> None:
    ProvinceSetting.objects.create(code="NUDGE_FIRST", value=12)
    ProvinceSetting.objects.create(code="NUDGE_SECOND", value=60)
    match = line.confirmed(world, now=tenancy.now() - h(200))
    play(match, *range(1, 80))
    assert steps(match) == [("NUDGE", 12), ("NUDGE", 60), ("MISSED", 72)]


@pytest.mark.expects_error_log
@pytest.mark.parametrize(
    ("code", "value", "said"),
    [
        ("NUDGE_FIRST", 100, "NUDGE_FIRST must be less than NUDGE_SECOND, and both between 0 and 72 hours"),
        ("NUDGE_SECOND", 72, "NUDGE_FIRST must be less than NUDGE_SECOND, and both between 0 and 72 hours"),
        ("INVITE_NUDGE", 48, "INVITE_NUDGE must be less than INVITE_ENDS, and both more than 0 hours"),
    ],
)
def test_hours_out_of_order_put_nothing_off(
    world: World, caplog: pytest.LogCaptureFixture, code: str, value: int, said: str
) -> None:
    ProvinceSetting.objects.create(code=code, value=value)
    match = line.confirmed(world, now=tenancy.now() - h(200))
    play(match, 24, 48, 72)
    assert steps(match) == [("NUDGE", 24), ("NUDGE", 48), ("MISSED", 72)]
    assert {r.getMessage() for r in caplog.records if r.levelname == "ERROR"} == {f"{said}; the defaults hold."}


def test_find_another_peer_opens_the_request_again(match: Match, world: World) -> None:
    play(match, 73)
    assert SupporterLoad.objects.get(user=world["north supporter"]).live == 1
    with site_scope(match.site_id, now=match.confirmed_at + h(74)):
        transitions.reassign(match.pk, by=line.administrator(world))
    after = line.fresh(match)
    assert (after.state, after.why, after.ended_at) == ("REASSIGNED", "MISSED", match.confirmed_at + h(74))
    load = SupporterLoad.objects.get(user=world["north supporter"])
    assert (load.live, load.total) == (0, 0)
    with site_scope(match.site_id):
        assert Referral.objects.get(pk=match.referral_id).state == "OPEN"
        released = Notice.objects.get(kind="HANDED_ON", object_id=match.pk)
        assert released.recipient == world["north supporter"]
        assert Fact.objects.filter(measure="REASSIGNED").count() == 1
    before = said(match)
    play(match, 100, 200)
    assert said(match) == before


def test_the_next_match_has_a_window_of_its_own(match: Match, world: World) -> None:
    other = supporter(world.north, "Dr Otto North")
    play(match, 73)
    at = match.confirmed_at + h(80)
    with site_scope(match.site_id, now=at):
        transitions.reassign(match.pk, by=line.administrator(world))
        second = transitions.invite(match.referral_id, other.pk, by=line.administrator(world))
        transitions.accept(second.pk, by=line.acting(other.user, "supporter"))
        second = transitions.confirm(second.pk, by=line.administrator(world))
    play(second, *range(1, 75))
    assert said(second) == STEPS


# The invitation


@pytest.fixture
def invitation(world: World) -> Match:
    return line.invited(world, now=tenancy.now() - h(200))


def told(match: Match) -> list[tuple[str, float]]:
    with site_scope(match.site_id):
        rows = Notice.objects.filter(kind__in=["REMIND", "UNMATCHED"]).order_by("created_at")
        return [(row.kind, (row.created_at - match.invited_at).total_seconds() / 3600) for row in rows]


def test_an_invitation_is_reminded_of_after_a_day_and_ends_after_two(invitation: Match) -> None:
    for hour in range(1, 60):
        agenda.sweep(now=invitation.invited_at + h(hour))
    assert told(invitation) == [("REMIND", 24), ("UNMATCHED", 48)]
    after = line.fresh(invitation)
    assert (after.state, after.why, after.nudged) == ("EXPIRED", "NO_ANSWER", True)
    assert not Due.objects.filter(kind=transitions.INVITATION).exists()


def test_a_reminder_is_not_lost_when_the_invitation_is_looked_at_early(invitation: Match) -> None:
    """As when the province moves the hour while an invitation is out."""
    with site_scope(invitation.site_id, now=invitation.invited_at + h(1)):
        due.handle_invitations([invitation.pk])
    for hour in range(2, 60):
        agenda.sweep(now=invitation.invited_at + h(hour))
    assert told(invitation) == [("REMIND", 24), ("UNMATCHED", 48)]


def test_an_answer_ends_the_reminders(invitation: Match, world: World) -> None:
    with site_scope(invitation.site_id, now=invitation.invited_at + h(2)):
        transitions.accept(invitation.pk, by=line.helper(world))
    for hour in (24, 48, 72):
        agenda.sweep(now=invitation.invited_at + h(hour))
    assert told(invitation) == []
    assert line.fresh(invitation).state == "ACCEPTED"


def test_an_invitation_that_ends_while_the_worker_slept_is_not_reminded_of(invitation: Match, mailoutbox: Any) -> None:
    agenda.sweep(now=invitation.invited_at + h(73))
    assert line.fresh(invitation).state == "EXPIRED"
    with site_scope(invitation.site_id):
        remind = Notice.objects.get(kind="REMIND")
        assert (remind.sent_at, remind.dropped_at) == (None, invitation.invited_at + h(73))


# A request nobody touches, an acceptance nobody confirms


def reminders(world: World, since: datetime) -> list[tuple[str, float]]:
    with site_scope(world.north.pk):
        rows = Notice.objects.filter(kind__in=["WAIT_1", "WAIT_2", "AGAIN_1", "AGAIN_2", "UNCONFIRMED"])
        assert set(rows.values_list("recipient", flat=True)) <= {world["north administrator"].pk}
        return [(row.kind, (row.created_at - since).total_seconds() / 3600) for row in rows.order_by("pk")]


def test_administrators_are_told_twice_of_a_request_nobody_touches(world: World, mailoutbox: Any) -> None:
    asked = tenancy.now() - h(200)
    line.request(world.north, now=asked)
    for hour in (1, 23, 24, 24, 30, 47, 48, 50, 100):
        agenda.sweep(now=asked + h(hour))
    assert reminders(world, asked) == [("WAIT_1", 24), ("WAIT_2", 48)]
    assert [mail.subject for mail in mailoutbox][1:] == [
        "Nobody is asked yet · Personne n’a encore été sollicité",
        "Still nobody is asked · Toujours personne n’a été sollicité",
    ]
    assert not Due.objects.filter(kind="WAITING").exists()


def test_a_worker_that_slept_tells_once(world: World) -> None:
    asked = tenancy.now() - h(200)
    line.request(world.north, now=asked)
    agenda.sweep(now=asked + h(60))
    assert reminders(world, asked) == [("WAIT_2", 60)]


def test_an_invitation_ends_the_reminders_and_its_end_begins_them_anew(world: World) -> None:
    asked = tenancy.now() - h(300)
    invitation = line.invited(world, now=asked)
    for hour in range(1, 120):
        agenda.sweep(now=asked + h(hour))
    # It ended unanswered after 48 hours.
    assert reminders(world, asked) == [("AGAIN_1", 72), ("AGAIN_2", 96)]
    with site_scope(world.north.pk, now=asked + h(120)):
        again = transitions.invite(
            invitation.referral_id, invitation.supporter_id, by=line.administrator(world), override="AGREED"
        )
        transitions.decline(again.pk, by=line.helper(world))
        (due,) = Due.objects.filter(kind="WAITING")
        assert (due.object_id, due.at) == (invitation.referral_id, asked + h(144))
    agenda.sweep(now=asked + h(145))
    assert reminders(world, asked)[2:] == [("AGAIN_1", 145)]


@pytest.mark.parametrize("ending", ["revoke", "reassign"])
def test_a_request_that_is_open_again_is_waiting_again(world: World, ending: str) -> None:
    match = (line.confirmed if ending == "reassign" else line.invited)(world)
    assert not Due.objects.filter(kind="WAITING").exists()
    with site_scope(world.north.pk):
        getattr(transitions, ending)(match.pk, by=line.administrator(world))
    (due,) = Due.objects.filter(kind="WAITING")
    assert (due.object_id, due.at) == (match.referral_id, line.fresh(match).ended_at + h(24))


def test_an_acceptance_nobody_confirms_is_told_of_once(world: World) -> None:
    at = tenancy.now() - h(200)
    match = line.accepted(world, now=at)
    for hour in (1, 23, 24, 25, 48, 100):
        agenda.sweep(now=at + h(hour))
    assert reminders(world, at) == [("UNCONFIRMED", 24)]
    assert line.fresh(match).state == "ACCEPTED"
    assert not Due.objects.filter(kind=transitions.INVITATION).exists()


def test_a_confirmed_match_is_not_told_of(world: World) -> None:
    at = tenancy.now() - h(200)
    line.confirmed(world, now=at)
    agenda.sweep(now=at + h(30))
    assert reminders(world, at) == []


# I3: each state change has its event, and the reverse


ACTIONS = [
    "invite",
    "invite other",
    "accept",
    "decline",
    "revoke",
    "confirm",
    "contact",
    "reassign",
    "finish",
    "close",
    "wait",
]


@given(moves=st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(1, 30)), min_size=3, max_size=14))
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.reuse, Phase.generate, Phase.shrink],
    print_blob=True,
)
def test_after_any_walk_moves_and_events_tell_the_same(world: World, moves: list[tuple[str, int]]) -> None:
    walk(world, moves)


def test_a_long_walk_through_every_state(world: World) -> None:
    everything = ["invite", "wait", "accept", "confirm", "wait", "contact", "finish", "close"]
    second = ["invite", "accept", "revoke", "invite", "decline", "invite", "wait", "wait", "wait"]
    third = ["invite", "accept", "confirm", "wait", "wait", "wait", "reassign", "close"]
    states = walk(world, [(move, 20) for move in [*everything, "new", *second, "new", *third]])
    assert states == {"COMPLETED", "REVOKED", "DECLINED", "EXPIRED", "REASSIGNED"}


def walk(world: World, moves: list[tuple[str, int]]) -> set[str]:
    """Try the moves one after another, `hours` apart, on one request and its latest match; then compare."""
    north = world.north
    with transaction.atomic():
        other = supporter(north, "Dr Otto North")
        at = tenancy.now() - timedelta(days=60)
        referral = line.request(north, now=at)
        by, own = line.administrator(world), line.helper(world)
        for move, hours in moves:
            at += h(hours)
            agenda.sweep(now=at)
            try:
                with site_scope(north.pk, now=at):
                    match = Match.objects.filter(referral=referral).order_by("-pk").select_related("supporter").first()
                    mine = line.acting(match.supporter.user, "supporter") if match else own
                    number = match.pk if match else 0
                    if move in ("invite", "invite other"):
                        free = Match.objects.filter(referral=referral).exists() or move == "invite other"
                        chosen = other if free else world.supporters["north"]
                        if Match.objects.filter(referral=referral, supporter=chosen).exists():
                            chosen = supporter(north, f"Dr Nova N{Match.objects.count()}x{number}")
                        transitions.invite(referral.pk, chosen.pk, by=by)
                    elif move == "new":
                        pass
                    elif move == "close":
                        transitions.close(referral.pk, "DONE", by=by)
                    elif match is not None and move != "wait":
                        verb = {"contact": "record_contact"}.get(move, move)
                        actor = by if move in ("revoke", "confirm", "reassign") else mine
                        getattr(transitions, verb)(match.pk, by=actor)
            except Refused:
                pass
            if move == "new":
                referral = line.request(north, now=at)
        states = compare(world)
        transaction.set_rollback(True)
    return states


def compare(world: World) -> set[str]:
    with site_scope(world.north.pk):
        for match in Match.objects.all():
            events = list(MatchEvent.objects.filter(match=match).order_by("pk"))
            assert (events[0].source, events[0].target) == (None, "INVITED")
            for before, after in zip(events, events[1:], strict=False):
                assert (after.source, after.at >= before.at) == (before.target, True)
            assert events[-1].target == match.state
            moved = [event for event in events if event.source != event.target]
            for earlier, later in zip(moved, moved[1:], strict=False):
                assert any(earlier.target in sources and later.target == goal for sources, goal in Match.MOVES.values())
            dates = {event.target: event.at for event in moved}
            assert match.invited_at == dates["INVITED"]
            assert (match.accepted_at, match.confirmed_at, match.contacted_at) == (
                dates.get("ACCEPTED"),
                dates.get("CONFIRMED"),
                dates.get("CONTACTED"),
            )
            ended = set(dates) & {"COMPLETED", "DECLINED", "EXPIRED", "REVOKED", "REASSIGNED"}
            assert match.ended_at == (dates[ended.pop()] if ended else None)
            whys = [event.why for event in events if event.source == event.target]
            assert whys == ["NUDGE"] * match.nudged + ["NUDGE"] * min(match.window_step, 2) + ["MISSED"] * (
                match.window_step == 3
            )
        for referral in Referral.objects.all():
            trail = list(referral.events.order_by("pk").values_list("source", "target"))  # type: ignore[attr-defined]
            assert trail[0] == (None, "OPEN")
            assert [source for source, _ in trail[1:]] == [target for _, target in trail[:-1]]
            assert trail[-1][1] == referral.state
            matched = Match.objects.filter(
                referral=referral, state__in=["CONFIRMED", "CONTACTED", "COMPLETED"]
            ).exists()
            assert referral.state == "CLOSED" or (referral.state == "MATCHED") == matched
        audited = AuditEntry.objects.filter(object_kind="MATCH")
        assert audited.count() == MatchEvent.objects.count()
        assert broken_links() == []
        live = Match.objects.filter(load_year__isnull=False).count()
        assert sum(SupporterLoad.objects.values_list("live", flat=True)) == live
        # Those of waiting requests and unconfirmed matches end with their last reminder.
        waiting = Referral.objects.filter(state="OPEN").exclude(matches__state__in=LIVE)
        reminded = {("WAITING", r.pk) for r in waiting}
        reminded |= {("INVITATION", m.pk) for m in Match.objects.filter(state="ACCEPTED")}
        every = Due.objects.filter(kind__in=["INVITATION", "WINDOW", "WAITING"])
        due = set(every.values_list("kind", "object_id")) - reminded
        expected = {("INVITATION", m.pk) for m in Match.objects.filter(state="INVITED")}
        expected |= {("WINDOW", m.pk) for m in Match.objects.filter(state="CONFIRMED", window_step__lt=3)}
        assert due == expected
        return set(Match.objects.values_list("state", flat=True))
