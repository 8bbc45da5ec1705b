"""How a request comes in: sent by the physician, written down for them, or told of by a notifier."""

import uuid
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import connection

from psi import tenancy, vault
from referrals.promotion import access_points
from referrals.requests.identity import Identity, for_other_site
from referrals.requests.models import Consent, Referral, ReferralConsent, ReferralEvent
from referrals.requests.receipts import receipt_digest, receipt_of
from referrals.requests.request_facts import RequestAnswers, facts_of
from referrals.requests.transitions import begin_search
from sites.engine import audit, facts
from sites.engine.audit import Actor
from sites.engine.moves import leave_trace
from sites.engine.references import reference
from sites.reference.models import TextVersion
from sites.tenants.models import Site
from training.supporters.models import Practice, Stage


def submit(
    answers: RequestAnswers,
    identity: Identity,
    *,
    site: Site,
    at: Site,
    key: uuid.UUID,
    texts: dict[str, TextVersion],
    point: str = "",
    channel: str = ReferralConsent.Channel.FORM,
    by: Actor = audit.PUBLIC,
) -> str:
    """Take a request once, and return its receipt.

    Called in the scope of `site`, under which the form's key is claimed; the referral is made at `at`.
    When these differ this is the crossing "request outside the region": the local site keeps the key
    of a form, and nothing else (docs/rules.md#outside-the-region).

    Args:
        answers: closed lists only.
        identity: for the vault of `at`.
        site: the site of the URL.
        at: the same site, or the province.
        key: the form's idempotency key.
        texts: purpose → the wording agreed to.
        point: code of the access point it came by; counted for the site's own requests alone.
        channel: how the consents were given.
        by: who wrote it down; the province is told the role, not the person.
    """
    receipt = receipt_of(site.pk, key)
    if not claim_key(key):
        return receipt
    if at.pk == site.pk:
        _receive(answers, identity, home=site, receipt=receipt, texts=texts, channel=channel, by=by)
        if point:
            access_points.count(point, "sent")
    else:
        abroad = for_other_site(identity)
        with tenancy.site_scope(at.pk):
            by_role = Actor(None, by.role)
            _receive(answers, abroad, home=site, receipt=receipt, texts=texts, channel=channel, by=by_role)
    return receipt


def claim_key(key: uuid.UUID) -> bool:
    """Take the key of a form, and return False when the form was sent before. A parallel post waits here."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO referrals_formkey (site_id, key, used_at) VALUES (%s, %s, %s)"
            " ON CONFLICT DO NOTHING RETURNING id",
            [tenancy.current_site_id(), key, tenancy.now()],
        )
        return cursor.fetchone() is not None


def _receive(
    answers: RequestAnswers,
    identity: Identity,
    *,
    home: Site,
    receipt: str,
    texts: dict[str, TextVersion],
    channel: str,
    by: Actor,
) -> None:
    at = tenancy.now()
    consents = [
        {"purpose": purpose, "text": text, "channel": channel, "given_at": at} for purpose, text in texts.items()
    ]
    digest = receipt_digest(receipt)
    referral = create_request(answers, identity, home=home, digest=digest, consents=consents, received_at=at, by=by)
    leave_trace(referral, None, by=by, why=ReferralEvent.Why.RECEIVED)
    facts.count(*facts_of(referral))


def create_request(
    answers: RequestAnswers,
    identity: Identity,
    *,
    home: Site | None,
    digest: bytes | memoryview | None,
    consents: Iterable[dict[str, Any]],
    received_at: datetime,
    by: Actor,
) -> Referral:
    """Write an open request of the current site with its consents, and mail those who choose a peer.

    The caller leaves its trace and counts it.

    Args:
        answers: closed lists only.
        identity: for the vault of the current site.
        home: the site whose form was opened.
        digest: of the receipt, 32 bytes; None where the physician has none.
        consents: fields of each `ReferralConsent`.
        received_at: when the physician asked.
        by: who wrote it down, and so needs no mail about it.
    """
    referral = _new(identity, home=home, received_at=received_at, state=Referral.State.OPEN, pathway=answers.pathway)
    referral.stage, referral.practice = answers.stage, answers.practice
    referral.source, referral.event = answers.source or None, answers.event
    referral.receipt_digest = digest
    _save(referral, identity)
    begin_search(referral, answers, consents, by=by)
    return referral


def create_agreed_reach_out(identity: Identity, *, home: Site, event: str | None, text: TextVersion) -> Referral:
    """Take a reach-out whose physician has agreed, by the notifier's word. They are asked again at first contact.

    Args:
        identity: for the vault.
        home: the site of the form.
        event: code of `EventKind`, or None.
        text: the wording in which the notifier said so.
    """
    at = tenancy.now()
    answers = RequestAnswers((), Stage.UNSAID, Practice.UNSAID, Referral.Pathway.REACH_OUT, event=event)
    consent = {"purpose": Consent.MATCH, "text": text, "channel": ReferralConsent.Channel.NOTIFIER, "given_at": at}
    referral = create_request(
        answers, identity, home=home, digest=None, consents=[consent], received_at=at, by=audit.PUBLIC
    )
    leave_trace(referral, None, by=audit.PUBLIC, why=ReferralEvent.Why.RECEIVED)
    facts.count(*facts_of(referral))
    return referral


def create_offer(identity: Identity, *, home: Site) -> Referral:
    """Write a reach-out whose physician has not agreed, or perhaps not: nobody may be asked for it yet."""
    state, pathway = Referral.State.AWAITING_CONSENT, Referral.Pathway.REACH_OUT
    referral = _new(identity, home=home, received_at=tenancy.now(), state=state, pathway=pathway)
    _save(referral, identity)
    leave_trace(referral, None, by=audit.PUBLIC, why=ReferralEvent.Why.OFFERED)
    return referral


def _new(identity: Identity, *, home: Site | None, received_at: datetime, state: str, pathway: str) -> Referral:
    number = tenancy.next_id(Referral)
    return Referral(
        id=number,
        ref=reference(number),
        state=state,
        pathway=pathway,
        home=home,
        received_at=received_at,
        sealed=vault.seal(Referral.KIND, number, asdict(identity)),
    )


def _save(referral: Referral, identity: Identity) -> None:
    referral.save(force_insert=True)
    vault.remember(Referral.KIND, referral.pk, {"email": identity.email, "phone": identity.phone})
