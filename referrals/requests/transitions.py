"""The moves of a request that is there; `receiving` and `hand_over` make new ones."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext as _

from psi import tenancy, vault
from referrals.requests.identity import Identity
from referrals.requests.models import Consent, ReachOut, Referral, ReferralConsent, ReferralEvent, ReferralReason
from referrals.requests.receipts import receipt_digest
from referrals.requests.request_facts import RequestAnswers, facts_of
from sites.engine import agenda, audit, facts, outbox
from sites.engine.audit import Actor
from sites.engine.moves import Refused, ensure_allowed, leave_trace, move
from sites.reference.models import TextVersion
from sites.reference.queries import province_settings
from sites.tenants.models import Role
from sites.tenants.queries import members_with_role

ERASE, WAITING = "ERASE", "WAITING"
# What was used for a decision about someone is kept a year, then destroyed
# (docs/rules.md#sealing-and-erasure); sealed long before (`identity.SEALED_AFTER`).
ERASED_AFTER = timedelta(days=365)
# Nothing was decided about anyone: until then it may be undone.
SPAM_ERASED_AFTER = timedelta(days=30)


def begin_search(referral: Referral, answers: RequestAnswers, consents: Iterable[dict[str, Any]], *, by: Actor) -> None:
    """Write the reasons and consents of a request that is open from now on, and mail those who choose a peer.

    Args:
        referral: new, or locked.
        answers: what the form says.
        consents: fields of each `ReferralConsent`.
        by: who wrote it down, and so needs no mail about it.
    """
    ReferralReason.objects.bulk_create(ReferralReason(referral=referral, reason=code) for code in answers.reasons)
    ReferralConsent.objects.bulk_create(ReferralConsent(referral=referral, **fields) for fields in consents)
    others = (user_id for user_id in members_with_role(Role.ADMINISTRATOR) if user_id != by.user_id)
    outbox.enqueue("REQUEST", [(referral.pk, user_id) for user_id in others])
    schedule_wait(referral.pk)


def note_unanswered_call(referral: Referral, *, by: Actor) -> None:
    """Note that someone called with the offer, and nobody answered. `referral` is locked."""
    leave_trace(referral, referral.state, by=by, why=ReferralEvent.Why.NOT_REACHED)


def agree(
    referral: Referral,
    answers: RequestAnswers,
    identity: Identity,
    *,
    receipt: str,
    text: TextVersion,
    channel: str,
    by: Actor,
) -> None:
    """AWAITING → OPEN: the physician said yes to the offer. `referral` is locked.

    Args:
        answers: what they added.
        identity: takes the place of the one in the vault.
        receipt: shown or read to the physician.
        text: the wording agreed to.
        channel: of `ReferralConsent.Channel`.

    Raises:
        Refused: it awaits no answer any more.
    """
    ensure_allowed(referral, "agree")
    referral.received_at = tenancy.now()
    referral.stage, referral.practice = answers.stage, answers.practice
    referral.receipt_digest = receipt_digest(receipt)
    vault.shred(Referral.KIND, [referral.pk])
    referral.sealed = vault.seal(Referral.KIND, referral.pk, asdict(identity))
    vault.remember(Referral.KIND, referral.pk, {"email": identity.email, "phone": identity.phone})
    changed = ("received_at", "stage", "practice", "receipt_digest", "sealed")
    move(referral, "agree", by=by, why=ReferralEvent.Why.AGREED, also=changed)
    consent = {"purpose": Consent.MATCH, "text": text, "channel": channel, "given_at": referral.received_at}
    begin_search(referral, answers, [consent], by=by)
    facts.count(*facts_of(referral))


def lock(referral_id: int) -> Referral:
    """Return the referral, locked until the transaction ends; the first lock of every move."""
    return Referral.objects.select_for_update(of=("self",)).get(pk=referral_id)


def schedule_wait(referral_id: int) -> None:
    """Schedule a look at a request for which nobody is asked from now on (docs/rules.md#waiting-request)."""
    agenda.schedule(WAITING, [referral_id], tenancy.now() + timedelta(hours=province_settings()["WAIT_FIRST"]))


def match(referral: Referral, *, by: Actor) -> None:
    """OPEN → MATCHED, when a match is confirmed. `referral` is locked."""
    move(referral, "match", by=by, why=ReferralEvent.Why.CONFIRMED)


def reopen(referral: Referral, *, by: Actor) -> None:
    """MATCHED → OPEN, when another peer must be found. `referral` is locked."""
    move(referral, "reopen", by=by, why=ReferralEvent.Why.REASSIGNED)


def close(referral: Referral, outcome: str, *, by: Actor) -> None:
    """OPEN or MATCHED → CLOSED, with an outcome from the closed list. `referral` is locked."""
    if outcome not in Referral.Outcome.values:
        raise Refused("NO_OUTCOME", _("Please choose how it ended."))
    referral.outcome = outcome
    end(referral, "close", ReferralEvent.Why.CLOSED, by=by, also=("outcome",))
    facts.count(("CLOSED", outcome))


def withdraw(referral: Referral, *, by: Actor) -> None:
    """OPEN or MATCHED → WITHDRAWN: sealed at once. `referral` is locked."""
    end(referral, "withdraw", ReferralEvent.Why.WITHDRAWN, by=by)
    facts.count(("WITHDRAWN", "ALL"))


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


def mark_no_contact(referral: Referral, *, by: Actor) -> None:
    """Note that the physician says nobody has been in touch. `referral` is locked."""
    referral.unheard_at = tenancy.now()
    referral.save(update_fields=["unheard_at"])
    leave_trace(referral, referral.state, by=by, why=ReferralEvent.Why.UNHEARD)


def clear_no_contact(referral: Referral) -> None:
    """Take the note back, because something was done about it. `referral` is locked."""
    referral.unheard_at = None
    referral.save(update_fields=["unheard_at"])


def use_survey(referral: Referral) -> None:
    """Burn the right to answer the survey. `referral` is locked.

    No event and no entry of the trail: both would keep the time.
    """
    referral.surveyed = True
    referral.save(update_fields=["surveyed"])


def note_alert(referral: Referral) -> None:
    """Note that the province was told that nothing was done about it. `referral` is locked."""
    leave_trace(referral, referral.state, by=audit.SYSTEM, why=ReferralEvent.Why.ALERTED)


def mark_spam(referral: Referral, *, by: Actor) -> None:
    """OPEN → SPAM: taken out of the counts, and erased after thirty days. `referral` is locked."""
    referral.closed_at = tenancy.now()
    move(referral, "mark_spam", by=by, why=ReferralEvent.Why.SPAM, also=("closed_at",))
    agenda.cancel(WAITING, [referral.pk])
    agenda.schedule(ERASE, [referral.pk], referral.closed_at + SPAM_ERASED_AFTER)
    facts.take_back(*facts_of(referral), at=referral.received_at)


def clear_spam(referral: Referral, *, by: Actor) -> None:
    """SPAM → OPEN, when it was a mistake: counted again. `referral` is locked."""
    marked_at, referral.closed_at = referral.closed_at, None
    move(referral, "clear_spam", by=by, why=ReferralEvent.Why.NOT_SPAM, also=("closed_at",))
    agenda.cancel(ERASE, [referral.pk])
    schedule_wait(referral.pk)
    assert marked_at is not None
    facts.count_again(*facts_of(referral), at=referral.received_at, since=marked_at)


def can_be_spam(referral: Referral) -> bool:
    """Return whether it may be marked: open, and not handed over to here by its physician's own press."""
    return (
        referral.state == Referral.State.OPEN and not referral.events.filter(why=ReferralEvent.Why.TAKEN_OVER).exists()
    )


def end(referral: Referral, verb: str, why: str, *, by: Actor, also: tuple[str, ...] = ()) -> None:
    """End a request by one of its moves: nobody waits for it any more, and it is erased in a year.

    Args:
        referral: locked.
        verb: of `Referral.MOVES`.
        why: code of `ReferralEvent.Why`.
        by: who ends it.
        also: names of other fields to write.

    Raises:
        Refused: the move does not start from where the request stands.
    """
    referral.closed_at = tenancy.now()
    move(referral, verb, by=by, why=why, also=("closed_at", *also))
    agenda.cancel(WAITING, [referral.pk])
    agenda.schedule(ERASE, [referral.pk], referral.closed_at + ERASED_AFTER)
