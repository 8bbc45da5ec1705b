"""Another peer for the same request, without telling the story again: known, wished, given back, or leaving."""

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import ngettext

from matching.invitations import transitions
from matching.matches.models import LIVE, Match
from sites.engine import outbox
from sites.engine.audit import Actor
from sites.engine.moves import Refused
from sites.tenants.models import Membership, Role


def request_other_peer(match_id: int, *, by: Actor, why: str = Match.Why.KNOWN) -> None:
    """End a match because the physician asks for another peer; this supporter is not offered again.

    Calling it again changes nothing.

    Args:
        why: `KNOWN`, or `WISH` without a reason.
    """
    locked = transitions.lock(match_id)
    match = locked.match
    if (match.state, match.why) == (Match.State.REASSIGNED, why):
        return
    transitions.end_for_other_peer(locked.referral, match, by=by, why=why)
    transitions.mail_administrators("UNMATCHED", match)


def hand_back(match_id: int, *, by: Actor) -> None:
    """End the supporter's own match because they cannot go on; the request looks for another peer.

    Raises:
        Refused: the match is not confirmed, or has ended.
    """
    locked = transitions.lock_own(match_id, by)
    transitions.end_for_other_peer(locked.referral, locked.match, by=by, why=Match.Why.WISH)
    transitions.mail_administrators("UNMATCHED", locked.match)


def end_for_leaving(match_id: int, *, by: Actor) -> None:
    """End a match or an invitation because the supporter leaves the program; another peer is looked for."""
    locked = transitions.lock(match_id)
    match = locked.match
    if match.state in (Match.State.INVITED, Match.State.ACCEPTED):
        transitions.end(match, "revoke", Match.Why.LEFT, by=by)
        outbox.enqueue("RELEASED", [(match.pk, match.supporter.user_id)])
    else:
        transitions.end_for_other_peer(locked.referral, match, by=by, why=Match.Why.LEFT)
    transitions.mail_administrators("UNMATCHED", match)


def check_no_open_match(membership: Membership) -> None:
    """Refuse to end the role of a supporter who carries a match: nobody else could move it on
    (docs/rules.md#open-matches-end-first).

    An invitation sent at the same moment may slip through; unanswered, it ends by itself.
    """
    if membership.role != Role.SUPPORTER:
        return
    matches = Match.objects.filter(supporter__user_id=membership.user_id, state__in=LIVE).select_related("referral")
    slug = membership.site.slug
    refs = [
        (reverse("request_detail", args=[slug, match.referral.ref]), match.referral) for match in matches.order_by("pk")
    ]
    if refs:
        sentence = ngettext(
            "This person has {n} open match. First find another peer for it, or take the invitation back: {links}.",
            "This person has {n} open matches. First find another peer, or take the invitation back: {links}.",
            len(refs),
        )
        links = format_html_join(", ", '<a href="{}">{}</a>', refs)
        raise Refused("OPEN_MATCHES", format_html(sentence, n=len(refs), links=links))
