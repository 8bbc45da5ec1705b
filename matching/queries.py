"""Nouns about requests and matches, for pages and for *Today*."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from matching.alerts import OPEN_STATES
from matching.contact_window import missed, window_ends
from matching.models import MISSED, Match, MatchEvent, Prepared
from matching.rules import NOT_FOR_THIS
from psi import vault
from referrals.identity import is_sealed
from referrals.models import Referral
from training.models import PeerSupporter

PAGE = 50
_MISSED = Q(window_step=MISSED) | Q(why=Match.Why.MISSED)


def perhaps_same_person(referral: Referral) -> list[Referral]:
    """Return other requests of this site, not closed, that give the same phone or email."""
    others = vault.same_person(Referral.KIND, referral.pk)
    return list(Referral.objects.filter(pk__in=others, state__in=OPEN_STATES).order_by("-id")) if others else []


@dataclass(frozen=True)
class Told:
    """A request of someone who calls, and the words to say to them."""

    referral: Referral
    words: str


def left_by(contact: Mapping[str, str]) -> list[Told]:
    """Return the current site's requests whose physician left this phone number or email, newest first.

    Nobody opens any more who a sealed request was about, so it is not found by their number either.
    """
    numbers = vault.find(Referral.KIND, contact)
    rows = [row for row in Referral.objects.filter(pk__in=numbers).order_by("-id") if not is_sealed(row)]
    matches = with_latest_match(rows)
    return [Told(row, _told(row, matches.get(row.pk))) for row in rows]


def _told(referral: Referral, match: Match | None) -> str:
    if referral.state not in OPEN_STATES:
        return _("Your request is closed. You can ask again at any time.")
    state = match.state if match else None
    if match and state == Match.State.CONFIRMED:
        if missed(match):
            return _("A peer should have been in touch by now, and we are sorry. I will see to it today.")
        by = date_format(localtime(window_ends(match)), "l j F, H:i")
        return _("A peer has agreed, and will be in touch by %(when)s.") % {"when": by}
    if state in (Match.State.CONTACTED, Match.State.COMPLETED):
        return _("Your peer has noted that you are in contact. If that is not so, tell me, and I will see to it.")
    if state == Match.State.ACCEPTED:
        return _("A peer has agreed. I confirm it today, and you hear from them within 72 hours of that.")
    return _("We have your request, and are looking for a peer.")


def requests_page(before: int | None) -> list[Referral]:
    """Return a page of requests, newest first, each with its latest match, starting under id `before`.

    One more than a page is read, so that the caller knows whether there is an older one.
    """
    rows = Referral.objects.order_by("-id").prefetch_related("reasons")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return list(rows[: PAGE + 1])


def with_latest_match(referrals: Iterable[Referral]) -> dict[int, Match]:
    """Return referral id → its latest match, with the supporter's name.

    Each has how often the window was `missed`, and who is prepared to be asked next: `next_user`, `next_name`.
    """
    over = Match.objects.filter(_MISSED, referral=OuterRef("referral")).order_by().values("referral")
    latest = Match.objects.filter(referral=OuterRef("referral")).order_by("-id").values("pk")[:1]
    rows = Match.objects.filter(
        referral_id__in=[referral.pk for referral in referrals], pk=Subquery(latest)
    ).select_related("supporter__profile")
    following = Prepared.objects.filter(referral=OuterRef("referral"))
    rows = rows.annotate(
        missed=Coalesce(Subquery(over.annotate(n=Count("pk")).values("n")), 0),
        next_user=Subquery(following.values("supporter__user")[:1]),
        next_name=Subquery(following.values("supporter__profile__name")[:1]),
    )
    return {match.referral_id: match for match in rows}


@dataclass(frozen=True)
class Line:
    """A match in the list of a request: how it stands in words, and when it was answered and ended."""

    match: Match
    words: str
    answered: datetime | None
    ended: datetime | None


def so_far(referral: Referral, reader_id: int) -> list[Line]:
    """Return the matches of a request, newest first, as this administrator may read them.

    Only the inviter learns of a decline (rules.md, Matching, hard and soft).
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


def standing(referral: Referral, match: Match | None) -> str:
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


def roster() -> QuerySet[PeerSupporter]:
    """Return the supporters of the current site by name."""
    return PeerSupporter.objects.select_related("profile", "specialty").order_by("profile__name", "pk")


def codes_of(things: set[tuple[str, int]]) -> dict[tuple[str, int], str]:
    """Return the code of the request that each (kind, id) is, or is a match of, for the audit trail."""
    referrals = {pk for kind, pk in things if kind == Referral.KIND}
    matches = {pk for kind, pk in things if kind == Match.KIND}
    rows = Referral.objects.filter(Q(pk__in=referrals) | Q(matches__in=matches)).values_list("pk", "matches", "ref")
    found: dict[tuple[str, int], str] = {}
    for referral_id, match_id, ref in rows:
        found[Referral.KIND, referral_id] = ref
        found[Match.KIND, match_id] = ref
    return found
