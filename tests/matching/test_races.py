"""Everybody presses at once: real threads, real commits, one outcome."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import localdate

from matching.invitations import due, transitions
from matching.matches.models import LIVE, Match, MatchEvent
from psi import tenancy
from psi.tenancy import site_scope
from referrals.requests.models import Referral, ReferralEvent
from sites.engine import agenda
from sites.engine.models import AuditEntry, Due, Fact, Notice
from sites.engine.moves import Refused
from sites.tenants.models import Role, Site
from tests import line
from tests.people import World, member, supporter
from tests.processes import begin, environment
from training.supporters.models import PeerSupporter, SupporterLoad

pytestmark = pytest.mark.xdist_group("races")


def in_scope(site: Site, move: Callable[..., Any], *args: Any, now: Any = None, **kwargs: Any) -> Callable[[], Any]:
    """Return a job that makes a move in a scope of its own."""

    def job() -> Any:
        with site_scope(site.pk, now=now):
            return move(*args, **kwargs)

    return job


def done(answers: list[Any]) -> list[Any]:
    """Return what succeeded; anything but a refusal beside it is an accident."""
    assert [a for a in answers if isinstance(a, Exception) and not isinstance(a, Refused)] == []
    return [a for a in answers if not isinstance(a, Exception)]


def story(match: Match) -> list[tuple[str | None, str]]:
    with site_scope(match.site_id):
        return list(MatchEvent.objects.filter(match=match).order_by("pk").values_list("source", "target"))


def mail(match: Match) -> list[str]:
    with site_scope(match.site_id):
        return sorted(Notice.objects.filter(object_id=match.pk).exclude(kind="REQUEST").values_list("kind", flat=True))


def load(world: World, who: str = "north supporter") -> tuple[int, int]:
    row = SupporterLoad.objects.filter(user=world[who]).first()
    return (row.live, row.total) if row else (0, 0)


MOVES: dict[str, Callable[[World, Match], Callable[[], Any]]] = {
    "accept": lambda w, m: in_scope(w.north, transitions.accept, m.pk, by=line.helper(w)),
    "decline": lambda w, m: in_scope(w.north, transitions.decline, m.pk, by=line.helper(w)),
    "revoke": lambda w, m: in_scope(w.north, transitions.revoke, m.pk, by=line.administrator(w)),
    "expire": lambda w, m: in_scope(w.north, due.handle_invitations, [m.pk], now=m.expires_at + timedelta(minutes=1)),
}


@pytest.mark.parametrize(
    "verbs", [("accept",), ("accept", "expire"), ("decline", "revoke", "expire")], ids=lambda verbs: "-".join(verbs)
)
def test_of_moves_that_exclude_each_other_one_happens(committed_world: World, verbs: tuple[str, ...]) -> None:
    match = line.invited(committed_world)
    answers = line.together(*[MOVES[verbs[n % len(verbs)]](committed_world, match) for n in range(30)])
    # A sweep that comes too late says nothing; a person who does is told.
    assert len([a for a in done(answers) if a is not None]) <= 1
    state = line.fresh(match).state
    assert [target for _, target in story(match) if target != "INVITED"] == [state]
    # Of a no, and of no answer, the administrators hear once a worker has looked who could be next.
    after = {"ACCEPTED": ["ACCEPTED"], "DECLINED": [], "EXPIRED": [], "REVOKED": ["RELEASED"]}
    assert sorted(set(mail(match)) - {"REMIND", "INVITED", "UNCONFIRMED"}) == after[state]
    assert load(committed_world) == ((1, 1) if state == "ACCEPTED" else (0, 0))
    assert Due.objects.filter(kind=transitions.INVITATION).exists() == (state == "ACCEPTED")


def test_accept_revoke_decline_and_expire_at_once_make_one_straight_story(committed_world: World) -> None:
    """An acceptance may still be taken back; whatever happens, each step follows from the one before."""
    match = line.invited(committed_world)
    verbs = list(MOVES)
    answers = line.together(*[MOVES[verbs[n % 4]](committed_world, match) for n in range(50)])
    moves = [event for event in story(match) if event[0] != event[1]]
    assert moves[0] == (None, "INVITED")
    assert [source for source, _ in moves[1:]] == [target for _, target in moves[:-1]]
    ways = [["ACCEPTED"]] + [
        [*before, end]
        for before in ([], ["ACCEPTED"])
        for end in ("DECLINED", "REVOKED") + ((), ("EXPIRED",))[not before]
    ]
    assert [target for _, target in moves[1:]] in ways
    assert line.fresh(match).state == moves[-1][1]
    pressed = [target for _, target in moves[1:] if target != "EXPIRED"]
    assert len([a for a in done(answers) if a is not None]) == len(pressed)
    expected = {"ACCEPTED": "ACCEPTED", "REVOKED": "RELEASED"}
    assert sorted(set(mail(match)) - {"REMIND", "INVITED", "UNCONFIRMED"}) == sorted(
        expected[t] for _, t in moves[1:] if t in expected
    )
    assert load(committed_world) == ((1, 1) if moves[-1][1] == "ACCEPTED" else (0, 0))
    with site_scope(match.site_id):
        audited = AuditEntry.objects.filter(object_kind="MATCH").order_by("number").values_list("action", flat=True)
        # The trail, which every administrator reads, tells no decline from an acceptance.
        said = {"ACCEPTED": "ANSWERED", "DECLINED": "ANSWERED"}
        assert [action for action in audited if action != "NUDGE"] == [said.get(target, target) for _, target in moves]


@pytest.mark.parametrize("seen_before", [False, True], ids=["first match ever", "matched before"])
def test_a_cap_holds_across_two_sites(committed_world: World, seen_before: bool) -> None:
    """One person, in two rosters, who wants one match at a time."""
    world = committed_world
    person = world["north supporter"]
    if seen_before:
        SupporterLoad.objects.create(user=person, year=localdate(tenancy.now()).year)
    elsewhere = supporter(world.south, "Dr Sam North", user=person, cap_live=1)
    with site_scope(world.north.pk):
        PeerSupporter.objects.filter(user=person).update(cap_live=1)
    matches = [line.invited(world, "north") for _ in range(5)]
    world.supporters["south"], world.people["south supporter"] = elsewhere, person
    matches += [line.invited(world, "south") for _ in range(5)]
    by = line.acting(person, Role.SUPPORTER)
    places = {site.pk: site for site in (world.north, world.south)}
    answers = line.together(
        *[in_scope(places[m.site_id], transitions.accept, m.pk, by=by) for m in matches for _ in range(2)]
    )
    assert len(done(answers)) == 1
    assert load(world) == (1, 1)
    assert [line.fresh(m).state for m in matches].count("ACCEPTED") == 1


def test_the_years_cap_holds_too(committed_world: World) -> None:
    world = committed_world
    with site_scope(world.north.pk):
        PeerSupporter.objects.filter(user=world["north supporter"]).update(cap_live=50, cap_year=3)
    matches = [line.invited(world) for _ in range(8)]
    answers = line.together(*[MOVES["accept"](world, match) for match in matches])
    assert (len(done(answers)), load(world)) == (3, (3, 3))


def test_two_administrators_invite_different_peers_and_one_is_invited(committed_world: World) -> None:
    world = committed_world
    other = supporter(world.north, "Dr Otto North")
    second = line.acting(member(world.north, Role.ADMINISTRATOR, "Bea North"), "administrator")
    for _ in range(3):
        referral = line.request(world.north)
        jobs = [
            in_scope(
                world.north, transitions.invite, referral.pk, world.supporters["north"].pk, by=line.administrator(world)
            ),
            in_scope(world.north, transitions.invite, referral.pk, other.pk, by=second),
        ]
        answers = line.together(*jobs * 4)
        assert len(done(answers)) == 1
        with site_scope(world.north.pk):
            assert Match.objects.filter(referral=referral, state__in=LIVE).count() == 1
            assert Match.objects.filter(referral=referral).count() == 1
            invited = Match.objects.get(referral=referral)
            assert Notice.objects.filter(kind="INVITED", object_id=invited.pk).count() == 1


def test_confirm_pressed_by_ten_at_once_confirms_once(committed_world: World) -> None:
    world = committed_world
    match = line.accepted(world)
    job = in_scope(world.north, transitions.confirm, match.pk, by=line.administrator(world))
    assert len(done(line.together(*[job] * 10))) == 1
    assert story(match)[-1] == ("ACCEPTED", "CONFIRMED")
    assert len(story(match)) == 3
    assert mail(match).count("CONFIRMED") == 1
    with site_scope(world.north.pk):
        assert list(ReferralEvent.objects.order_by("pk").values_list("target", flat=True)) == ["OPEN", "MATCHED"]
        assert Fact.objects.filter(measure="MATCHED").count() == 1
    assert Due.objects.filter(kind=transitions.WINDOW).count() == 1


def test_contact_and_the_end_of_the_window_at_the_same_moment(committed_world: World) -> None:
    """Whichever comes first, nothing is said after the contact and each step is said once."""
    world = committed_world
    with site_scope(world.north.pk):
        PeerSupporter.objects.update(cap_live=50, cap_year=50)
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    shuffled = random.Random(seed)
    confirmed_at = tenancy.now() - timedelta(hours=73)
    for _ in range(4):
        match = line.confirmed(world, now=confirmed_at)
        jobs = [in_scope(world.north, transitions.record_contact, match.pk, by=line.helper(world))] * 2
        jobs += (
            [agenda.sweep] * 4
            if shuffled.random() < 0.5
            else [in_scope(world.north, due.handle_windows, [match.pk])] * 4
        )
        shuffled.shuffle(jobs)
        line.together(*jobs)
        after = line.fresh(match)
        assert after.state == "CONTACTED"
        assert after.window_step in (0, 3)
        steps = [e for e in story(match) if e == ("CONFIRMED", "CONFIRMED")]
        assert len(steps) == after.window_step
        said = [kind for kind in mail(match) if kind.startswith(("NUDGE", "WINDOW"))]
        assert said == (["NUDGE_1", "NUDGE_2", "WINDOW_48", "WINDOW_72"] if after.window_step else [])
        agenda.sweep()
        assert not Due.objects.filter(kind=transitions.WINDOW).exists()
    with site_scope(world.north.pk):
        # Each window was over, whoever said so first.
        assert Fact.objects.filter(measure="WINDOW", category="MISSED").count() == 4
        assert Fact.objects.filter(measure="CONTACT", category="LATE").count() == 4


def test_reassigned_and_closed_at_once_is_one_of_both(committed_world: World) -> None:
    world = committed_world
    match = line.confirmed(world)
    answers = line.together(
        *[in_scope(world.north, transitions.reassign, match.pk, by=line.administrator(world))] * 3,
        *[in_scope(world.north, transitions.close, match.referral_id, "DONE", by=line.administrator(world))] * 3,
    )
    done(answers)
    after = line.fresh(match)
    with site_scope(world.north.pk):
        referral = Referral.objects.get(pk=match.referral_id)
        events = list(ReferralEvent.objects.order_by("pk").values_list("source", "target"))
    # Closing an open request again after the reassignment is a move of its own.
    assert (after.state, referral.state) in {("REASSIGNED", "CLOSED"), ("REVOKED", "CLOSED"), ("REASSIGNED", "OPEN")}
    assert [source for source, _ in events[1:]] == [target for _, target in events[:-1]]
    assert events[-1][1] == referral.state
    assert load(world) == (0, 0)
    assert [kind for kind in mail(match) if kind in ("RELEASED", "HANDED_ON")] == [
        "HANDED_ON" if after.state == "REASSIGNED" else "RELEASED"
    ]


def test_the_same_window_looked_after_by_eight_workers(committed_world: World) -> None:
    world = committed_world
    match = line.confirmed(world, now=tenancy.now() - timedelta(hours=49))
    line.together(*[agenda.sweep] * 8)
    assert line.fresh(match).window_step == 2
    assert [k for k in mail(match) if k.startswith(("NUDGE", "WINDOW"))] == ["NUDGE_1", "NUDGE_2", "WINDOW_48"]
    assert list(Due.objects.filter(kind=transitions.WINDOW).values_list("at", "lease")) == [
        (line.fresh(match).confirmed_at + timedelta(hours=72), None)
    ]


ACCEPT = """
import sys
from matching.invitations import transitions
from psi.tenancy import site_scope
from sites.engine.audit import Actor
from sites.engine.moves import Refused
site, user, match = map(int, sys.argv[1:])
input()
try:
    with site_scope(site):
        transitions.accept(match, by=Actor(user, "supporter"))
    print("yes")
except Refused:
    print("no")
"""


def test_processes_of_two_sites_accept_for_one_person_up_to_the_cap(committed_world: World) -> None:
    """Four web servers, four matches in two rosters, two at a time: two are accepted, and the load says so."""
    world, person = committed_world, committed_world["north supporter"]
    elsewhere = supporter(world.south, "Dr Sam North", user=person)
    matches = [line.invited(world, "north") for _ in range(2)]
    world.supporters["south"], world.people["south supporter"] = elsewhere, person
    matches += [line.invited(world, "south") for _ in range(2)]
    started = [begin(ACCEPT, environment(), m.site_id, person.pk, m.pk) for m in matches]
    for process in started:
        print(file=process.stdin, flush=True)
    answers = [process.communicate(timeout=30)[0].strip() for process in started]
    assert sorted(answers) == ["no", "no", "yes", "yes"]
    assert load(world) == (2, 2)
    assert sorted(line.fresh(m).state for m in matches) == ["ACCEPTED", "ACCEPTED", "INVITED", "INVITED"]
    assert sum(mail(match).count("ACCEPTED") for match in matches) == 2
