"""A request goes to another site, with its physician's consent and under the same receipt."""

from dataclasses import replace
from typing import Any

from psi import tenancy, vault
from referrals.requests.identity import Identity
from referrals.requests.models import Consent, Referral, ReferralConsent, ReferralEvent
from referrals.requests.receiving import create_request
from referrals.requests.request_facts import RequestAnswers
from referrals.requests.transitions import end
from sites.engine import facts
from sites.engine.audit import Actor
from sites.engine.moves import leave_trace
from sites.reference.models import TextVersion
from sites.tenants.models import Site


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

    A crossing (docs/rules.md#outside-the-region). At the other site nothing is locked, only new rows are written, so
    no two can wait for each other.
    The request was counted here and is not counted again there: a release adds both up.

    Args:
        identity: for the other vault, without ids that mean nothing there.
        text: the wording of the consent given now; None where it was given with the request.
        channel: how it was given.
        keep: somebody has seen the name here, so the identity is sealed; otherwise it is erased.

    Returns:
        The request at the other site.

    Raises:
        Refused: it is neither open nor matched.
    """
    at = tenancy.now()
    answers = RequestAnswers(
        tuple(referral.reasons.values_list("reason", flat=True)),
        referral.stage,
        referral.practice,
        referral.pathway,
        referral.source or "",
        referral.event,
    )
    referral.handed_to = to
    end(referral, "hand_over", ReferralEvent.Why.HANDED_OVER, by=by, also=("handed_to",))
    if text is not None:
        shared = {"text": text, "channel": channel, "given_at": at}
        purpose = Consent.PROVINCE if to.is_province else Consent.SITE
        ReferralConsent.objects.update_or_create(referral=referral, purpose=purpose, defaults=shared)
    consents: list[Any] = list(referral.consents.values("purpose", "text_id", "channel", "given_at"))
    if not keep:
        vault.shred(Referral.KIND, [referral.pk])
        referral.sealed = None
        referral.save(update_fields=["sealed"])
    facts.count(("HANDED_OVER", "ALL"))
    with tenancy.site_scope(to.pk):
        taken_over = create_request(
            answers,
            replace(identity, notifier=""),
            home=referral.home,
            digest=referral.receipt_digest,
            consents=consents,
            received_at=referral.received_at,
            by=by,
        )
        leave_trace(taken_over, None, by=by, why=ReferralEvent.Why.TAKEN_OVER)
        facts.count(("TAKEN_OVER", "ALL"))
    return taken_over
