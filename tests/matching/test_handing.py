"""An administrator hands a request over: with consent, to the province or a linked site, and keeps nothing else."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import localdate

from matching.candidates import queries as candidates
from matching.invitations import rematch
from matching.matches.models import Match
from matching.physician import transitions as physician_moves
from psi import tenancy, vault
from psi.tenancy import site_scope
from referrals.requests.identity import open_for_rules
from referrals.requests.models import Consent, Referral, ReferralConsent
from referrals.requests.receipts import receipt_of
from sites.engine.audit import SYSTEM
from sites.engine.models import Fact
from sites.reference.queries import current_text
from tests import line
from tests.people import World
from tests.refusals import refused
from training.supporters import lending
from training.supporters.models import PeerSupporter

SignIn = Callable[[Any], Client]


def press(client: Client, referral: Referral, **said: str) -> Any:
    return client.post(f"/north/requests/{referral.ref}/hand-over/", {"spoken": "en", **said})


def at(site: Any) -> list[Referral]:
    with site_scope(site.pk):
        return list(Referral.objects.order_by("pk"))


def test_the_words_are_read_first_and_a_yes_is_kept_with_them(world: World, sign_in: SignIn) -> None:
    referral, client = line.request(world.north, name="Robin Canary"), sign_in(world["north administrator"])
    assert "Hand over to the province" in client.get(f"/north/requests/{referral.ref}/").content.decode()
    words = client.get(f"/north/requests/{referral.ref}/hand-over/").content.decode()
    assert current_text("HAND_OVER", "en").text in words and "Canary" not in words
    answer = press(client, referral, to="province")
    assert (answer.status_code, "tick this when they say yes" in answer.content.decode()) == (422, True)
    assert at(world.province) == []
    for _ in range(2):
        assert press(client, referral, to="province", agreed="on", spoken="fr").status_code == 302
    (taken,) = at(world.province)
    (left,) = at(world.north)
    assert (left.state, left.handed_to_id, left.sealed, taken.state) == ("HANDED_OVER", world.province.pk, None, "OPEN")
    with site_scope(world.north.pk):
        with pytest.raises(vault.Sealed):
            open_for_rules(left)
        assert Fact.objects.filter(measure="HANDED_OVER").count() == 1
    with site_scope(world.province.pk):
        assert open_for_rules(taken).name == "Robin Canary"
        consent = ReferralConsent.objects.get(referral=taken, purpose=Consent.PROVINCE)
        assert (consent.channel, consent.text) == ("VOICE", current_text("HAND_OVER", "fr"))
    page = client.get(f"/north/requests/{referral.ref}/").content.decode()
    assert "Handed over to" in page and "Canary" not in page


def test_who_agreed_on_the_form_need_not_be_asked_again(world: World, sign_in: SignIn) -> None:
    referral, client = line.request(world.north), sign_in(world["north administrator"])
    with site_scope(world.north.pk):
        given = tenancy.now() - timedelta(days=2)
        text = current_text("PROVINCE", "en")
        ReferralConsent.objects.create(referral=referral, purpose=Consent.PROVINCE, text=text, given_at=given)
    assert press(client, referral, to="province").status_code == 302
    (taken,) = at(world.province)
    with site_scope(world.province.pk):
        consent = ReferralConsent.objects.get(referral=taken, purpose=Consent.PROVINCE)
        assert (consent.text, consent.channel, consent.given_at) == (text, "FORM", given)


def test_without_a_recorded_agreement_no_site_gets_a_request(world: World, sign_in: SignIn) -> None:
    referral, client = line.request(world.north), sign_in(world["north administrator"])
    assert press(client, referral, to="south", agreed="on").status_code == 422
    with site_scope(world.north.pk), refused("NO_AGREEMENT"):
        physician_moves.hand_over(referral.pk, to=world.south, text=current_text("SITE", "en"), by=SYSTEM)
    assert at(world.south) == []


def test_two_linked_sites_hand_over_and_the_receipt_leads_there(world: World, sign_in: SignIn) -> None:
    with site_scope(world.province.pk):
        today = localdate(tenancy.now())
        lending.link(one=world.south, other=world.north, reference="ISA 7", signed_on=today, ends_on=None, by=SYSTEM)
    key = uuid.uuid4()
    referral, client = line.request(world.north, key=key), sign_in(world["north administrator"])
    assert press(client, referral, to="south", agreed="on").status_code == 302
    (taken,) = at(world.south)
    assert (taken.ref != "" and taken.home_id, at(world.province)) == (world.north.pk, [])
    with site_scope(world.south.pk):
        assert ReferralConsent.objects.get(referral=taken, purpose=Consent.SITE).text == current_text("SITE", "en")
    page = Client().post("/north/status/", {"receipt": receipt_of(world.north.pk, key)}).content.decode()
    assert "Looking for a peer" in page and "from outside" not in page
    # North learns nothing of what becomes of it.
    with site_scope(world.north.pk):
        assert not Match.objects.exists()
    assert client.get(f"/south/requests/{taken.ref}/").status_code == 404


def test_a_match_that_was_running_ends_and_its_peer_is_told(world: World, sign_in: SignIn) -> None:
    match = line.fresh(line.confirmed(world))
    assert press(sign_in(world["north administrator"]), match.referral, to="province", agreed="on").status_code == 302
    after = line.fresh(match)
    assert (after.state, after.why, after.referral.sealed is not None) == ("REVOKED", "CLOSED", True)
    (taken,) = at(world.province)
    with site_scope(world.province.pk):
        assert vault.blinds(Referral.KIND, taken.pk)


def test_whom_one_of_the_two_wished_to_part_from_is_not_asked_there_either(world: World, sign_in: SignIn) -> None:
    match = line.fresh(line.confirmed(world))
    with site_scope(world.north.pk):
        rematch.hand_back(match.pk, by=line.helper(world))
        lending.lend(match.supporter_id, to=world.province, by=line.helper(world))
    press(sign_in(world["north administrator"]), match.referral, to="province", agreed="on")
    (taken,) = at(world.province)
    with site_scope(world.province.pk):
        copy = PeerSupporter.objects.get(user=world["north supporter"])
        assert [reason.code for reason in candidates.candidate_for(taken, copy.pk).hard] == ["EXCLUDED"]
