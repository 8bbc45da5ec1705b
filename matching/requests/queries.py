"""Nouns about requests, for the administrator's pages."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from matching.invitations.alerts import OPEN_STATES
from matching.invitations.queries import with_latest_match
from matching.matches.contact_window import is_missed, window_ends
from matching.matches.models import Match
from psi import vault
from referrals.requests.identity import is_sealed
from referrals.requests.models import Referral
from training.supporters.models import PeerSupporter

PAGE = 50


def requests_of_same_contact(referral: Referral) -> list[Referral]:
    """Return other requests of this site, not closed, that give the same phone or email."""
    others = vault.same_person(Referral.KIND, referral.pk)
    return list(Referral.objects.filter(pk__in=others, state__in=OPEN_STATES).order_by("-id")) if others else []


@dataclass(frozen=True)
class CallerAnswer:
    """A request of someone who calls, and the words to say to them."""

    referral: Referral
    words: str


def requests_with_contact(contact: Mapping[str, str]) -> list[CallerAnswer]:
    """Return the current site's requests whose physician left this phone number or email, newest first.

    Nobody opens any more who a sealed request was about, so it is not found by their number either.
    """
    numbers = vault.find(Referral.KIND, contact)
    rows = [row for row in Referral.objects.filter(pk__in=numbers).order_by("-id") if not is_sealed(row)]
    matches = with_latest_match(rows)
    return [CallerAnswer(row, _words_for_caller(row, matches.get(row.pk))) for row in rows]


def _words_for_caller(referral: Referral, match: Match | None) -> str:
    if referral.state not in OPEN_STATES:
        return _("Your request is closed. You can ask again at any time.")
    state = match.state if match else None
    if match and state == Match.State.CONFIRMED:
        if is_missed(match):
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


def roster() -> QuerySet[PeerSupporter]:
    """Return the supporters of the current site by name."""
    return PeerSupporter.objects.select_related("profile", "specialty").order_by("profile__name", "pk")
