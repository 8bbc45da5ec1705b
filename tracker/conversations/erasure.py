"""Erasing a request a year after its last decision, or spam: the key first, then every row that led to it.

It lives here because it must know every table that reaches a referral. Facts stay: they have no face.
"""

from matching.invitations.notices import FOR_ADMINISTRATOR, FOR_SUPPORTER
from matching.matches.models import Match, MatchEvent
from psi import vault
from referrals.requests import transitions as referral_moves
from referrals.requests.models import Referral
from sites.engine import agenda, outbox
from tracker.conversations.models import Interaction, ResourceOffered

ENDED = (Referral.State.CLOSED, Referral.State.WITHDRAWN, Referral.State.HANDED_OVER, Referral.State.SPAM)


def register() -> None:
    """Tell the agenda who erases."""
    agenda.register(referral_moves.ERASE, erase)


def erase(referral_ids: list[int]) -> None:
    """Erase ended requests and spam of the current site: identity, matches, conversations, consents, events.

    One that has not ended is left alone.
    """
    closed = Referral.objects.select_for_update().filter(pk__in=referral_ids, state__in=ENDED)
    ids = sorted(closed.values_list("pk", flat=True))
    matches = list(Match.objects.filter(referral_id__in=ids).values_list("pk", flat=True))
    vault.shred(Referral.KIND, ids)
    ResourceOffered.objects.filter(interaction__match_id__in=matches).delete()
    Interaction.objects.filter(match_id__in=matches).delete()
    MatchEvent.objects.filter(match_id__in=matches).delete()
    Match.objects.filter(pk__in=matches).delete()
    for target in (FOR_SUPPORTER, FOR_ADMINISTRATOR):
        outbox.forget(target, matches)
    referral_moves.erase(ids)
