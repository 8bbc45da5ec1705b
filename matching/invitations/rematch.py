"""Another peer for the same request, without telling the story again: known, wished, given back, or leaving."""

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import ngettext

from matching.invitations import transitions
from matching.matches.models import LIVE, Match
from sites.engine import outbox
from sites.engine.audit import Actor
from sites.engine.moves import Refused, target
from sites.tenants.models import Membership, Role


def choose_other(match_id: int, *, by: Actor, why: str = Match.Why.KNOWN) -> None:
    """The physician asks for another peer: the match ends, and this one is not offered again; twice is once.

    Args:
        why: `KNOWN`, or `WISH` without a reason.
    """
    locked = transitions.lock(match_id)
    match = locked.match
    if (match.state, match.why) == (Match.State.REASSIGNED, why):
        return
    transitions.hand_on(locked.referral, match, by=by, why=why)
    transitions.tell_administrators("UNMATCHED", match)


def hand_back(match_id: int, *, by: Actor) -> None:
    """The supporter cannot go on, no questions asked: the request looks for another peer.

    Raises:
        Refused: the match is not confirmed, or has ended.
    """
    locked = transitions.own(match_id, by)
    transitions.hand_on(locked.referral, locked.match, by=by, why=Match.Why.WISH)
    transitions.tell_administrators("UNMATCHED", locked.match)


def step_out(match_id: int, *, by: Actor) -> None:
    """The supporter leaves: an invitation ends, a match is handed on."""
    locked = transitions.lock(match_id)
    match = locked.match
    if match.state in (Match.State.INVITED, Match.State.ACCEPTED):
        goal = target(Match.MOVES, "revoke", match.state, transitions.MOVED_ON)
        transitions.end(match, goal, Match.Why.LEFT, by=by)
        outbox.enqueue("RELEASED", [(match.pk, match.supporter.user_id)])
    else:
        transitions.hand_on(locked.referral, match, by=by, why=Match.Why.LEFT)
    transitions.tell_administrators("UNMATCHED", match)


def check_handed_on(membership: Membership) -> None:
    """Refuse to end the role of a supporter who carries a match: nobody else could move it on
    (docs/rules.md#open-matches-end-first).

    An invitation sent at the same moment may slip through; unanswered, it ends by itself.
    """
    if membership.role != Role.SUPPORTER:
        return
    held = Match.objects.filter(supporter__user_id=membership.user_id, state__in=LIVE).select_related("referral")
    slug = membership.site.slug
    refs = [
        (reverse("request_detail", args=[slug, match.referral.ref]), match.referral) for match in held.order_by("pk")
    ]
    if refs:
        sentence = ngettext(
            "This person has {n} open match. First find another peer for it, or take the invitation back: {links}.",
            "This person has {n} open matches. First find another peer, or take the invitation back: {links}.",
            len(refs),
        )
        links = format_html_join(", ", '<a href="{}">{}</a>', refs)
        raise Refused(format_html(sentence, n=len(refs), links=links))
