"""The administrator's pages: requests, choosing a peer, and the moves of a match."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from matching import candidates, queries, ranking, transitions
from matching.forms import CloseForm
from matching.models import LIVE, Match
from psi import tenancy, vault
from referrals.models import Referral
from referrals.transitions import open_identity
from sites.models import Role
from sites.moves import Refused
from sites.permissions import for_roles
from sites.queries import holders, names


@for_roles(Role.ADMINISTRATOR)
@require_safe
def requests_list(request: Any) -> HttpResponse:
    """All requests of the site, newest first, a page at a time by key."""
    before = request.GET.get("before", "")
    rows = queries.requests_page(int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None)
    more = len(rows) > queries.PAGE
    rows = rows[: queries.PAGE]
    matches = queries.with_latest_match(rows)
    lines = [
        (row, match, queries.window_of(match) if match else None) for row in rows for match in [matches.get(row.pk)]
    ]
    older = f"?before={rows[-1].pk}" if more else ""
    return render(
        request, "matching/requests.html", {"lines": lines, "older_url": older, "newest_url": "?" if before else ""}
    )


@for_roles(Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def request_detail(request: Any, ref: str) -> HttpResponse:
    """One request. A press (POST) opens who it is about; the opening is recorded."""
    referral = _referral(ref)
    identity = None
    if request.method == "POST":
        try:
            identity = open_identity(referral, by=request.actor, purpose="WORK")
        except vault.Sealed:
            messages.info(request, _("Who this was about has been erased."))
    return _detail(request, referral, identity=identity)


def _detail(request: Any, referral: Referral, *, identity: Any = None, form: CloseForm | None = None) -> HttpResponse:
    matches = list(Match.objects.filter(referral=referral).select_related("supporter__profile").order_by("-id"))
    live = next((match for match in matches if match.state in LIVE), None)
    context = {
        "referral": referral,
        "reasons": [reason.get_reason_display() for reason in referral.reasons.all()],
        "matches": [(match, queries.window_of(match)) for match in matches],
        "live": live,
        "window": queries.window_of(live) if live else None,
        "identity": identity,
        "may_close": referral.state in queries.OPEN_STATES,
        "perhaps_same": queries.perhaps_same_person(referral) if referral.state in queries.OPEN_STATES else [],
        "form": form or CloseForm(),
    }
    return render(request, "matching/request.html", context, status=422 if form and form.errors else 200)


@for_roles(Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def choose(request: Any, ref: str) -> HttpResponse:
    """Candidates with their reasons; inviting one is a POST."""
    referral = _referral(ref)
    if request.method == "POST":
        supporter = request.POST.get("supporter", "")
        if not (supporter.isdecimal() and len(supporter) < 19):
            raise Http404("No such supporter.")
        roster = queries.roster().filter(pk=int(supporter))
        transitions.invite(
            referral.pk,
            get_object_or_404(roster).pk,
            by=request.actor,
            override=request.POST.get("override") or None,
        )
        messages.success(request, _("The invitation is on its way. You will see here when it is answered."))
        return redirect("request_detail", request.site.slug, referral.ref)
    if referral.state != Referral.State.OPEN or referral.sealed is None:
        return redirect("request_detail", request.site.slug, referral.ref)
    need = candidates.need_of(referral)
    judged = candidates.all_for(referral, need)
    context = {
        "referral": referral,
        "reasons": [reason.get_reason_display() for reason in referral.reasons.all()],
        "offers": ranking.rank(need, judged, tenancy.now()),
        "left_out": [(c.peer.name, [reason.text for reason in c.hard]) for c in judged if c.hard],
        "wishes": ranking.wish_words(need),
        "overrides": Match.Override.choices,
        "live": Match.objects.filter(referral=referral, state__in=LIVE).exists(),
    }
    return render(request, "matching/choose.html", context)


@for_roles(Role.ADMINISTRATOR)
@require_POST
def confirm(request: Any, ref: str) -> HttpResponse:
    """Confirm the accepted match."""
    transitions.confirm(_live(ref).pk, by=request.actor)
    messages.success(request, _("Confirmed. The contact details are with the supporter, and the 72 hours run."))
    return redirect("request_detail", request.site.slug, ref)


@for_roles(Role.ADMINISTRATOR)
@require_POST
def revoke(request: Any, ref: str) -> HttpResponse:
    """Take an invitation back."""
    transitions.revoke(_live(ref).pk, by=request.actor)
    messages.success(request, _("The invitation was taken back."))
    return redirect("request_detail", request.site.slug, ref)


@for_roles(Role.ADMINISTRATOR)
@require_POST
def reassign(request: Any, ref: str) -> HttpResponse:
    """Find another peer: the present match ends, and the candidates are shown."""
    transitions.reassign(_live(ref).pk, by=request.actor)
    return redirect("choose", request.site.slug, ref)


@for_roles(Role.ADMINISTRATOR)
@require_POST
def close(request: Any, ref: str) -> HttpResponse:
    """Close the request with an outcome from the list."""
    referral = _referral(ref)
    form = CloseForm(request.POST)
    if not form.is_valid():
        return _detail(request, referral, form=form)
    transitions.close(referral.pk, form.cleaned_data["outcome"], by=request.actor)
    messages.success(request, _("The request is closed."))
    return redirect("request_detail", request.site.slug, ref)


@for_roles(Role.ADMINISTRATOR, Role.LEAD)
@require_safe
def supporters(request: Any) -> HttpResponse:
    """The roster: who is ready, and how much each carries."""
    lines = candidates.readiness()
    held = holders(Role.SUPPORTER)
    missing = names(set(held) - {line.supporter.user_id for line in lines})
    context = {"lines": lines, "missing": sorted(missing.items()), "may_edit": Role.ADMINISTRATOR in request.roles}
    return render(request, "matching/supporters.html", context)


def _referral(ref: str) -> Referral:
    return get_object_or_404(Referral.objects.prefetch_related("reasons"), ref=ref)


def _live(ref: str) -> Match:
    found = Match.objects.filter(referral__ref=ref, state__in=LIVE).first()
    if found is None:
        get_object_or_404(Referral, ref=ref)
        raise Refused(transitions.MOVED_ON)
    return found
