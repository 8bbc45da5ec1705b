"""Erasing a request a year after its last decision: the key first, then every row that led to it.

It lives here because it must know every table that reaches a referral. Facts stay: they have no face.
"""

from matching.models import Match, MatchEvent
from psi import vault
from referrals.models import Referral, ReferralConsent, ReferralEvent, ReferralReason
from referrals.transitions import ERASE
from sites import agenda, audit
from sites.models import Notice
from tracker.models import Interaction, ResourceOffered


def register() -> None:
    """Tell the agenda who erases."""
    agenda.register(ERASE, erase)


def erase(referral_ids: list[int]) -> None:
    """Erase closed requests of the current site: identity, matches, conversations, consents, events.

    One that is not closed (any more) is left alone.
    """
    closed = Referral.objects.select_for_update().filter(pk__in=referral_ids, state=Referral.State.CLOSED)
    ids = sorted(closed.values_list("pk", flat=True))
    matches = list(Match.objects.filter(referral_id__in=ids).values_list("pk", flat=True))
    vault.shred(Referral.KIND, ids)
    ResourceOffered.objects.filter(interaction__match_id__in=matches).delete()
    Interaction.objects.filter(match_id__in=matches).delete()
    MatchEvent.objects.filter(match_id__in=matches).delete()
    Match.objects.filter(pk__in=matches).delete()
    for model in (ReferralReason, ReferralConsent, ReferralEvent):
        model.objects.filter(referral_id__in=ids).delete()
    Referral.objects.filter(pk__in=ids).delete()
    # What was sent about them: ids of rows that are gone, of no use to anyone.
    Notice.objects.filter(kind="REQUEST", object_id__in=ids).delete()
    Notice.objects.filter(object_id__in=matches).exclude(kind__in=["REQUEST", "ACCOUNT"]).delete()
    for referral_id in ids:
        audit.record("ERASED", Referral.KIND, referral_id, by=audit.SYSTEM)
