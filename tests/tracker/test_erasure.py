"""A year after closing, nothing of a request is left but what was counted."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection

from matching.invitations import transitions as matching
from matching.matches.models import Match, MatchEvent
from psi import tenancy, vault
from psi.tenancy import site_scope
from referrals.requests.identity import Identity, open_identity
from referrals.requests.models import Consent, Referral, ReferralConsent, ReferralEvent, ReferralReason
from referrals.requests.receiving import submit
from referrals.requests.request_facts import RequestAnswers
from sites.engine import agenda
from sites.engine.audit import Actor
from sites.engine.models import AuditEntry, Due, Fact
from sites.reference.queries import current_text
from sites.tenants.models import Role
from tests.people import World
from tracker.conversations import transitions as tracker
from tracker.conversations.choices import Minutes, Way
from tracker.conversations.models import Interaction


def closed_request(world: World) -> Referral:
    """A request that went the whole line, in the scope of the northern site."""
    answers = RequestAnswers(reasons=("BURNOUT",), stage="UNSAID", practice="UNSAID")
    texts = {Consent.MATCH.value: current_text("MATCH", "en")}
    identity = Identity(name="Canary Quill", phone="604 555 0100")
    submit(answers, identity, site=world.north, at=world.north, key=uuid.uuid4(), texts=texts)
    referral = Referral.objects.get()
    administrator = Actor(world["north administrator"].pk, Role.ADMINISTRATOR)
    supporter = Actor(world["north supporter"].pk, Role.SUPPORTER)
    match = matching.invite(referral.pk, world.supporters["north"].pk, by=administrator)
    matching.accept(match.pk, by=supporter)
    matching.confirm(match.pk, by=administrator)
    matching.record_contact(match.pk, by=supporter)
    talk = tracker.Conversation(1, Way.PHONE, Minutes.UNDER_30, 4, 2)
    tracker.record(match.pk, talk, key=uuid.uuid4(), by=supporter)
    matching.finish(match.pk, by=supporter)
    matching.close(referral.pk, "DONE", by=administrator)
    return Referral.objects.get()


def test_thirty_days_after_closing_nobody_opens_the_identity(world: World) -> None:
    administrator = Actor(world["north administrator"].pk, Role.ADMINISTRATOR)
    with site_scope(world.north.pk):
        referral = closed_request(world)
        assert open_identity(referral, by=administrator, purpose="WORK").name == "Canary Quill"
        later = tenancy.now() + timedelta(days=31)
    with site_scope(world.north.pk, now=later), pytest.raises(vault.Sealed):
        open_identity(referral, by=administrator, purpose="WORK")


def test_a_year_after_closing_it_is_gone_and_still_counted(committed_world: World) -> None:
    world = committed_world
    with site_scope(world.north.pk):
        referral = closed_request(world)
        now = tenancy.now()
    agenda.sweep(now=now + timedelta(days=364))
    with site_scope(world.north.pk):
        assert Referral.objects.filter(pk=referral.pk).exists()
        facts = Fact.objects.count()
        assert facts > 0
    agenda.sweep(now=now + timedelta(days=366))
    with site_scope(world.north.pk):
        for model in (Referral, ReferralReason, ReferralConsent, ReferralEvent, Match, MatchEvent, Interaction):
            assert not model.objects.exists(), model
        assert Fact.objects.count() == facts
        assert AuditEntry.objects.filter(action="ERASED", object_id=referral.pk).count() == 1
        with connection.cursor() as cursor:
            cursor.execute("SELECT (SELECT count(*) FROM vault.key) + (SELECT count(*) FROM vault.blind)")
            assert cursor.fetchone()[0] == 0
    assert not Due.objects.exclude(kind__in=["NOTICE", "ROLLUP"]).exists()
