"""What administrators read of requests: in which order, how old, and of a decline nothing unless they asked."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from matching.invitations import transitions
from matching.matches.models import Match
from psi import tenancy
from psi.tenancy import site_scope
from referrals.requests import transitions as referral_moves
from sites.engine import agenda, today
from sites.engine.models import AuditEntry
from sites.tenants.models import Membership
from tests import line
from tests.people import World, member, supporter
from tests.refusals import refused

SignIn = Callable[[Any], Client]


def ago(hours: float) -> Any:
    return tenancy.now() - timedelta(hours=hours)


def rows(world: World) -> list[tuple[str, str, str]]:
    """Return (title, tone, chip or words of the window) of *Today*."""
    with site_scope(world.north.pk):
        return [(item.title, item.tone, item.chip or item.window.words) for item in today.items(world.north.slug)]


def main(answer: Any) -> str:
    """Return the words of a page's main part."""
    assert answer.status_code in (200, 422)
    return " ".join(re.sub("<[^>]+>", " ", answer.content.decode().split("<main")[1].split("</main")[0]).split())


# Find another peer


def test_looking_for_another_peer_changes_nothing(world: World, sign_in: SignIn) -> None:
    match = line.confirmed(world, now=ago(100))
    supporter(world.north, "Dr Otto North")
    client, path = sign_in(world["north administrator"]), f"/north/requests/{line.fresh(match).referral.ref}/"
    assert f'href="{path}choose/"' in client.get("/north/today/").content.decode()
    assert f'href="{path}choose/"' in client.get(path).content.decode()
    page = client.get(f"{path}choose/")
    assert "Dr Sam North has this request now (confirmed). Nothing changes until you invite somebody else" in main(page)
    assert line.fresh(match).state == "CONFIRMED"
    hidden = dict(
        re.findall(r'type="hidden" name="(instead_of|seen|supporter)" value="([^"]+)"', page.content.decode())
    )
    assert client.post(f"{path}choose/", hidden).status_code == 302
    with site_scope(world.north.pk):
        assert list(Match.objects.order_by("pk").values_list("state", flat=True)) == ["REASSIGNED", "INVITED"]


def test_a_match_may_end_before_there_is_another_peer(world: World, sign_in: SignIn) -> None:
    match = line.confirmed(world)
    path = f"/north/requests/{line.fresh(match).referral.ref}/"
    client = sign_in(world["north administrator"])
    assert "End this match for now" in main(client.get(f"{path}choose/"))
    page = main(client.post(f"{path}reassign/", follow=True))
    assert "the supporter is told not to make contact" in page
    assert "End this match for now" not in page
    assert line.fresh(match).state == "REASSIGNED"


def test_an_overdue_request_stays_overdue_when_another_peer_is_looked_for(world: World, sign_in: SignIn) -> None:
    match = line.confirmed(world, now=ago(100))
    agenda.sweep()
    ref = str(line.fresh(match).referral)
    client, path = sign_in(world["north administrator"]), f"/north/requests/{line.fresh(match).referral.ref}/"
    since = "asked 4 days ago · 72 hours missed once"
    assert rows(world) == [(f"{ref} has not been contacted", "late", "28 h past 72")]
    assert since in main(client.get(path))
    with site_scope(world.north.pk):
        transitions.reassign(match.pk, by=line.administrator(world))
    line.request(world.north, now=ago(30))
    assert rows(world)[0] == (f"{ref} needs another peer", "late", since)
    assert since in main(client.get(path))
    other = supporter(world.north, "Dr Otto North")
    with site_scope(world.north.pk):
        transitions.invite(match.referral_id, other.pk, by=line.administrator(world))
    assert (f"Dr Otto North is invited to {ref}", "late", since) in rows(world)
    assert since in main(client.get(path))


# The order of Today


def test_overdue_first_then_soon_then_the_rest(world: World) -> None:
    quiet, soon, late = line.invited(world), line.request(world.north), line.request(world.north, now=ago(25))
    running = line.confirmed(world, now=ago(60))
    later = line.request(world.north, now=ago(24.5))
    assert [(title.split()[0], tone) for title, tone, _ in rows(world)] == [
        (str(late), "late"),
        (str(later), "late"),
        (str(line.fresh(running).referral), "soon"),
        (str(soon), "soon"),
        ("Dr", "calm"),
    ]
    assert str(line.fresh(quiet).referral) in rows(world)[-1][0]


