"""What each move of a match leaves to follow: facts, mail, and what is due when; the load is in test_moves.py."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from matching.invitations import alerts, transitions
from matching.matches.models import Match, WindowStep
from psi.tenancy import site_scope
from referrals.requests import transitions as referral_moves
from referrals.requests.models import Referral, ReferralConsent
from sites.engine.audit import PUBLIC
from sites.engine.models import Due, Fact, Notice
from sites.tenants.models import Site
from tests import line
from tests.people import World, supporter
from tests.refusals import refused
from training.supporters.models import PeerSupporter

BEGUN = datetime(2027, 3, 8, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
# What is looked at later; mail, counts and erasure go on by themselves.
FOLLOWS = ("INVITATION", "WINDOW", "WAITING", "NEXT", "UNRECORDED")
Act = Callable[[World, Match], Any]
ACTS: dict[str, Act] = {
    "accept": lambda w, m: transitions.accept(m.pk, by=line.helper(w)),
    "decline": lambda w, m: transitions.decline(m.pk, by=line.helper(w), seen=line.fresh(m).state),
    "revoke": lambda w, m: transitions.revoke(m.pk, by=line.administrator(w)),
    "expire": lambda w, m: transitions.expire(Match.objects.select_related("supporter").get(pk=m.pk)),
    "confirm": lambda w, m: transitions.confirm(m.pk, by=line.administrator(w)),
    "record_contact": lambda w, m: transitions.record_contact(m.pk, by=line.helper(w)),
    "record_no_conversation": lambda w, m: transitions.record_no_conversation(m.pk, by=line.helper(w)),
    "reassign": lambda w, m: transitions.reassign(m.pk, by=line.administrator(w)),
    "finish": lambda w, m: transitions.finish(m.pk, by=line.helper(w)),
    "close": lambda w, m: transitions.close(m.referral_id, "ONWARD", by=line.administrator(w)),
}


def after(world: World, *verbs: str, hours: int = 2, then: int = 2, **said: Any) -> dict[str, list[Any]]:
    """Return what the last of these moves left, after an invitation and the moves before it.

    Args:
        hours: between the request and the first of the moves, and between these.
        then: between the last but one and the last.

    Returns:
        `facts` and `mail` that are new, and all that is `due`: kind, and in how many hours.
    """
    match, now = line.invited(world, now=BEGUN, **said), BEGUN
    for verb in verbs:
        before = left(world)
        now += (then if verb == verbs[-1] else hours) * HOUR
        with site_scope(world.north.pk, now=now):
            ACTS[verb](world, match)
    found = left(world)
    of = {"WAITING": match.referral_id, "NEXT": match.referral_id}
    assert [kind for kind, number, _at in found["due"] if number != of.get(kind, match.pk)] == []
    due = sorted((kind, (at - now) / HOUR) for kind, _number, at in found["due"])
    return {
        "facts": found["facts"][len(before["facts"]) :],
        "mail": found["mail"][len(before["mail"]) :],
        "due": due,
    }


def left(world: World) -> dict[str, list[Any]]:
    with site_scope(world.north.pk):
        return {
            "facts": list(Fact.objects.order_by("pk").values_list("measure", "category")),
            "mail": list(Notice.objects.order_by("pk").values_list("kind", "recipient_id")),
            "due": list(Due.objects.filter(site=world.north, kind__in=FOLLOWS).values_list("kind", "object_id", "at")),
        }


def test_an_invitation(world: World) -> None:
    referral = line.request(world.north, now=BEGUN)
    assert ("WAITING", referral.pk, BEGUN + 24 * HOUR) in left(world)["due"]
    before = left(world)
    with site_scope(world.north.pk, now=BEGUN + HOUR):
        match = transitions.invite(referral.pk, world.supporters["north"].pk, by=line.administrator(world))
    found = left(world)
    assert found["due"] == [("INVITATION", match.pk, BEGUN + 25 * HOUR)]
    assert found["mail"][len(before["mail"]) :] == [("INVITED", world["north supporter"].pk)]
    assert found["facts"][len(before["facts"]) :] == [("INVITED", "ALL")]
    assert (match.invited_at, match.expires_at) == (BEGUN + HOUR, BEGUN + 49 * HOUR)
    assert (match.override, match.cap_waived) == (None, False)
    with site_scope(world.north.pk):
        events = match.events.values_list("source", "target", "by")
        assert list(events) == [(None, "INVITED", world["north administrator"].pk)]


def test_a_yes(world: World) -> None:
    assert after(world, "accept") == {
        "facts": [("ACCEPTED", "ALL")],
        "mail": [("ACCEPTED", world["north administrator"].pk)],
        "due": [("INVITATION", 24.0)],
    }


def test_a_yes_that_is_confirmed_at_once(world: World) -> None:
    Site.objects.filter(pk=world.north.pk).update(confirm_at_once=True)
    assert after(world, "accept") == {
        "facts": [("ACCEPTED", "ALL"), ("MATCHED", "ALL"), ("TO_MATCH", "2")],
        "mail": [("CONFIRMED", world["north supporter"].pk)],
        "due": [("WINDOW", 24.0)],
    }


@pytest.mark.parametrize("notice", [False, True])
def test_a_confirmation(world: World, notice: bool) -> None:
    found = after(world, "accept", "confirm", hours=1, then=30, email="robin@example.ca", notice=notice)
    assert found == {
        "facts": [("MATCHED", "ALL"), ("TO_MATCH", "31")],
        "mail": [("CONFIRMED", world["north supporter"].pk), *([("FOUND", None)] if notice else [])],
        "due": [("WINDOW", 24.0)],
    }


@pytest.mark.parametrize(
    ("hours", "facts"),
    [
        (71, [("CONTACT", "IN_TIME"), ("TO_CONTACT", "71")]),
        (72, [("CONTACT", "IN_TIME"), ("TO_CONTACT", "72")]),
        (73, [("CONTACT", "LATE"), ("TO_CONTACT", "73"), ("WINDOW", "MISSED")]),
    ],
)
def test_contact_in_time_and_late(world: World, hours: int, facts: list[tuple[str, str]]) -> None:
    assert after(world, "accept", "confirm", "record_contact", then=hours) == {
        "facts": facts,
        "mail": [],
        "due": [("UNRECORDED", 72.0)],
    }


def test_a_window_that_was_counted_as_missed_is_not_counted_again(world: World) -> None:
    match = line.confirmed(world, now=BEGUN)
    with site_scope(world.north.pk, now=BEGUN + 73 * HOUR):
        Match.objects.update(window_step=WindowStep.MISSED)
        ACTS["record_contact"](world, match)
    assert left(world)["facts"][-2:] == [("CONTACT", "LATE"), ("TO_CONTACT", "73")]


@pytest.mark.parametrize("verb", ["decline", "expire", "revoke"])
def test_a_no_leads_to_the_next(world: World, verb: str) -> None:
    assert after(world, verb) == {
        "facts": [],
        "mail": [("RELEASED", world["north supporter"].pk)] if verb == "revoke" else [],
        "due": [("NEXT", 0.0), ("WAITING", 24.0)],
    }


@pytest.mark.parametrize("ways", [("accept", "confirm"), ("accept", "confirm", "record_contact")])
def test_another_peer_is_looked_for(world: World, ways: tuple[str, ...]) -> None:
    assert after(world, *ways, "reassign") == {
        "facts": [("REASSIGNED", "ALL")],
        "mail": [("HANDED_ON", world["north supporter"].pk)],
        "due": [("NEXT", 0.0), ("WAITING", 24.0)],
    }


def test_the_last_conversation(world: World) -> None:
    assert after(world, "accept", "confirm", "record_contact", "finish") == {
        "facts": [],
        "mail": [("FINISHED", world["north administrator"].pk)],
        "due": [("UNRECORDED", 70.0)],
    }


def test_without_a_conversation_nobody_is_reminded(world: World) -> None:
    found = after(world, "accept", "confirm", "record_contact", "record_no_conversation")
    assert found == {"facts": [], "mail": [], "due": []}
    with site_scope(world.north.pk):
        assert Match.objects.get().untalked


@pytest.mark.parametrize(
    ("ways", "mail", "due"),
    [
        ((), ["RELEASED"], []),
        (("accept", "confirm"), ["RELEASED"], []),
        (("accept", "confirm", "record_contact"), [], [("UNRECORDED", 70.0)]),
    ],
)
def test_the_end_of_a_request(world: World, ways: tuple[str, ...], mail: list[str], due: list[Any]) -> None:
    found = after(world, *ways, "close")
    assert found["facts"] == [("CLOSED", "ONWARD")]
    assert [kind for kind, _recipient in found["mail"]] == mail
    assert found["due"] == due


@pytest.mark.parametrize(
    ("verbs", "state", "mail"),
    [
        (("accept",), "REVOKED", ["RELEASED"]),
        (("accept", "confirm", "record_contact"), "COMPLETED", ["RELEASED"]),
        (("decline",), "DECLINED", []),
    ],
)
def test_a_physician_who_goes_elsewhere_releases_whoever_is_live(
    world: World, verbs: tuple[str, ...], state: str, mail: list[str]
) -> None:
    match = line.invited(world)
    with site_scope(world.north.pk):
        for verb in verbs:
            ACTS[verb](world, match)
    before = left(world)
    with site_scope(world.north.pk):
        transitions.release(referral_moves.lock(match.referral_id), by=PUBLIC)
    assert [kind for kind, _recipient in left(world)["mail"][len(before["mail"]) :]] == mail
    assert line.fresh(match).state == state


def test_what_has_ended_is_refused_as_such_before_anything_else_is_looked_at(world: World) -> None:
    match = line.invited(world)
    with site_scope(world.north.pk):
        ACTS["decline"](world, match)
        PeerSupporter.objects.update(agreement_until=None)
    with refused("MOVED_ON"), site_scope(world.north.pk):
        ACTS["accept"](world, match)


# What the physician reported


def reported(world: World, *verbs: str) -> Match:
    """Return a match of a request whose physician said after these moves that nobody was in touch."""
    match = line.invited(world)
    with site_scope(world.north.pk):
        for verb in verbs:
            ACTS[verb](world, match)
        alerts.report_no_contact(referral_moves.lock(match.referral_id), by=line.helper(world))
    assert is_reported(match)
    return match


def is_reported(match: Match) -> bool:
    with site_scope(match.site_id):
        unheard = Referral.objects.get(pk=match.referral_id).unheard_at is not None
        assert Due.objects.filter(kind=alerts.NO_CONTACT).exists() is unheard
        assert Notice.objects.filter(kind="UNHEARD").exists() is unheard
    return unheard


@pytest.mark.parametrize(
    ("ways", "verb", "stays"),
    [
        ((), "accept", True),
        ((), "decline", True),
        (("accept",), "confirm", False),
        (("accept", "confirm"), "record_contact", False),
        (("accept", "confirm"), "reassign", True),
        (("accept", "confirm"), "close", False),
    ],
)
def test_a_report_that_nobody_was_in_touch_ends_when_somebody_acts(
    world: World, ways: tuple[str, ...], verb: str, stays: bool
) -> None:
    match = reported(world, *ways)
    with site_scope(world.north.pk):
        ACTS[verb](world, match)
    assert is_reported(match) is stays


def test_such_a_report_ends_with_another_invitation(world: World) -> None:
    match = reported(world, "decline")
    other = supporter(world.north, "Dr Otto North")
    with site_scope(world.north.pk):
        transitions.invite(match.referral_id, other.pk, by=line.administrator(world))
    assert not is_reported(match)


# Who ends what is not theirs to end


@pytest.mark.parametrize("verb", ["expire", "revoke", "reassign", "finish"])
def test_an_end_that_does_not_start_from_there_leaves_the_row_in_hand_as_it_was(world: World, verb: str) -> None:
    match = line.invited(world)
    with site_scope(world.north.pk):
        ACTS["decline"](world, match)
        held = Match.objects.select_related("supporter").get(pk=match.pk)
        ended = held.ended_at
        with pytest.raises(transitions.Refused):
            transitions.end(held, verb, Match.Why.CLOSED, by=line.administrator(world))
        assert (held.why, held.ended_at, held.state) == ("NONE", ended, "DECLINED")


# What came through a colleague


def through_a_colleague(world: World) -> Match:
    """Return a confirmed match whose physician agreed by a notifier's word alone, and said that nobody was in touch."""
    match = reported(world, "accept", "confirm")
    with site_scope(world.north.pk):
        Referral.objects.update(pathway="REACH_OUT")
        ReferralConsent.objects.filter(purpose="MATCH").update(channel="NOTIFIER")
    return match


