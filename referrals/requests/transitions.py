"""The moves of a referral. Nothing else writes `Referral.state`."""

import uuid
from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from psi import tenancy, vault
from referrals.promotion import access_points
from referrals.requests.identity import Identity, elsewhere
from referrals.requests.models import Consent, ReachOut, Referral, ReferralConsent, ReferralEvent, ReferralReason
from referrals.requests.receipts import receipt_digest, receipt_of
from referrals.requests.request_facts import Ask, asked
from sites.engine import agenda, audit, facts, outbox
from sites.engine.audit import Actor
from sites.engine.moves import Refused, target
from sites.engine.references import reference
from sites.reference.models import TextVersion
from sites.reference.queries import numbers
from sites.tenants.models import Role, Site
from sites.tenants.queries import holders
from training.supporters.models import Practice, Stage

ERASE, WAITING = "ERASE", "WAITING"
# What was used for a decision about someone is kept a year, then destroyed
# (docs/rules.md#sealing-and-erasure); sealed long before (`identity.SEALED_AFTER`).
ERASED_AFTER = timedelta(days=365)
# Nothing was decided about anyone: until then it may be undone.
SPAM_ERASED_AFTER = timedelta(days=30)


def submit(
    ask: Ask,
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
        ask: closed lists only.
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
    if not claim(key):
        return receipt
    if at.pk == site.pk:
        _receive(ask, identity, home=site, receipt=receipt, texts=texts, channel=channel, by=by)
        if point:
            access_points.count(point, "sent")
    else:
        abroad = elsewhere(identity)
        with tenancy.site_scope(at.pk):
            _receive(ask, abroad, home=site, receipt=receipt, texts=texts, channel=channel, by=Actor(None, by.role))
    return receipt


def claim(key: uuid.UUID) -> bool:
    """Take the form's key; False when the form was sent before. A parallel post waits here."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO referrals_formkey (site_id, key, used_at) VALUES (%s, %s, %s)"
            " ON CONFLICT DO NOTHING RETURNING id",
            [tenancy.current_site_id(), key, tenancy.now()],
        )
        return cursor.fetchone() is not None


def _receive(
    ask: Ask,
    identity: Identity,
    *,
    home: Site,
    receipt: str,
    texts: dict[str, TextVersion],
    channel: str,
    by: Actor,
) -> Referral:
    at = tenancy.now()
    given = [{"purpose": purpose, "text": text, "channel": channel, "given_at": at} for purpose, text in texts.items()]
    referral = _write(ask, identity, home=home, digest=receipt_digest(receipt), given=given, received_at=at, by=by)
    _note(referral, None, ReferralEvent.Why.RECEIVED, by=by)
    facts.count(*asked(referral))
    return referral


def _write(
    ask: Ask,
    identity: Identity,
    *,
    home: Site | None,
    digest: bytes | memoryview | None,
    given: Iterable[dict[str, Any]],
    received_at: datetime,
    by: Actor,
) -> Referral:
    """Write an open request of the current site with its consents (`given`: their fields), and tell who chooses.

    Whoever wrote it down knows of it.
    """
    number = tenancy.next_id(Referral)
    referral = Referral(
        id=number,
        ref=reference(number),
        state=Referral.State.OPEN,
        pathway=ask.pathway,
        stage=ask.stage,
        practice=ask.practice,
        source=ask.source or None,
        event=ask.event,
        home=home,
        received_at=received_at,
        receipt_digest=digest,
        sealed=vault.seal(Referral.KIND, number, asdict(identity)),
    )
    referral.save(force_insert=True)
    vault.remember(Referral.KIND, number, {"email": identity.email, "phone": identity.phone})
    _opened(referral, ask, given, by=by)
    return referral


def _opened(referral: Referral, ask: Ask, given: Iterable[dict[str, Any]], *, by: Actor) -> None:
    ReferralReason.objects.bulk_create(ReferralReason(referral=referral, reason=code) for code in ask.reasons)
    ReferralConsent.objects.bulk_create(ReferralConsent(referral=referral, **fields) for fields in given)
    told = (user_id for user_id in holders(Role.ADMINISTRATOR) if user_id != by.user_id)
    outbox.enqueue("REQUEST", [(referral.pk, user_id) for user_id in told])
    wait(referral.pk)


def notified(identity: Identity, *, home: Site, event: str | None, text: TextVersion) -> Referral:
    """Take a reach-out whose physician has agreed, by the notifier's word: `text`. Asked again at first contact."""
    at = tenancy.now()
    ask = Ask((), Stage.UNSAID, Practice.UNSAID, Referral.Pathway.REACH_OUT, event=event)
    word = {"purpose": Consent.MATCH, "text": text, "channel": ReferralConsent.Channel.NOTIFIER, "given_at": at}
    referral = _write(ask, identity, home=home, digest=None, given=[word], received_at=at, by=audit.PUBLIC)
    _note(referral, None, ReferralEvent.Why.RECEIVED, by=audit.PUBLIC)
    facts.count(*asked(referral))
    return referral


def offered(identity: Identity, *, home: Site) -> Referral:
    """Write a reach-out whose physician has not agreed, or perhaps not: nobody may be asked for it yet."""
    number = tenancy.next_id(Referral)
    referral = Referral(
        id=number,
        ref=reference(number),
        state=Referral.State.AWAITING_CONSENT,
        pathway=Referral.Pathway.REACH_OUT,
        home=home,
        received_at=tenancy.now(),
        sealed=vault.seal(Referral.KIND, number, asdict(identity)),
    )
    referral.save(force_insert=True)
    vault.remember(Referral.KIND, number, {"email": identity.email, "phone": identity.phone})
    _note(referral, None, ReferralEvent.Why.OFFERED, by=audit.PUBLIC)
    return referral


def not_reached(referral: Referral, *, by: Actor) -> None:
    """Someone called with the offer, and nobody answered. `referral` is locked."""
    _note(referral, referral.state, ReferralEvent.Why.NOT_REACHED, by=by)


def agree(
    referral: Referral, ask: Ask, identity: Identity, *, receipt: str, text: TextVersion, channel: str, by: Actor
) -> None:
    """AWAITING → OPEN: the physician said yes to the offer. What was kept gives way to it. `referral` is locked.

    Args:
        receipt: shown or read to the physician.
        text: the wording agreed to.
        channel: of `ReferralConsent.Channel`.
    """
    referral.received_at = tenancy.now()
    referral.stage, referral.practice = ask.stage, ask.practice
    referral.receipt_digest = receipt_digest(receipt)
    vault.shred(Referral.KIND, [referral.pk])
    referral.sealed = vault.seal(Referral.KIND, referral.pk, asdict(identity))
    vault.remember(Referral.KIND, referral.pk, {"email": identity.email, "phone": identity.phone})
    changed = ("received_at", "stage", "practice", "receipt_digest", "sealed")
    _move(referral, "agree", ReferralEvent.Why.AGREED, by=by, also=changed)
    word = {"purpose": Consent.MATCH, "text": text, "channel": channel, "given_at": referral.received_at}
    _opened(referral, ask, [word], by=by)
    facts.count(*asked(referral))


def lock(referral_id: int) -> Referral:
    """Return the referral, locked until the transaction ends; the first lock of every move."""
    return Referral.objects.select_for_update(of=("self",)).get(pk=referral_id)


def wait(referral_id: int) -> None:
    """From now on nobody is asked for this request: let someone look whether that goes on too long."""
    agenda.schedule(WAITING, [referral_id], tenancy.now() + timedelta(hours=numbers()["WAIT_FIRST"]))


def match(referral: Referral, *, by: Actor) -> None:
    """OPEN → MATCHED, when a match is confirmed. `referral` is locked."""
    _move(referral, "match", ReferralEvent.Why.CONFIRMED, by=by)


def reopen(referral: Referral, *, by: Actor) -> None:
    """MATCHED → OPEN, when another peer must be found. `referral` is locked."""
    _move(referral, "reopen", ReferralEvent.Why.REASSIGNED, by=by)


def close(referral: Referral, outcome: str, *, by: Actor) -> None:
    """OPEN or MATCHED → CLOSED, with an outcome from the closed list. `referral` is locked."""
    if outcome not in Referral.Outcome.values:
        raise Refused("Please choose how it ended.")
    referral.outcome = outcome
    _end(referral, "close", ReferralEvent.Why.CLOSED, by=by, also=("outcome",))
    facts.count(("CLOSED", outcome))


def withdraw(referral: Referral, *, by: Actor) -> None:
    """OPEN or MATCHED → WITHDRAWN: sealed at once. `referral` is locked."""
    _end(referral, "withdraw", ReferralEvent.Why.WITHDRAWN, by=by)
    facts.count(("WITHDRAWN", "ALL"))


def hand_over(
    referral: Referral,
    *,
    to: Site,
    identity: Identity,
    text: TextVersion | None,
    by: Actor,
    keep: bool,
    channel: str = ReferralConsent.Channel.FORM,
) -> Referral:
    """OPEN or MATCHED → HANDED_OVER: another site gets the request under the same receipt. `referral` is locked.

    A crossing. At the other site nothing is locked, only new rows are written, so no two can wait for each other.
    The request was counted here and is not counted again there: a release adds both up.

    Args:
        identity: for the other vault, without ids that mean nothing there.
        text: the wording of the consent given now; None where it was given with the request.
        channel: how it was given.
        keep: somebody has seen the name here, so the identity is sealed; otherwise it is erased.
    """
    at = tenancy.now()
    ask = Ask(
        tuple(_reasons(referral)),
        referral.stage,
        referral.practice,
        referral.pathway,
        referral.source or "",
        referral.event,
    )
    referral.handed_to = to
    _end(referral, "hand_over", ReferralEvent.Why.HANDED_OVER, by=by, also=("handed_to",))
    if text is not None:
        shared = {"text": text, "channel": channel, "given_at": at}
        purpose = Consent.PROVINCE if to.is_province else Consent.SITE
        ReferralConsent.objects.update_or_create(referral=referral, purpose=purpose, defaults=shared)
    given: list[Any] = list(referral.consents.values("purpose", "text_id", "channel", "given_at"))
    if not keep:
        vault.shred(Referral.KIND, [referral.pk])
        referral.sealed = None
        referral.save(update_fields=["sealed"])
    facts.count(("HANDED_OVER", "ALL"))
    with tenancy.site_scope(to.pk):
        taken = _write(
            ask,
            replace(identity, notifier=""),
            home=referral.home,
            digest=referral.receipt_digest,
            given=given,
            received_at=referral.received_at,
            by=by,
        )
        _note(taken, None, ReferralEvent.Why.TAKEN_OVER, by=by)
        facts.count(("TAKEN_OVER", "ALL"))
    return taken


def erase(referral_ids: Iterable[int], *, by: Actor = audit.SYSTEM) -> None:
    """Erase requests that no match leads to (any more): the key first, then every row. Facts stay."""
    ids = sorted(referral_ids)
    vault.shred(Referral.KIND, ids)
    for model in (ReachOut, ReferralReason, ReferralConsent, ReferralEvent):
        model.objects.filter(referral_id__in=ids).delete()
    Referral.objects.filter(pk__in=ids).delete()
    for kind in (Referral.KIND, ReachOut.KIND):
        outbox.forget(kind, ids)
    for kind in (ERASE, ReachOut.KIND):
        agenda.cancel(kind, ids)
    for referral_id in ids:
        audit.record("ERASED", Referral.KIND, referral_id, by=by)


def unheard(referral: Referral, *, by: Actor) -> None:
    """The physician says that nobody has been in touch. `referral` is locked."""
    referral.unheard_at = tenancy.now()
    referral.save(update_fields=["unheard_at"])
    _note(referral, referral.state, ReferralEvent.Why.UNHEARD, by=by)


def heard(referral: Referral) -> None:
    """Something was done about it. `referral` is locked."""
    referral.unheard_at = None
    referral.save(update_fields=["unheard_at"])


def use_survey(referral: Referral) -> None:
    """Burn the right to answer the survey. `referral` is locked.

    No event and no entry of the trail: both would keep the time.
    """
    referral.surveyed = True
    referral.save(update_fields=["surveyed"])


def alerted(referral: Referral) -> None:
    """The province was told that nothing was done about it. `referral` is locked."""
    _note(referral, referral.state, ReferralEvent.Why.ALERTED, by=audit.SYSTEM)


def mark_spam(referral: Referral, *, by: Actor) -> None:
    """OPEN → SPAM: taken out of the counts, and erased after thirty days. `referral` is locked."""
    referral.closed_at = tenancy.now()
    _move(referral, "mark_spam", ReferralEvent.Why.SPAM, by=by, also=("closed_at",))
    agenda.cancel(WAITING, [referral.pk])
    agenda.schedule(ERASE, [referral.pk], referral.closed_at + SPAM_ERASED_AFTER)
    facts.take_back(*asked(referral), at=referral.received_at)


def clear_spam(referral: Referral, *, by: Actor) -> None:
    """SPAM → OPEN, when it was a mistake: counted again. `referral` is locked."""
    marked_at, referral.closed_at = referral.closed_at, None
    _move(referral, "clear_spam", ReferralEvent.Why.NOT_SPAM, by=by, also=("closed_at",))
    agenda.cancel(ERASE, [referral.pk])
    wait(referral.pk)
    assert marked_at is not None
    facts.count_again(*asked(referral), at=referral.received_at, since=marked_at)


def may_be_spam(referral: Referral) -> bool:
    """Return whether it may be marked: open, and not handed over to here by its physician's own press."""
    return (
        referral.state == Referral.State.OPEN and not referral.events.filter(why=ReferralEvent.Why.TAKEN_OVER).exists()
    )


def _reasons(referral: Referral) -> list[str]:
    return list(referral.reasons.values_list("reason", flat=True))


def _end(referral: Referral, verb: str, why: str, *, by: Actor, also: tuple[str, ...] = ()) -> None:
    referral.closed_at = tenancy.now()
    _move(referral, verb, why, by=by, also=("closed_at", *also))
    agenda.cancel(WAITING, [referral.pk])
    agenda.schedule(ERASE, [referral.pk], referral.closed_at + ERASED_AFTER)


def _move(referral: Referral, verb: str, why: str, *, by: Actor, also: tuple[str, ...] = ()) -> None:
    source = referral.state
    referral.state = target(Referral.MOVES, verb, source, "This request has moved on in the meantime.")
    referral.save(update_fields=["state", *also])
    _note(referral, source, why, by=by)


def _note(referral: Referral, source: str | None, why: str, *, by: Actor) -> None:
    ReferralEvent(
        referral=referral, source=source, target=referral.state, why=why, by_id=by.user_id, at=tenancy.now()
    ).save(force_insert=True)
    audit.record(why, Referral.KIND, referral.pk, by=by)