def test_overdue_comes_first_after_time_was_played_forward_too(world: World) -> None:
    line.request(world.north, now=ago(20))
    match = line.confirmed(world)
    agenda.sweep(now=tenancy.now() + timedelta(hours=73))
    assert rows(world)[0] == (f"{line.fresh(match).referral} has not been contacted", "late", "72 hours are over")


def test_an_acceptance_left_alone_is_overdue(world: World) -> None:
    line.accepted(world, now=ago(30))
    ((_, tone, chip),) = rows(world)
    assert (tone, chip) == ("late", "accepted 30 h ago")


# Declines


def test_only_the_inviter_reads_of_a_decline(world: World, sign_in: SignIn) -> None:
    match = line.invited(world, now=ago(50))
    with site_scope(world.north.pk, now=ago(10)):
        transitions.decline(match.pk, by=line.helper(world), why="KNOWN")
    other = member(world.north, "administrator", "Bea North")
    path = f"/north/requests/{line.fresh(match).referral.ref}/"
    there = ZoneInfo(world.north.time_zone)
    invited, answered = match.invited_at.astimezone(there), line.fresh(match).ended_at.astimezone(there)
    days = f"invited {invited:%-d}", f"answered {answered:%-d}"
    seen = {who.pk: main(sign_in(who).get(path)) for who in (world["north administrator"], other)}
    assert "Dr Sam North · Declined · They know each other" in seen[world["north administrator"].pk]
    assert "Dr Sam North · Answered: not available" in seen[other.pk]
    assert [word for word in ("Declined", "know each other") if word in seen[other.pk]] == []
    assert [day for page in seen.values() for day in days if day not in page] == []
    assert [main(sign_in(who).get("/north/requests/")).count("Declined") for who in (other,)] == [0]


def test_a_finished_request_is_not_called_matched(world: World, sign_in: SignIn) -> None:
    match = line.contacted(world)
    with site_scope(world.north.pk):
        transitions.finish(match.pk, by=line.helper(world))
    client = sign_in(world["north administrator"])
    for path in ("/north/requests/", f"/north/requests/{line.fresh(match).referral.ref}/"):
        page = main(client.get(path))
        assert ("Finished, to be closed" in page, "Matched" in page) == (True, False)


# Closing


@pytest.mark.parametrize(("make", "open_", "given"), [(line.invited, False, False), (line.contacted, False, True)])
def test_closing_offers_what_can_be_true_and_is_folded_until_it_is_next(
    world: World, sign_in: SignIn, make: Callable[[World], Match], open_: bool, given: bool
) -> None:
    match = make(world)
    client, path = sign_in(world["north administrator"]), f"/north/requests/{line.fresh(match).referral.ref}/"
    page = client.get(path)
    assert ("Support was given" in main(page), '<details class="card" open>' in page.content.decode()) == (given, open_)
    if given:
        with site_scope(world.north.pk):
            transitions.finish(match.pk, by=line.helper(world))
        assert '<details class="card" open>' in client.get(path).content.decode()


def test_a_refused_closing_is_said_on_the_page(world: World, sign_in: SignIn) -> None:
    match = line.confirmed(world)
    client, path = sign_in(world["north administrator"]), f"/north/requests/{line.fresh(match).referral.ref}/"
    with site_scope(world.north.pk):
        transitions.close(match.referral_id, "ONWARD", by=line.administrator(world))
    answer = client.post(f"{path}close/", {"outcome": "DONE"})
    assert (answer.status_code, "moved on in the meantime" in main(answer)) == (422, True)


# Addresses of buttons


def test_the_address_of_a_button_leads_to_its_page(world: World, sign_in: SignIn) -> None:
    ref = line.fresh(line.invited(world)).referral.ref
    for who, page, verbs in (
        ("north administrator", f"/north/requests/{ref}/", "confirm revoke reassign close"),
        ("north supporter", f"/north/my/{ref}/", "accept decline contacted finish"),
    ):
        client = sign_in(world[who])
        for verb in verbs.split():
            assert client.get(f"{page}{verb}/").headers["Location"] == page
            assert client.get(page.replace(ref, "2222") + f"{verb}/").status_code == 404
            assert client.put(f"{page}{verb}/").status_code == 405


