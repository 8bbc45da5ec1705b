"""The supporter's pages: invitations, the people they support, and the moves they make themselves."""

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from matching.invitations import queries, rematch, transitions
from matching.matches.contact_window import window_of
from matching.matches.models import LIVE, Match
from psi import tenancy, vault
from referrals.requests import contact_wishes
from referrals.requests.consents import notifier_consent
from referrals.requests.identity import Identity, open_identity
from sites.engine.recording_months import open_months
from sites.gate.permissions import for_roles
from sites.gate.post_only import post_only
from sites.gate.requests import AccountRequest, SiteRequest
from sites.tenants.models import Role
from training.commitment.agreement import may_sign
from training.recruitment import queries as recruits
from training.supporters.models import PeerSupporter

State = Match.State


def _own_match(request: AccountRequest, ref: str) -> Match:
    """Return the supporter's own latest match of a request; anyone else's does not exist for them."""
    match = queries.matches_of(request.user.pk).filter(referral__ref=ref).first()
    if match is None:
        raise Http404("No such match.")
    return match


posted_from_match = post_only("my_match", _own_match)


@for_roles(Role.SUPPORTER)
@require_safe
@never_cache
def my(request: SiteRequest) -> HttpResponse:
    """What needs the supporter next, and what came before. No names: they stand on each match's page."""
    mine = queries.matches_of(request.user.pk)
    live = [(match, window_of(match)) for match in mine.filter(state__in=LIVE)]
    # Of what was given back a conversation may still be recorded.
    past = list(mine.exclude(state__in=LIVE).filter(Q(state=State.COMPLETED) | Q(contacted_at__isnull=False))[:20])
    row = PeerSupporter.objects.filter(user_id=request.user.pk).exclude(state="LEFT").first()
    # Nobody on the way has a match, and they sign when they are trained.
    way = None if live else recruits.of_user(request.user.pk)
    own = row is not None and row.home_id is None and (way is None or way.state == "AGREEING")
    context = {
        "live": live,
        "past": past,
        "row": row,
        "sign": own and row is not None and may_sign(row, localdate(tenancy.now())),
        "way": way,
        "steps": recruits.steps(way) if way else [],
        "show_crisis": True,
    }
    return render(request, "matching/my.html", context)


@for_roles(Role.SUPPORTER)
@require_safe
@never_cache
def my_match(request: SiteRequest, ref: str) -> HttpResponse:
    """One match. The name is shown with the invitation, contact details once it is confirmed."""
    match = _own_match(request, ref)
    identity: Identity | None = None
    released = match.state in (State.CONFIRMED, State.CONTACTED)
    if released or match.state in (State.INVITED, State.ACCEPTED):
        try:
            identity = open_identity(match.referral, by=request.actor, purpose="CONTACT" if released else "INVITE")
        except vault.Sealed:
            messages.info(request, _("Who this was about has been erased."))
    context = {
        "match": match,
        "referral": match.referral,
        "reasons": [reason.get_reason_display() for reason in match.referral.reasons.all()],
        "name": identity.name if identity else "",
        "contact": identity if identity and released else None,
        "reach": contact_wishes.labelled_wishes(identity) if identity and released else [],
        "window": window_of(match),
        "may_record": match.contacted_at is not None and bool(open_months(match.contacted_at, match.ended_at)),
        "to_ask": released and notifier_consent(match.referral) is not None,
        "show_crisis": True,
    }
    return render(request, "matching/my_match.html", context)


@for_roles(Role.SUPPORTER)
@posted_from_match
def accept(request: SiteRequest, ref: str) -> HttpResponse:
    transitions.accept(_own_match(request, ref).pk, by=request.actor)
    messages.success(request, _("Thank you. You will get the contact details once the match is confirmed."))
    return redirect("my_match", request.site.slug, ref)


@for_roles(Role.SUPPORTER)
@posted_from_match
def decline(request: SiteRequest, ref: str) -> HttpResponse:
    """Decline, with one of two reasons if a button that says so was pressed."""
    why, seen = request.POST.get("why", Match.Why.NONE), request.POST.get("seen", State.INVITED)
    transitions.decline(_own_match(request, ref).pk, by=request.actor, why=why, seen=seen)
    messages.success(request, _("That is all right, and thank you for answering. Someone else will be asked."))
    return redirect("my", request.site.slug)


@for_roles(Role.SUPPORTER)
@posted_from_match
def contacted(request: SiteRequest, ref: str) -> HttpResponse:
    transitions.record_contact(_own_match(request, ref).pk, by=request.actor, agreed="agreed" in request.POST)
    messages.success(request, _("Noted. After each conversation, record that it happened. It takes under a minute."))
    return redirect("my_match", request.site.slug, ref)


@for_roles(Role.SUPPORTER)
@posted_from_match
def unwanted(request: SiteRequest, ref: str) -> HttpResponse:
    transitions.record_not_wanted(_own_match(request, ref).pk, by=request.actor)
    messages.success(request, _("Thank you for asking. The request is closed, and nobody contacts them again."))
    return redirect("my", request.site.slug)


@for_roles(Role.SUPPORTER)
@posted_from_match
def hand_back(request: SiteRequest, ref: str) -> HttpResponse:
    rematch.hand_back(_own_match(request, ref).pk, by=request.actor)
    messages.success(request, _("That is all right. Somebody else is asked, and nobody asks you why."))
    return redirect("my", request.site.slug)


@for_roles(Role.SUPPORTER)
@posted_from_match
def finish(request: SiteRequest, ref: str) -> HttpResponse:
    transitions.finish(_own_match(request, ref).pk, by=request.actor)
    messages.success(request, _("Thank you for being there. This match is finished."))
    return redirect("my_match", request.site.slug, ref)


@for_roles(Role.SUPPORTER)
@posted_from_match
def no_conversation(request: SiteRequest, ref: str) -> HttpResponse:
    transitions.record_no_conversation(_own_match(request, ref).pk, by=request.actor)
    messages.success(request, _("Noted. Nobody reminds you. If you do talk, you can still record it."))
    return redirect("my_match", request.site.slug, ref)
