"""Who could be next: after a no, no answer or a match that ended, the next candidate is prepared on *Today*.

A worker looks, so that nobody who declines waits for it. A site may choose that the invitation goes out by itself.
"""

from matching.candidates import queries as candidates
from matching.candidates import ranking
from matching.candidates.ranking import Offer
from matching.invitations import transitions
from matching.invitations.transitions import NEXT
from matching.matches.models import LIVE, Match, Prepared
from psi import tenancy
from referrals.requests import transitions as referral_moves
from referrals.requests.models import Referral
from sites.engine import agenda
from sites.engine.audit import SYSTEM, Actor
from sites.engine.moves import MOVED_ON, Refused
from sites.tenants.models import Site

# After these nobody had the contact details yet, so that the next may be asked without a person looking.
UNANSWERED = (Match.State.DECLINED, Match.State.EXPIRED)


def register() -> None:
    """Register the handler that looks for the next candidate with the agenda."""
    agenda.register(NEXT, handle)


def handle(ids: list[int]) -> None:
    """Prepare, or invite, the next candidate of these requests, where they are still looking."""
    send = Site.objects.get(pk=tenancy.current_site_id()).send_next
    # Some may be erased by now.
    for referral_id in Referral.objects.filter(pk__in=ids).order_by("pk").values_list("pk", flat=True):
        _prepare(referral_id, send=send)


def invite(referral_id: int, user_id: int, *, by: Actor) -> Match:
    """Invite the candidate who was prepared, as the administrator saw them.

    Raises:
        Refused: somebody else is prepared by now, or the invitation may not happen (`transitions.invite`).
    """
    row = Prepared.objects.filter(referral_id=referral_id, supporter__user_id=user_id).first()
    if row is None:
        raise Refused(*MOVED_ON)
    return transitions.invite(referral_id, row.supporter_id, by=by)


def _prepare(referral_id: int, *, send: bool) -> None:
    referral = referral_moves.lock(referral_id)
    last = Match.objects.filter(referral=referral).order_by("-id").first()
    Prepared.objects.filter(referral=referral).delete()
    if referral.state != Referral.State.OPEN or referral.sealed is None or last is None or last.state in LIVE:
        return
    offer = best_candidate(referral)
    if offer is not None and send and last.state in UNANSWERED:
        transitions.invite(referral.pk, offer.candidate.peer.supporter_id, by=SYSTEM)
        return
    if offer is not None:
        Prepared.objects.create(referral=referral, supporter_id=offer.candidate.peer.supporter_id)
    if last.state in UNANSWERED:
        transitions.mail_administrators("UNMATCHED", last)


def best_candidate(referral: Referral) -> Offer | None:
    """Return the first candidate against whom no rule speaks, not even a soft one."""
    need = candidates.need_of(referral)
    offers = ranking.rank(need, candidates.first(need, candidates.history_of(referral, need)), tenancy.now())
    return next((offer for offer in offers if not offer.candidate.soft), None)
