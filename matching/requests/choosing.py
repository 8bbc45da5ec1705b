"""Choosing a peer supporter for a request, and inviting the next."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from matching.candidates import filters, ranking
from matching.candidates import queries as candidates
from matching.invitations import next_candidate, transitions
from matching.matches.models import LIVE, Match
from matching.requests import queries
from matching.requests.views import get_referral, page_number, seen_match
from psi import tenancy
from referrals.requests.models import Referral
from sites.engine.forms import posted_id
from sites.gate.permissions import for_roles
from sites.gate.requests import SiteRequest
from sites.tenants.models import Role


@for_roles(Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def choose(request: SiteRequest, ref: str) -> HttpResponse:
    """Candidates with their reasons; inviting one is a POST, and only that ends the match it replaces."""
    referral = get_referral(ref)
    if request.method == "POST":
        roster = queries.roster().filter(pk=posted_id(request.POST.get("supporter", "")))
        transitions.invite(
            referral.pk,
            get_object_or_404(roster).pk,
            by=request.actor,
            override=request.POST.get("override") or None,
            instead_of=seen_match(request.POST),
        )
        messages.success(request, _("The invitation is on its way. You will see here when it is answered."))
        return redirect("request_detail", request.site.slug, referral.ref)
    live = Match.objects.filter(referral=referral, state__in=LIVE).select_related("supporter__profile").first()
    may_invite = referral.state == Referral.State.OPEN or live is not None
    if not may_invite or referral.sealed is None:
        return redirect("request_detail", request.site.slug, referral.ref)
    need = candidates.need_of(referral)
    history = candidates.history_of(referral, need)
    if (code := request.GET.get("not")) in filters.TEXTS:
        page = page_number(request.GET.get("page", ""))
        return _left_out(request, referral, code, page, candidates.names_left_out(need, history, code, page))
    offered, left_out = candidates.left_out(need, history)
    offers = ranking.rank(need, candidates.first(need, history), tenancy.now())[: filters.SHOWN]
    context = {
        "referral": referral,
        "reasons": [reason.get_reason_display() for reason in referral.reasons.all()],
        "offers": offers,
        "offered": offered,
        "left_out": left_out,
        "wishes": ranking.wish_words(need),
        "overrides": Match.Override.choices,
        "live": live,
        "replaces": live if live and live.state in (Match.State.CONFIRMED, Match.State.CONTACTED) else None,
    }
    return render(request, "matching/choose.html", context)


def _left_out(request: HttpRequest, referral: Referral, code: str, page: int, names: list[str]) -> HttpResponse:
    """The names of those left out for one reason, a page at a time."""
    context = {
        "referral": referral,
        "why": filters.TEXTS[code],
        "names": names[: filters.SHOWN],
        "before_url": f"?not={code}&page={page - 1}" if page > 1 else "",
        "after_url": f"?not={code}&page={page + 1}" if len(names) > filters.SHOWN else "",
    }
    return render(request, "matching/left_out.html", context)


@for_roles(Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def invite_next(request: SiteRequest, ref: str, user_id: int) -> HttpResponse:
    """Send the invitation that was prepared; a GET, as after signing in, leads to the candidates."""
    referral = get_referral(ref)
    if request.method != "POST":
        return redirect("choose", request.site.slug, ref)
    next_candidate.invite(referral.pk, user_id, by=request.actor)
    messages.success(request, _("The invitation is on its way. You will see here when it is answered."))
    return redirect("today", request.site.slug)
