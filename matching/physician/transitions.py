"""The moves a physician makes from the status page, with a receipt and no account."""

from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import gettext as _

from matching.invitations import alerts, transitions
from matching.matches.models import LIVE, Match
from psi import tenancy
from referrals.requests import hand_over as handing_over
from referrals.requests import transitions as referral_moves
from referrals.requests.identity import for_other_site, open_for_rules
from referrals.requests.models import Consent, Referral, ReferralConsent
from sites.engine.audit import PUBLIC, Actor
from sites.engine.moves import MOVED_ON, Refused
from sites.reference.models import TextVersion
from sites.tenants.models import Site
from training.supporters import lending

State = Referral.State
# A request for which nobody was confirmed may be asked after once it is this old
# (docs/rules.md#nobody-has-been-in-touch).
NO_CONTACT_AFTER = timedelta(hours=24)
# How a physician stands to the survey.
MAY_ANSWER, ANSWERED = "MAY_ANSWER", "ANSWERED"


@dataclass(frozen=True)
class AvailableActions:
    """Which buttons a physician is shown."""

    no_contact: bool = False
    known: bool = False
    outside: bool = False
    withdraw: bool = False


def available_actions(referral: Referral, live: Match | None, *, local: bool) -> AvailableActions:
    """Return what may be pressed for a request as it stands.

    Args:
        live: its live match.
        local: the request is a local site's, not the province's.
    """
    if referral.state not in alerts.OPEN_STATES:
        return AvailableActions()
    confirmed = live is not None and live.state == Match.State.CONFIRMED
    waits = referral.state == State.OPEN and tenancy.now() - referral.received_at >= NO_CONTACT_AFTER
    return AvailableActions(
        no_contact=referral.unheard_at is None and (confirmed or waits),
        known=confirmed or (live is not None and live.state == Match.State.CONTACTED),
        outside=local,
        withdraw=True,
    )


def visible_match(referral: Referral) -> Match | None:
    """Return the match that the physician may know of: the one that is live or was completed last."""
    matches = Match.objects.filter(referral=referral, state__in=(*LIVE, Match.State.COMPLETED))
    return matches.order_by("-id").first()


def survey_status(referral: Referral, match: Match | None) -> str:
    """Return MAY_ANSWER or ANSWERED; nothing while support goes on, and where the survey was not asked for.

    Who withdraws the request withdraws this consent with it.

    Args:
        match: the latest, of which the supporter may have said that it is finished before the request is closed.
    """
    finished = referral.state == State.MATCHED and match is not None and match.state == Match.State.COMPLETED
    if referral.state != State.CLOSED and not finished:
        return ""
    if referral.surveyed:
        return ANSWERED
    agreed = ReferralConsent.objects.filter(referral=referral, purpose=Consent.SURVEY).exists()
    return MAY_ANSWER if agreed else ""


def report_no_contact(referral_id: int) -> None:
    """Nobody has been in touch; a second press says nothing new.

    Raises:
        Refused: somebody is in contact, the request is younger than a day, or it has ended.
    """
    referral = referral_moves.lock(referral_id)
    if referral.unheard_at is not None:
        return
    live = Match.objects.filter(referral=referral, state__in=LIVE).first()
    if not available_actions(referral, live, local=False).no_contact:
        raise Refused(*MOVED_ON)
    alerts.report_no_contact(referral, by=PUBLIC)


def hand_over(
    referral_id: int,
    *,
    to: Site,
    text: TextVersion | None,
    by: Actor = PUBLIC,
    channel: str = ReferralConsent.Channel.FORM,
) -> None:
    """Give a local request to the province, or to a linked site, with the physician's consent.

    Calling it again changes nothing.

    Args:
        text: the wording agreed to with this press; None where the consent was given with the request.
        by: the physician, or an administrator to whom they said it.

    Raises:
        Refused: it is there already, has ended, there is no agreement with that site, or no consent.
    """
    referral = referral_moves.lock(referral_id)
    if referral.state == State.HANDED_OVER:
        return
    if referral.site_id == to.pk or referral.state not in alerts.OPEN_STATES:
        raise Refused(*MOVED_ON)
    if to not in lending.elsewhere(Site.objects.get(pk=tenancy.current_site_id())):
        sentence = _("There is no agreement with that site, so nothing may be shared with it.")
        raise Refused("NO_AGREEMENT", sentence)
    if text is None and not may_share_with(referral, to):
        raise Refused("NO_CONSENT", _("The physician has not agreed to this yet. Please ask them first."))
    seen = Match.objects.filter(referral=referral).exists()
    parted = Match.objects.filter(referral=referral, why__in=(Match.Why.KNOWN, Match.Why.EVALUATES, Match.Why.WISH))
    not_to_ask = parted.values_list("supporter_id", flat=True)
    identity = for_other_site(open_for_rules(referral), not_to_ask)
    transitions.release(referral, by=by)
    alerts.resolve_no_contact(referral)
    handing_over.hand_over(referral, to=to, identity=identity, text=text, by=by, keep=seen, channel=channel)


def may_share_with(referral: Referral, to: Site) -> bool:
    """Has the physician agreed already that the request is shared there?"""
    return to.is_province and ReferralConsent.objects.filter(referral=referral, purpose=Consent.PROVINCE).exists()


def withdraw(referral_id: int) -> bool:
    """Take a request back, and return whether it was erased at once because nobody had seen the name.

    Raises:
        Refused: it has ended otherwise.
    """
    referral = referral_moves.lock(referral_id)
    if referral.state == State.WITHDRAWN:
        return False
    if referral.state not in alerts.OPEN_STATES:
        raise Refused(*MOVED_ON)
    seen = Match.objects.filter(referral=referral).exists()
    transitions.release(referral, by=PUBLIC)
    alerts.resolve_no_contact(referral)
    referral_moves.withdraw(referral, by=PUBLIC)
    if not seen:
        referral_moves.erase([referral.pk])
    return not seen