def test_contact_counts_once_the_physician_has_agreed(world: World) -> None:
    match = through_a_colleague(world)
    with refused("NOT_AGREED"), site_scope(world.north.pk):
        ACTS["record_contact"](world, match)
    with site_scope(world.north.pk):
        transitions.record_contact(match.pk, by=line.helper(world), agreed=True)
        assert list(ReferralConsent.objects.filter(purpose="MATCH").values_list("channel", flat=True)) == ["VOICE"]
    assert (line.fresh(match).state, is_reported(match)) == ("CONTACTED", False)


def test_who_does_not_want_it_is_left_alone_at_once(world: World) -> None:
    match = through_a_colleague(world)
    with site_scope(world.north.pk):
        transitions.record_not_wanted(match.pk, by=line.helper(world))
    ended = line.fresh(match)
    assert (ended.state, ended.why, ended.referral.state) == ("REVOKED", "CLOSED", "WITHDRAWN")
    assert not is_reported(match)
    with refused("MOVED_ON"), site_scope(world.north.pk):
        transitions.record_not_wanted(match.pk, by=line.helper(world))


def test_only_where_the_physician_has_not_agreed_can_it_be_unwanted(world: World) -> None:
    match = line.confirmed(world)
    with refused("MOVED_ON"), site_scope(world.north.pk):
        transitions.record_not_wanted(match.pk, by=line.helper(world))
    assert line.fresh(match).state == "CONFIRMED"


def test_a_reason_to_set_a_rule_aside_is_kept_where_a_rule_spoke_against_it(world: World) -> None:
    for paused, kept in ((None, None), (date(2099, 1, 1), "WISHED")):
        with site_scope(world.north.pk):
            PeerSupporter.objects.update(paused_until=paused)
        referral, who = line.request(world.north), world.supporters["north"].pk
        with site_scope(world.north.pk):
            match = transitions.invite(referral.pk, who, by=line.administrator(world), override="WISHED")
        assert (match.override, match.cap_waived) == (kept, False)