def test_an_older_page_of_a_supporter_leads_to_the_button_that_says_it(world: World, sign_in: SignIn) -> None:
    match = line.accepted(world)
    page = f"/north/my/{line.fresh(match).referral.ref}/"
    client = sign_in(world["north supporter"])
    answer = client.post(
        f"{page}decline/", {"why": "NONE"}, follow=True, headers={"Referer": f"http://testserver{page}"}
    )
    assert "You have accepted in the meantime." in answer.content.decode()
    assert "I cannot do it after all" in main(answer)
    assert line.fresh(match).state == "ACCEPTED"
    assert client.post(f"{page}decline/", {"why": "NONE", "seen": "ACCEPTED"}).status_code == 302
    assert line.fresh(match).state == "DECLINED"


# People


def test_whose_role_may_not_end_yet_is_said_with_links(world: World, sign_in: SignIn) -> None:
    match = line.confirmed(world)
    role = Membership.objects.get(user=world["north supporter"])
    path = f"/north/settings/people/{role.pk}/"
    answer = sign_in(world["north administrator"]).post(
        path, {"do": "end"}, follow=True, headers={"Referer": f"http://testserver{path}"}
    )
    assert f'<a href="/north/requests/{line.fresh(match).referral.ref}/">' in answer.content.decode()
    assert Membership.objects.get(pk=role.pk).ended_at is None


# Someone calls whose receipt is lost


def test_a_caller_is_found_by_what_they_left_and_told_how_it_stands(world: World, sign_in: SignIn) -> None:
    client, path = sign_in(world["north administrator"]), "/north/requests/caller/"
    at = tenancy.now()
    match = line.confirmed(world, now=at, phone="604 555 0177", email="robin@clinic.example.org")
    match = line.fresh(match)
    other = line.request(world.north, phone="604 555 0178")
    line.request(world.south, phone="604 555 0179")
    by = f"{(at + timedelta(hours=72)).astimezone(ZoneInfo('America/Vancouver')):%A %-d %B, %H:%M}"
    for typed in ("+1 (604) 555-0177", " Robin@Clinic.example.org"):
        said = main(client.post(path, {"contact": typed}))
        assert f"A peer has agreed, and will be in touch by {by}." in said
        assert match.referral.ref in said and "555" not in said and "Robin" not in said
    assert "We have your request, and are looking for a peer." in main(client.post(path, {"contact": "604-555-0178"}))
    # Another site's, one that is sealed by now, and what nobody left, look the same.
    with site_scope(world.north.pk):
        referral_moves.withdraw(referral_moves.lock(other.pk), by=line.administrator(world))
    for typed in ("604 555 0179", "604 555 0178", "604 555 9999"):
        assert "No request here was sent with this." in main(client.post(path, {"contact": typed}))
    assert "Enter a whole phone number or email address." in main(client.post(path, {"contact": "0177"}))
    with site_scope(world.north.pk):
        looked = list(AuditEntry.objects.filter(action="CALLER").order_by("number").values_list("object_id", flat=True))
    assert looked == [match.referral_id] * 2 + [other.pk] + [None] * 3
    assert sign_in(world["north lead"]).post(path, {"contact": "604 555 0177"}).status_code == 403


def test_a_role_that_ended_already_says_so(world: World, sign_in: SignIn) -> None:
    client = sign_in(world["north administrator"])
    path = f"/north/settings/people/{Membership.objects.get(user=world['north lead']).pk}/"
    for words in ("The role has ended. It took effect at once.", "This role ended already."):
        assert words in main(client.post(path, {"do": "end"}, follow=True))


def test_who_was_in_contact_was_reached(world: World) -> None:
    match = line.contacted(world)
    with refused("WAS_REACHED"), site_scope(world.north.pk):
        transitions.close(match.referral_id, "UNREACHED", by=line.administrator(world))
    with site_scope(world.north.pk):
        transitions.close(match.referral_id, "DECLINED", by=line.administrator(world))
