"""Nouns about requests and matches, for pages and for *Today*."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from matching.candidates.rules import NOT_FOR_THIS
from matching.matches.models import Match, MatchEvent, Prepared, WindowStep
from referrals.requests.models import Referral

_MISSED = Q(window_step=WindowStep.MISSED) | Q(why=Match.Why.MISSED)


def with_latest_match(referrals: Iterable[Referral]) -> dict[int, Match]:
    """Return referral id → its latest match, with the supporter's name.

    Each has how often the window was `missed`, and who is prepared to be asked next: `next_user`, `next_name`.
    """
    missed = Match.objects.filter(_MISSED, referral=OuterRef("referral")).order_by().values("referral")
    latest = Match.objects.filter(referral=OuterRef("referral")).order_by("-id").values("pk")[:1]
    rows = Match.objects.filter(
        referral_id__in=[referral.pk for referral in referrals], pk=Subquery(latest)
    ).select_related("supporter__profile")
    prepared = Prepared.objects.filter(referral=OuterRef("referral"))
    rows = rows.annotate(
        missed=Coalesce(Subquery(missed.annotate(n=Count("pk")).values("n")), 0),
        next_user=Subquery(prepared.values("supporter__user")[:1]),
        next_name=Subquery(prepared.values("supporter__profile__name")[:1]),
    )
    return {match.referral_id: match for match in rows}


@dataclass(frozen=True)
class Line:
    """A match in the list of a request: how it stands in words, and when it was answered and ended."""

    match: Match
    words: str
    answered: datetime | None
    ended: datetime | None


def match_lines(referral: Referral, reader_id: int) -> list[Line]:
    """Return the matches of a request, newest first, as this administrator may read them.

    Only the inviter learns of a decline (docs/rules.md#one-text-for-four-reasons).
    """
    inviter = MatchEvent.objects.filter(match=OuterRef("pk"), source=None).values("by")[:1]
    rows = Match.objects.filter(referral=referral).select_related("supporter__profile")
    return [_line(match, reader_id) for match in rows.annotate(inviter=Subquery(inviter)).order_by("-id")]


def _line(match: Any, reader_id: int) -> Line:
    words = [match.get_state_display(), *([match.get_why_display()] if match.why != Match.Why.NONE else [])]
    if match.state == Match.State.REASSIGNED and match.why in (Match.Why.KNOWN, Match.Why.WISH):
        words[1:] = [NOT_FOR_THIS]
    if match.state != Match.State.DECLINED:
        return Line(match, " · ".join(words), match.accepted_at, match.ended_at)
    if match.inviter != reader_id:
        words = [_("Answered: not available")]
    return Line(match, " · ".join(words), match.ended_at, None)


def status_words(referral: Referral, match: Match | None) -> str:
    """Return how a request stands, in words every administrator may read; `match` is its latest."""
    if referral.state == Referral.State.MATCHED and match and match.state == Match.State.COMPLETED:
        return _("Finished, to be closed")
    return str(referral.get_state_display())


def matches_of(user_id: int) -> QuerySet[Match]:
    """Return the matches of a supporter at the current site, newest first."""
    return (
        Match.objects.filter(supporter__user_id=user_id)
        .select_related("referral")
        .prefetch_related(Prefetch("referral__reasons"))
        .order_by("-id")
    )


def references_of(things: set[tuple[str, int]]) -> dict[tuple[str, int], str]:
    """Return the code of the request that each (kind, id) is, or is a match of, for the audit trail."""
    referrals = {pk for kind, pk in things if kind == Referral.KIND}
    matches = {pk for kind, pk in things if kind == Match.KIND}
    rows = Referral.objects.filter(Q(pk__in=referrals) | Q(matches__in=matches)).values_list("pk", "matches", "ref")
    references: dict[tuple[str, int], str] = {}
    for referral_id, match_id, ref in rows:
        references[Referral.KIND, referral_id] = ref
        references[Match.KIND, match_id] = ref
    return references
