"""What follows an answer: the next candidate, a match confirmed at once, another peer, the province after a day."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from matching.invitations import next_candidate, rematch, transitions
from matching.matches.models import Alert, Match, Prepared
from psi import tenancy
from psi.tenancy import site_scope
from referrals.requests.models import Referral
from sites.engine import agenda, today
from sites.engine.models import Due, Notice
from sites.tenants.models import Site
from tests import line
from tests.people import World, supporter
from tests.refusals import refused

SignIn = Callable[[Any], Client]
HOUR = timedelta(hours=1)


def chosen(world: World, **options: bool) -> None:
    Site.objects.filter(pk=world.north.pk).update(**options)


def titles(world: World, at: str = "north") -> list[tuple[str, str]]:
    site = getattr(world, at)
    with site_scope(site.pk):
        return [(item.title, item.label) for item in today.items(site.slug)]


def states(match: Match) -> list[str]:
    with site_scope(match.site_id):
        return list(Match.objects.filter(referral=match.referral_id).order_by("pk").values_list("state", flat=True))


def no(world: World, match: Match) -> None:
    with site_scope(match.site_id):
        transitions.decline(match.pk, by=line.helper(world))
    agenda.sweep()


def test_after_a_no_the_next_is_prepared_and_one_press_invites_them(world: World, sign_in: SignIn) -> None:
    otto = supporter(world.north, "Dr Otto North")
    match = line.invited(world)
    no(world, match)
    ref = match.referral
    assert (f"{ref} needs another peer", "Invite Dr Otto North") in titles(world)
    client = sign_in(world["north administrator"])
    page = client.get("/north/today/").content.decode()
    path = f"/north/requests/{ref.ref}/next/{otto.user_id}/"
    assert path in page and f"/north/requests/{ref.ref}/choose/" in page
    assert client.get(path).status_code == 302 and states(match) == ["DECLINED"]
    client.post(path)
    client.post(path)
    assert states(match) == ["DECLINED", "INVITED"]
    with site_scope(world.north.pk):
        assert not Prepared.objects.exists()
        assert Match.objects.get(state="INVITED").supporter_id == otto.pk


def test_who_became_unavailable_meanwhile_is_not_invited_by_the_press(world: World) -> None:
    otto = supporter(world.north, "Dr Otto North")
    match = line.invited(world)
    no(world, match)
    with site_scope(world.north.pk):
        type(otto).objects.filter(pk=otto.pk).update(state="PREPARING")
        with refused("INACTIVE"):
            next_candidate.invite(match.referral_id, otto.user_id, by=line.administrator(world))
    assert states(match) == ["DECLINED"]


def test_where_nobody_is_left_the_administrators_are_told_and_nobody_is_prepared(world: World) -> None:
    match = line.invited(world)
    no(world, match)
    with site_scope(world.north.pk):
        assert not Prepared.objects.exists()
        assert Notice.objects.filter(kind="UNMATCHED", object_id=match.pk).exists()
    assert (f"{match.referral} needs another peer", "Choose a peer") in titles(world)


def test_a_site_may_let_invitations_follow_one_another_until_nobody_is_left(world: World) -> None:
    chosen(world, send_next=True)
    for name in ("Dr Otto North", "Dr Petra North"):
        supporter(world.north, name)
    start = tenancy.now() - 300 * HOUR
    match = line.invited(world, now=start)
    for hour in range(1, 160):
        agenda.sweep(now=start + hour * HOUR)
    assert states(match) == ["EXPIRED"] * 3
    with site_scope(world.north.pk):
        asked = Match.objects.filter(referral=match.referral_id).values_list("supporter_id", "invited_at")
        assert len({who for who, _at in asked}) == 3
        assert [round((at - start) / HOUR) for _who, at in asked.order_by("pk")] == [0, 48, 96]
        told = Notice.objects.filter(kind="UNMATCHED").values_list("object_id", flat=True)
        assert list(told) == [Match.objects.order_by("-pk").values_list("pk", flat=True)[0]]


def test_nobody_is_invited_by_itself_against_a_soft_rule_or_after_a_match_ended(world: World) -> None:
    chosen(world, send_next=True)
    otto = supporter(world.north, "Dr Otto North", paused_until="2099-01-01")
    match = line.invited(world)
    no(world, match)
    assert states(match) == ["DECLINED"]
    with site_scope(world.north.pk):
        type(otto).objects.filter(pk=otto.pk).update(paused_until=None)
    second = line.confirmed(world)
    with site_scope(world.north.pk):
        transitions.reassign(second.pk, by=line.administrator(world))
    agenda.sweep()
    assert states(second) == ["REASSIGNED"]
    with site_scope(world.north.pk):
        assert Prepared.objects.get(referral=second.referral_id).supporter_id == otto.pk


def test_a_worker_that_looks_twice_prepares_once(world: World) -> None:
    supporter(world.north, "Dr Otto North")
    match = line.invited(world)
    no(world, match)
    with site_scope(world.north.pk):
        next_candidate.handle([match.referral_id])
        next_candidate.handle([match.referral_id])
        assert Prepared.objects.count() == 1
        assert Notice.objects.filter(kind="UNMATCHED").count() == 1


def test_a_request_that_is_gone_or_closed_by_then_is_left_alone(world: World) -> None:
    supporter(world.north, "Dr Otto North")
    match = line.invited(world)
    with site_scope(world.north.pk):
        transitions.decline(match.pk, by=line.helper(world))
        transitions.close(match.referral_id, "DECLINED", by=line.administrator(world))
        agenda.schedule(transitions.NEXT, [0], tenancy.now())
    agenda.sweep()
    with site_scope(world.north.pk):
        assert not Prepared.objects.exists()
    assert not Due.objects.filter(kind=transitions.NEXT).exists()


def test_confirmed_at_once_where_the_site_chose_so(world: World) -> None:
    chosen(world, confirm_at_once=True)
    match = line.accepted(world)
    after = line.fresh(match)
    assert (after.state, after.confirmed_at == after.accepted_at, after.referral.state) == (
        "CONFIRMED",
        True,
        "MATCHED",
    )
    with site_scope(world.north.pk):
        kinds = set(Notice.objects.filter(object_id=match.pk).values_list("kind", flat=True))
        moves = match.events.order_by("pk").values_list("source", "target")  # type: ignore[attr-defined]
        assert list(moves) == [(None, "INVITED"), ("INVITED", "ACCEPTED"), ("ACCEPTED", "CONFIRMED")]
    assert "CONFIRMED" in kinds and "ACCEPTED" not in kinds


@pytest.mark.parametrize("made", [line.confirmed, line.contacted])
def test_a_supporter_who_cannot_go_on_gives_it_back_and_is_not_offered_again(
    world: World, sign_in: SignIn, made: Any
) -> None:
    otto = supporter(world.north, "Dr Otto North")
    match = line.fresh(made(world))
    client = sign_in(world["north supporter"])
    page = client.get(f"/north/my/{match.referral.ref}/").content.decode()
    assert "nobody asks you why" in page
    for _ in range(2):
        client.post(f"/north/my/{match.referral.ref}/hand-back/")
    agenda.sweep()
    after = line.fresh(match)
    assert (after.state, after.why, after.referral.state) == ("REASSIGNED", "WISH", "OPEN")
    with site_scope(world.north.pk):
        assert Prepared.objects.get().supporter_id == otto.pk
        with refused("REFUSED"):
            transitions.invite(after.referral_id, after.supporter_id, by=line.administrator(world))
        assert Referral.objects.get(pk=after.referral_id).sealed is not None
    text = sign_in(world["north administrator"]).get(f"/north/requests/{match.referral.ref}/").content.decode()
    assert "not for this request" in text and "At the wish" not in text


def test_someone_elses_match_cannot_be_given_back(world: World) -> None:
    otto = supporter(world.north, "Dr Otto North")
    match = line.confirmed(world)
    with site_scope(world.north.pk), pytest.raises(Match.DoesNotExist):
        rematch.hand_back(match.pk, by=line.acting(otto.user, "supporter"))


# A day after the window was missed


def missed(world: World, hours: int) -> Match:
    start = tenancy.now() - 300 * HOUR
    match = line.confirmed(world, now=start)
    for hour in range(70, hours + 1):
        agenda.sweep(now=start + hour * HOUR)
    return line.fresh(match)


def test_a_day_after_the_window_was_missed_the_province_sees_site_and_code(world: World, mailoutbox: Any) -> None:
    match = missed(world, 95)
    with site_scope(world.province.pk):
        assert not Alert.objects.exists()
    agenda.sweep(now=match.confirmed_at + 96 * HOUR)
    agenda.sweep(now=match.confirmed_at + 97 * HOUR)
    with site_scope(world.province.pk):
        (alert,) = Alert.objects.all()
        assert (alert.origin, alert.kind, alert.ref) == (world.north, "MISSED", match.referral.ref)
    row = (f"North Division: nobody has been in touch about {match.referral}", "Open the site")
    assert row in titles(world, "province")
    assert [mail.to for mail in mailoutbox if "coordinator" in mail.to[0] or "cora" in mail.to[0]] != []
    with site_scope(world.north.pk, now=match.confirmed_at + 98 * HOUR):
        transitions.record_contact(match.pk, by=line.helper(world))
    assert row not in titles(world, "province")


def test_who_acts_in_time_is_not_told_of(world: World) -> None:
    match = missed(world, 80)
    with site_scope(world.north.pk, now=match.confirmed_at + 81 * HOUR):
        transitions.reassign(match.pk, by=line.administrator(world))
    agenda.sweep(now=match.confirmed_at + 120 * HOUR)
    with site_scope(world.province.pk):
        assert not Alert.objects.exists()
