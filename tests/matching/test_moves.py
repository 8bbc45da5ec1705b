"""The moves of a match: which may follow which, what each leaves behind, and that a refused one leaves nothing."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils.timezone import localdate

from matching.invitations import transitions
from matching.matches.models import LIVE, Match, MatchEvent
from psi import tenancy
from psi.tenancy import site_scope
from referrals.requests.models import Referral, ReferralEvent
from sites.engine import audit
from sites.engine.models import AuditEntry, Due, Fact, Notice
from sites.engine.moves import Refused, goal_of
from sites.people import transitions as people
from sites.tenants.models import Membership
from tests import line
from tests.people import World, member, supporter
from tests.refusals import refused
from training.supporters.models import PeerSupporter, SupporterLoad

Act = Callable[[World, Match], Any]
ACTS: dict[str, Act] = {
    "accept": lambda w, m: transitions.accept(m.pk, by=line.helper(w)),
    "decline": lambda w, m: transitions.decline(m.pk, by=line.helper(w), seen=line.fresh(m).state),
    "revoke": lambda w, m: transitions.revoke(m.pk, by=line.administrator(w)),
    "expire": lambda w, m: transitions.expire(Match.objects.select_related("supporter").get(pk=m.pk)),
    "confirm": lambda w, m: transitions.confirm(m.pk, by=line.administrator(w)),
    "record_contact": lambda w, m: transitions.record_contact(m.pk, by=line.helper(w)),
    "reassign": lambda w, m: transitions.reassign(m.pk, by=line.administrator(w)),
    "finish": lambda w, m: transitions.finish(m.pk, by=line.helper(w)),
}
WAYS: dict[str, tuple[str, ...]] = {
    "INVITED": (),
    "ACCEPTED": ("accept",),
    "CONFIRMED": ("accept", "confirm"),
    "CONTACTED": ("accept", "confirm", "record_contact"),
    "COMPLETED": ("accept", "confirm", "record_contact", "finish"),
    "DECLINED": ("decline",),
    "EXPIRED": ("expire",),
    "REVOKED": ("revoke",),
    "REASSIGNED": ("accept", "confirm", "reassign"),
}
# Written out here once more, so that a change of the table is a decision.
MAY = {
    "INVITED": {"accept": "ACCEPTED", "decline": "DECLINED", "revoke": "REVOKED", "expire": "EXPIRED"},
    "ACCEPTED": {"decline": "DECLINED", "revoke": "REVOKED", "confirm": "CONFIRMED"},
    "CONFIRMED": {"record_contact": "CONTACTED", "reassign": "REASSIGNED"},
    "CONTACTED": {"reassign": "REASSIGNED", "finish": "COMPLETED"},
}


def at(world: World, state: str) -> Match:
    """Return a match that came to `state` by its moves."""
    match = line.invited(world)
    for verb in WAYS[state]:
        with site_scope(world.north.pk):
            ACTS[verb](world, match)
    found = line.fresh(match)
    assert found.state == state
    return found


def everything(world: World) -> dict[str, Any]:
    """Return all that a move may leave behind."""
    with site_scope(world.north.pk), connection.cursor() as cursor:
        rows: dict[str, Any] = {}
        for table in (
            "matching_match",
            "matching_matchevent",
            "referrals_referral",
            "referrals_referralevent",
            "sites_notice",
            "sites_due",
            "sites_fact",
            "sites_auditentry",
            "training_supporterload",
        ):
            cursor.execute(f"SELECT array_agg(t::text ORDER BY t::text) FROM {table} AS t")
            rows[table] = cursor.fetchone()[0]
    return rows


@pytest.mark.parametrize("state", WAYS)
def test_from_each_state_these_moves_and_no_other(world: World, state: str) -> None:
    match = at(world, state)
    before = everything(world)
    for verb, act in ACTS.items():
        if verb not in MAY.get(state, {}):
            with pytest.raises(Refused), site_scope(world.north.pk):
                act(world, match)
            assert everything(world) == before, verb


@pytest.mark.parametrize(("state", "verb"), [(state, verb) for state in MAY for verb in MAY[state]])
def test_a_move_leads_where_the_table_says_and_leaves_one_event(world: World, state: str, verb: str) -> None:
    match = at(world, state)
    with site_scope(world.north.pk):
        events = MatchEvent.objects.count()
        entries = AuditEntry.objects.filter(object_kind="MATCH").count()
        ACTS[verb](world, match)
    after = line.fresh(match)
    assert after.state == MAY[state][verb]
    with site_scope(world.north.pk):
        assert MatchEvent.objects.count() == events + 1
        event = MatchEvent.objects.order_by("pk").last()
        assert (event.source, event.target) == (state, after.state)  # type: ignore[union-attr]
        assert AuditEntry.objects.filter(object_kind="MATCH").count() == entries + 1
        referral = Referral.objects.get(pk=match.referral_id)
    matched = after.state in ("CONFIRMED", "CONTACTED", "COMPLETED")
    assert referral.state == ("MATCHED" if matched else "OPEN")
    assert (after.ended_at is None) == (after.state in LIVE)


def test_the_table_and_the_test_say_the_same() -> None:
    table = {
        state: {verb: goal for verb, (sources, goal) in Match.MOVES.items() if state in sources and verb != "close"}
        for state in Match.State.values
    }
    assert {state: verbs for state, verbs in table.items() if verbs} == MAY
    with refused("MOVED_ON"):
        goal_of(Match, "accept", "DECLINED")


# Who may


@pytest.mark.parametrize(
    ("verb", "state"),
    [("accept", "INVITED"), ("decline", "INVITED"), ("record_contact", "CONFIRMED"), ("finish", "CONTACTED")],
)
def test_only_whose_match_it_is_may_move_it(world: World, verb: str, state: str) -> None:
    match = at(world, state)
    before = everything(world)
    other = supporter(world.north, "Dr Otto North")
    for by in (line.acting(other.user, "supporter"), line.administrator(world), audit.PUBLIC, audit.SYSTEM):
        with pytest.raises(Match.DoesNotExist), site_scope(world.north.pk):
            getattr(transitions, verb)(match.pk, by=by)
    with pytest.raises(Match.DoesNotExist), site_scope(world.south.pk):
        ACTS[verb](world, match)
    assert everything(world) == before


def test_another_sites_administrator_finds_nothing_to_move(world: World) -> None:
    match = at(world, "ACCEPTED")
    for verb in ("confirm", "revoke", "reassign"):
        with pytest.raises(Match.DoesNotExist), site_scope(world.south.pk):
            getattr(transitions, verb)(match.pk, by=line.administrator(world, "south"))
    with pytest.raises(Referral.DoesNotExist), site_scope(world.south.pk):
        transitions.close(match.referral_id, "DONE", by=line.administrator(world, "south"))
    assert line.fresh(match).state == "ACCEPTED"


# Inviting


def test_one_live_match_for_a_request(world: World) -> None:
    match = line.invited(world)
    other = supporter(world.north, "Dr Otto North")
    for state, verb in (("INVITED", "accept"), ("ACCEPTED", "confirm")):
        assert line.fresh(match).state == state
        with refused("INVITED_ALREADY"), site_scope(world.north.pk):
            transitions.invite(match.referral_id, other.pk, by=line.administrator(world))
        with site_scope(world.north.pk):
            ACTS[verb](world, match)
    with refused("NOT_OPEN"), site_scope(world.north.pk):
        transitions.invite(match.referral_id, other.pk, by=line.administrator(world))
    with site_scope(world.north.pk):
        assert Match.objects.count() == 1


@pytest.mark.parametrize("ending", ["decline", "expire", "revoke"])
def test_after_a_no_the_next_may_be_asked(world: World, ending: str) -> None:
    match = line.invited(world)
    other = supporter(world.north, "Dr Otto North")
    with site_scope(world.north.pk):
        ACTS[ending](world, match)
        again = transitions.invite(match.referral_id, other.pk, by=line.administrator(world))
        assert again.state == "INVITED"
        assert Match.objects.filter(state__in=LIVE).count() == 1


def test_a_supporter_of_another_site_does_not_exist(world: World) -> None:
    referral = line.request(world.north)
    with pytest.raises(PeerSupporter.DoesNotExist), site_scope(world.north.pk):
        transitions.invite(referral.pk, world.supporters["south"].pk, by=line.administrator(world))


def test_an_invitation_has_its_end_and_its_reminder(world: World) -> None:
    match = line.invited(world)
    assert match.expires_at == match.invited_at + timedelta(hours=48)
    (due,) = Due.objects.filter(kind=transitions.INVITATION)
    assert (due.object_id, due.at) == (match.pk, match.invited_at + timedelta(hours=24))


# Accepting


@pytest.mark.parametrize(
    "fields",
    [
        {"state": "LEFT"},
        {"trained_on": None},
        {"agreement_until": None},
        {"agreement_until": date(2020, 1, 1)},
    ],
    ids=["left", "untrained", "no agreement", "old agreement"],
)
def test_whose_agreement_or_training_ended_meanwhile_cannot_accept(world: World, fields: dict[str, Any]) -> None:
    match = line.invited(world)
    with site_scope(world.north.pk):
        PeerSupporter.objects.update(**fields)
    before = everything(world)
    with refused("NOT_READY"), site_scope(world.north.pk):
        ACTS["accept"](world, match)
    assert everything(world) == before


def test_caps_are_asked_again(world: World) -> None:
    matches = [line.invited(world) for _ in range(3)]
    for match in matches[:2]:
        with site_scope(world.north.pk):
            ACTS["accept"](world, match)
    with refused("CAP_LIVE"), site_scope(world.north.pk):
        ACTS["accept"](world, matches[2])
    SupporterLoad.objects.update(live=0, total=7)
    with refused("CAP_YEAR"), site_scope(world.north.pk):
        ACTS["accept"](world, matches[2])
    SupporterLoad.objects.update(live=0, total=6)
    with site_scope(world.north.pk):
        ACTS["accept"](world, matches[2])
    assert SupporterLoad.objects.values_list("live", "total").get() == (1, 7)


def test_a_cap_set_aside_at_the_invitation_is_set_aside_at_the_acceptance(world: World) -> None:
    referral = line.request(world.north)
    SupporterLoad.objects.create(user=world["north supporter"], year=localdate(tenancy.now()).year, live=2, total=7)
    with site_scope(world.north.pk):
        match = transitions.invite(
            referral.pk, world.supporters["north"].pk, by=line.administrator(world), override="AGREED"
        )
        assert (match.cap_waived, match.override) == (True, "AGREED")
        ACTS["accept"](world, match)
    assert SupporterLoad.objects.values_list("live", "total").get() == (3, 8)


# The load


@pytest.mark.parametrize(
    ("ways", "load"),
    [
        (("accept",), (1, 1)),
        (("accept", "decline"), (0, 0)),
        (("accept", "revoke"), (0, 0)),
        (("accept", "confirm", "reassign"), (0, 0)),
        (("accept", "confirm", "record_contact"), (1, 1)),
        (("accept", "confirm", "record_contact", "reassign"), (0, 1)),
        (("accept", "confirm", "record_contact", "finish"), (0, 1)),
    ],
    ids=lambda way: "-".join(map(str, way)),
)
def test_load_is_taken_and_given_back(world: World, ways: tuple[str, ...], load: tuple[int, int]) -> None:
    match = line.invited(world)
    for verb in ways:
        with site_scope(world.north.pk):
            ACTS[verb](world, match)
    assert SupporterLoad.objects.values_list("live", "total").get() == load


def test_load_is_given_back_to_the_year_it_was_taken_in(world: World) -> None:
    december = tenancy.now().replace(year=2026, month=12, day=30)
    match = line.contacted(world, now=december)
    with site_scope(world.north.pk, now=december + timedelta(days=10)):
        transitions.finish(match.pk, by=line.helper(world))
    assert list(SupporterLoad.objects.values_list("year", "live", "total")) == [(2026, 0, 1)]


# Declining


@pytest.mark.parametrize("why", ["NONE", "KNOWN", "EVALUATES"])
def test_nobody_asks_why_and_two_reasons_may_be_given(world: World, why: str) -> None:
    match = line.invited(world)
    with site_scope(world.north.pk):
        transitions.decline(match.pk, by=line.helper(world), why=why)
    assert (line.fresh(match).state, line.fresh(match).why) == ("DECLINED", why)


def test_no_other_reason_is_taken(world: World) -> None:
    match = line.invited(world)
    for why in ("MISSED", "", "he is my brother-in-law"):
        with refused("NO_SUCH_REASON"), site_scope(world.north.pk):
            transitions.decline(match.pk, by=line.helper(world), why=why)
    assert line.fresh(match).state == "INVITED"


def test_an_older_page_does_not_take_back_what_was_accepted(world: World) -> None:
    match = at(world, "ACCEPTED")
    before = everything(world)
    with refused("ACCEPTED_SINCE"), site_scope(world.north.pk):
        transitions.decline(match.pk, by=line.helper(world))
    assert everything(world) == before


def test_a_decline_is_in_no_fact(world: World) -> None:
    match = line.invited(world)
    with site_scope(world.north.pk):
        before = list(Fact.objects.values_list("measure", "category").order_by("pk"))
        transitions.decline(match.pk, by=line.helper(world), why="EVALUATES")
    with site_scope(world.north.pk):
        assert len(before) == 5
        assert list(Fact.objects.values_list("measure", "category").order_by("pk")) == before


# Find another peer


def replace(world: World, match: Match, seen: str) -> Match:
    """Invite Dr Otto in place of a match, which the administrator saw in state `seen`."""
    other = supporter(world.north, "Dr Otto North")
    with site_scope(world.north.pk):
        return transitions.invite(
            match.referral_id, other.pk, by=line.administrator(world), instead_of=transitions.SeenMatch(match.pk, seen)
        )


@pytest.mark.parametrize("state", ["CONFIRMED", "CONTACTED"])
def test_the_old_match_ends_with_the_new_invitation_and_is_told_so(world: World, state: str) -> None:
    match = at(world, state)
    assert replace(world, match, state).state == "INVITED"
    assert (line.fresh(match).state, line.fresh(match).why) == ("REASSIGNED", "NONE")
    assert line.fresh(match).referral.state == "OPEN"
    assert told(world)[-2:] == [
        ("HANDED_ON", world["north supporter"].pk),
        ("INVITED", Membership.objects.latest("pk").user_id),
    ]
    assert not Due.objects.filter(kind__in=["WINDOW", "WAITING"]).exists()


@pytest.mark.parametrize(
    ("state", "seen", "code"),
    [
        ("CONTACTED", "CONFIRMED", "CONTACTED_SINCE"),
        ("REASSIGNED", "CONFIRMED", "MOVED_ON"),
        ("COMPLETED", "CONTACTED", "MOVED_ON"),
        ("ACCEPTED", "ACCEPTED", "MOVED_ON"),
    ],
)
def test_what_moved_on_meanwhile_is_not_replaced(world: World, state: str, seen: str, code: str) -> None:
    match = at(world, state)
    with refused(code):
        replace(world, match, seen)
    with refused(code), site_scope(world.north.pk):
        transitions.reassign(match.pk, by=line.administrator(world), seen=transitions.SeenMatch(match.pk, seen))
    assert line.fresh(match).state == state
    with site_scope(world.north.pk):
        assert Match.objects.count() == 1


def test_nobody_is_replaced_by_themselves(world: World) -> None:
    match = at(world, "CONFIRMED")
    with refused("ASKED"), site_scope(world.north.pk):
        transitions.invite(
            match.referral_id,
            match.supporter_id,
            by=line.administrator(world),
            override="AGREED",
            instead_of=transitions.SeenMatch(match.pk, "CONFIRMED"),
        )
    assert line.fresh(match).state == "CONFIRMED"


# The role of a supporter


@pytest.mark.parametrize("state", ["INVITED", "ACCEPTED", "CONFIRMED", "CONTACTED"])
def test_a_role_with_open_matches_is_neither_ended_nor_changed(world: World, state: str) -> None:
    match = at(world, state)
    role, by = Membership.objects.get(user=world["north supporter"]), line.administrator(world)
    link = f'<a href="/north/requests/{match.referral.ref}/">{match.referral}</a>'
    for leave in (lambda: people.end_role(role, by=by), lambda: people.change_role(role, "lead", by=by)):
        with refused("OPEN_MATCHES") as raised, site_scope(world.north.pk):
            leave()
        sentence = "has 1 open match. First find another peer for it, or take the invitation back"
        assert sentence in raised.value.sentence and link in raised.value.sentence
    with site_scope(world.north.pk):
        transitions.close(match.referral_id, "ONWARD", by=by)
        people.end_role(role, by=by)
    assert Membership.objects.get(user=world["north supporter"]).ended_at is not None


# Telling


def told(world: World) -> list[tuple[str, int]]:
    with site_scope(world.north.pk):
        return list(Notice.objects.order_by("pk").values_list("kind", "recipient_id"))


def test_each_move_tells_whom_it_concerns(world: World) -> None:
    line.contacted(world)
    administrator, helper = world["north administrator"].pk, world["north supporter"].pk
    assert told(world) == [
        ("REQUEST", administrator),
        ("INVITED", helper),
        ("ACCEPTED", administrator),
        ("CONFIRMED", helper),
    ]


def test_every_administrator_is_told_and_no_former_one(world: World) -> None:
    second = member(world.north, "administrator", "Bea North")
    former = member(world.north, "administrator", "Old North")
    type(former.memberships.get()).objects.filter(user=former).update(ended_at=tenancy.now())
    line.request(world.north)
    assert told(world) == [("REQUEST", world["north administrator"].pk), ("REQUEST", second.pk)]


# Closing


@pytest.mark.parametrize(
    ("state", "match_after", "released"),
    [
        ("INVITED", "REVOKED", True),
        ("ACCEPTED", "REVOKED", True),
        ("CONFIRMED", "REVOKED", True),
        ("CONTACTED", "COMPLETED", False),
        ("COMPLETED", "COMPLETED", False),
        ("DECLINED", "DECLINED", False),
        ("EXPIRED", "EXPIRED", False),
    ],
)
def test_closing_a_request_ends_its_match(world: World, state: str, match_after: str, released: bool) -> None:
    match = at(world, state)
    with site_scope(world.north.pk):
        transitions.close(match.referral_id, "ONWARD", by=line.administrator(world))
        referral = Referral.objects.get(pk=match.referral_id)
        assert (referral.state, referral.outcome, referral.closed_at is None) == ("CLOSED", "ONWARD", False)
        assert ReferralEvent.objects.filter(target="CLOSED").count() == 1
    with site_scope(world.north.pk):
        assert Fact.objects.filter(measure="CLOSED").values_list("category").get() == ("ONWARD",)
    assert line.fresh(match).state == match_after
    assert [kind for kind, _ in told(world)].count("RELEASED") == released
    assert not Due.objects.filter(kind__in=["INVITATION", "WINDOW", "WAITING"]).exists()
    assert sum(SupporterLoad.objects.values_list("live", flat=True)) == 0
    with refused("MOVED_ON"), site_scope(world.north.pk):
        transitions.close(match.referral_id, "ONWARD", by=line.administrator(world))


def test_support_was_given_only_where_somebody_had_the_contact_details(world: World) -> None:
    match = line.accepted(world)
    before = everything(world)
    with refused("NEVER_MATCHED"), site_scope(world.north.pk):
        transitions.close(match.referral_id, "DONE", by=line.administrator(world))
    assert everything(world) == before
    with site_scope(world.north.pk):
        transitions.confirm(match.pk, by=line.administrator(world))
        transitions.close(match.referral_id, "DONE", by=line.administrator(world))
        assert Referral.objects.get(pk=match.referral_id).outcome == "DONE"


@pytest.mark.parametrize("outcome", ["", "NONE", "went well, we talked about his divorce"])
def test_an_outcome_is_from_the_list(world: World, outcome: str) -> None:
    referral = line.request(world.north)
    before = everything(world)
    with refused("NO_OUTCOME"), site_scope(world.north.pk):
        transitions.close(referral.pk, outcome, by=line.administrator(world))
    assert everything(world) == before
