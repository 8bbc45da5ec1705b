"""A request written down by an administrator: the same form, agreed to by voice."""

import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from psi.tenancy import site_scope
from referrals.requests.identity import open_for_rules
from referrals.requests.models import Referral, ReferralConsent, ReferralEvent
from referrals.requests.receipts import receipt_digest
from sites.engine.models import AuditEntry, Notice
from sites.reference.models import TextVersion
from tests.people import World

SAID = {
    "pathway": "REACH_IN",
    "peer_from": "HERE",
    "name": "Robin Example",
    "phone": "604 555 0100",
    "reasons": ["BURNOUT"],
    "spoken": "en",
    "agree_match": "on",
}


Write = Callable[..., Any]


@pytest.fixture
def written(world: World, sign_in: Callable[[Any], Client]) -> Write:
    """Send the form as the administrator."""

    def send(**said: Any) -> Any:
        browser = sign_in(world["north administrator"])
        return browser.post("/north/requests/new/", SAID | {"key": str(uuid.uuid4())} | said)

    return send


def receipt(page: Any) -> str:
    return re.sub(r"\D", "", "".join(re.findall(r"<span>([\d ]+)</span>", page.content.decode())))


def test_it_is_an_ordinary_request_with_its_consents_by_voice(world: World, written: Write) -> None:
    page = written(agree_survey="on")
    with site_scope(world.north.pk):
        referral = Referral.objects.get(receipt_digest=receipt_digest(receipt(page)))
        assert (referral.state, referral.pathway, referral.event) == ("OPEN", "REACH_IN", None)
        assert open_for_rules(referral).name == "Robin Example"
        assert set(referral.consents.values_list("purpose", "channel")) == {("MATCH", "VOICE"), ("SURVEY", "VOICE")}
        event = ReferralEvent.objects.get(referral=referral)
        assert (event.why, event.by_id) == ("RECEIVED", world["north administrator"].pk)
        entry = AuditEntry.objects.filter(action="RECEIVED").get()
        assert (entry.actor_id, entry.role) == (world["north administrator"].pk, "administrator")
        # Whoever wrote it down knows of it; the other administrators get their mail.
        told = Notice.objects.filter(kind="REQUEST", object_id=referral.pk).values_list("recipient_id", flat=True)
        assert world["north administrator"].pk not in told
    assert f"/north/requests/{referral.ref}/choose/" in page.content.decode()


def test_a_reach_out_after_an_event_keeps_the_event_and_needs_no_other_word(world: World, written: Write) -> None:
    page = written(pathway="REACH_OUT", event="DEATH")
    with site_scope(world.north.pk):
        referral = Referral.objects.get(receipt_digest=receipt_digest(receipt(page)))
        assert (referral.pathway, referral.event) == ("REACH_OUT", "DEATH")
    assert written(event="DEATH").status_code == 422


def test_sent_twice_it_is_one_request_under_the_same_receipt(world: World, written: Write) -> None:
    key = str(uuid.uuid4())
    assert receipt(written(key=key)) == receipt(written(key=key))
    with site_scope(world.north.pk):
        assert Referral.objects.count() == 1


@pytest.mark.parametrize("missing", ["pathway", "spoken", "name", "phone", "agree_match", "peer_from"])
def test_what_is_missing_is_said_and_the_rest_kept(world: World, written: Write, missing: str) -> None:
    page = written(**{missing: "", "email": ""})
    assert page.status_code == 422
    assert "Robin Example" in page.content.decode() or missing == "name"
    with site_scope(world.north.pk):
        assert not Referral.objects.exists()


def test_what_was_read_out_in_french_is_kept_in_french(world: World, written: Write) -> None:
    written(spoken="fr")
    with site_scope(world.north.pk):
        consent = ReferralConsent.objects.get()
        assert (consent.text.language, open_for_rules(consent.referral).language) == ("fr", "fr")
        assert TextVersion.objects.filter(pk=consent.text_id, language="fr").exists()


def test_from_outside_it_goes_to_the_province_which_is_told_the_role_alone(world: World, written: Write) -> None:
    page = written(peer_from="OUTSIDE")
    assert len(receipt(page)) == 16
    with site_scope(world.north.pk):
        assert not Referral.objects.exists()
    with site_scope(world.province.pk):
        referral = Referral.objects.get()
        assert set(referral.consents.values_list("purpose", "channel")) == {("MATCH", "VOICE"), ("PROVINCE", "VOICE")}
        assert ReferralEvent.objects.get(referral=referral).by_id is None
    assert f"R-{referral.ref}" not in page.content.decode()


def test_a_closed_program_takes_none(world: World, written: Write) -> None:
    world.north.is_open = False
    world.north.save()
    assert "not open" in written().content.decode()
    with site_scope(world.north.pk):
        assert not Referral.objects.exists()
