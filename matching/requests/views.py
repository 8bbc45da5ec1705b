"""The administrator's pages: requests, choosing a peer, and the moves of a match."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from matching.candidates import queries as candidates
from matching.invitations import queries as invitations_queries
from matching.invitations import transitions
from matching.invitations.alerts import OPEN_STATES
from matching.matches.contact_window import is_missed, window_of
from matching.matches.models import LIVE, Match
from matching.requests import offers, queries
from matching.requests.forms import CallerForm, CloseForm
from matching.requests.today import age_of
from matching.requests.transitions import look_up_caller
from psi import vault
from referrals.requests import contact_wishes
from referrals.requests import transitions as referral_moves
from referrals.requests.identity import is_sealed, open_identity
from referrals.requests.models import Referral
from sites.engine.forms import posted_id
from sites.engine.moves import MOVED_ON, Refused
from sites.gate.permissions import for_roles
from sites.gate.post_only import post_only
from sites.gate.requests import AccountRequest, SiteRequest
from sites.tenants.models import Role
from sites.tenants.queries import members_with_role, names
from training.recruitment import queries as recruits


def get_referral(ref: str) -> Referral:
    return get_object_or_404(Referral.objects.prefetch_related("reasons"), ref=ref)


posted_from_request = post_only("request_detail", lambda request, ref: get_referral(ref))


@for_roles(Role.ADMINISTRATOR)
@require_safe
def requests_list(request: SiteRequest) -> HttpResponse:
    """All requests of the site, newest first, a page at a time by key."""
    before = request.GET.get("before", "")
    rows = queries.requests_page(int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None)
    more = len(rows) > queries.PAGE
    rows = rows[: queries.PAGE]
    matches = invitations_queries.with_latest_match(rows)
    lines = [
        (row, invitations_queries.status_words(row, match), match, window_of(match) if match else None)
        for row in rows
        for match in [matches.get(row.pk)]
    ]
    older = f"?before={rows[-1].pk}" if more else ""
    return render(
        request, "matching/requests.html", {"lines": lines, "older_url": older, "newest_url": "?" if before else ""}
    )


@for_roles(Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def caller(request: SiteRequest) -> HttpResponse:
    """Someone calls whose receipt is lost: find their request by what they left, and what to tell them.

    The search is recorded, whether or not there is one. Nothing of it goes by mail.
    """
    form = CallerForm(request.POST or None)
    answers = None
    if form.is_valid():
        answers = look_up_caller(form.cleaned_data["contact"], by=request.actor)
        form = CallerForm()
    return render(
        request, "matching/caller.html", {"form": form, "answers": answers}, status=422 if form.errors else 200
    )


@for_roles(Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def request_detail(request: SiteRequest, ref: str) -> HttpResponse:
    """One request. A press (POST) opens who it is about; the opening is recorded."""
    referral = get_referral(ref)
    identity = None
    if request.method == "POST":
        try:
            identity = open_identity(referral, by=request.actor, purpose="WORK")
        except vault.Sealed:
            messages.info(request, _("Who this was about has been sealed or erased."))
    return _detail(request, referral, identity=identity)


def _detail(
    request: AccountRequest, referral: Referral, *, identity: Any = None, form: CloseForm | None = None
) -> HttpResponse:
    lines = invitations_queries.match_lines(referral, request.user.pk)
    matches = [line.match for line in lines]
    latest = matches[0] if matches else None
    live = latest if latest and latest.state in LIVE else None
    missed_count = sum(is_missed(match) for match in matches)
    looking = referral.state == Referral.State.OPEN or (live is not None and live.state == Match.State.CONFIRMED)
    context = offers.context(referral) | {
        "referral": referral,
        "reasons": [reason.get_reason_display() for reason in referral.reasons.all()],
        "lines": lines,
        "status_words": invitations_queries.status_words(referral, latest),
        "age": age_of(referral, missed_count) if looking and (missed_count or live is None) else None,
        "live": live,
        "window": window_of(live) if live else None,
        "identity": identity,
        "reach": contact_wishes.labelled_wishes(identity) if identity else [],
        "may_open": not is_sealed(referral),
        "may_close": referral.state in OPEN_STATES,
        "may_spam": not lines and referral_moves.can_be_spam(referral),
        "spam_until": referral.closed_at + referral_moves.SPAM_ERASED_AFTER
        if referral.closed_at and referral.state == Referral.State.SPAM
        else None,
        "perhaps_same": queries.requests_of_same_contact(referral) if referral.state in OPEN_STATES else [],
        "to_close": latest is not None and latest.state == Match.State.COMPLETED,
        "form": form or CloseForm(matches=matches),
    }
    return render(request, "matching/request.html", context, status=422 if form and form.errors else 200)


@for_roles(Role.ADMINISTRATOR)
@posted_from_request
def confirm(request: SiteRequest, ref: str) -> HttpResponse:
    """Confirm the accepted match."""
    transitions.confirm(_live(ref).pk, by=request.actor)
    messages.success(request, _("Confirmed. The contact details are with the supporter, and the 72 hours run."))
    return redirect("request_detail", request.site.slug, ref)


@for_roles(Role.ADMINISTRATOR)
@posted_from_request
def revoke(request: SiteRequest, ref: str) -> HttpResponse:
    """Take an invitation back."""
    transitions.revoke(_live(ref).pk, by=request.actor)
    messages.success(request, _("The invitation was taken back."))
    return redirect("request_detail", request.site.slug, ref)


@for_roles(Role.ADMINISTRATOR)
@posted_from_request
def reassign(request: SiteRequest, ref: str) -> HttpResponse:
    """End the present match without having another peer yet; the candidates are shown."""
    transitions.reassign(_live(ref).pk, by=request.actor, seen=seen_match(request.POST))
    messages.success(request, _("The match has ended, and the supporter is told not to make contact."))
    return redirect("choose", request.site.slug, ref)


@for_roles(Role.ADMINISTRATOR)
@posted_from_request
def close(request: SiteRequest, ref: str) -> HttpResponse:
    """Close the request with an outcome from the list."""
    referral = get_referral(ref)
    form = CloseForm(request.POST, matches=list(Match.objects.filter(referral=referral)))
    if not form.is_valid():
        return _detail(request, referral, form=form)
    try:
        transitions.close(referral.pk, form.cleaned_data["outcome"], by=request.actor)
    except Refused as refused:
        form.add_error(None, refused.sentence)
        return _detail(request, referral, form=form)
    messages.success(request, _("The request is closed."))
    return redirect("request_detail", request.site.slug, ref)


@for_roles(Role.ADMINISTRATOR)
@posted_from_request
def spam(request: SiteRequest, ref: str) -> HttpResponse:
    """Mark the request as spam."""
    transitions.mark_spam(get_referral(ref).pk, by=request.actor)
    messages.success(request, _("Marked as spam. It is out of the figures, and erased in thirty days."))
    return redirect("request_detail", request.site.slug, ref)


@for_roles(Role.ADMINISTRATOR)
@posted_from_request
def not_spam(request: SiteRequest, ref: str) -> HttpResponse:
    """Take the mark off again."""
    transitions.clear_spam(get_referral(ref).pk, by=request.actor)
    messages.success(request, _("The request is open again."))
    return redirect("request_detail", request.site.slug, ref)


@for_roles(Role.ADMINISTRATOR, Role.LEAD)
@require_safe
def supporters(request: SiteRequest) -> HttpResponse:
    """The roster: who is ready, and how much each carries."""
    lines = candidates.readiness()
    coming = recruits.lines()
    on_the_way = {line.recruit.user_id for line in coming}
    supporter_ids = members_with_role(Role.SUPPORTER)
    missing = names(set(supporter_ids) - {line.supporter.user_id for line in lines} - on_the_way)
    context = {
        "lines": [line for line in lines if line.supporter.user_id not in on_the_way],
        "coming": coming,
        "missing": sorted(missing.items()),
        "may_edit": Role.ADMINISTRATOR in request.roles,
    }
    return render(request, "matching/supporters.html", context)


def _live(ref: str) -> Match:
    match = Match.objects.filter(referral__ref=ref, state__in=LIVE).first()
    if match is None:
        get_object_or_404(Referral, ref=ref)
        raise Refused(*MOVED_ON)
    return match


def page_number(number: str) -> int:
    """Return the number of a page in an address; 1 when it is none."""
    return max(int(number), 1) if number.isascii() and number.isdecimal() and len(number) < 7 else 1


def seen_match(posted: Any) -> transitions.SeenMatch | None:
    """Return the match that the page of candidates said would end; None when it named none."""
    number = posted_id(posted.get("instead_of", ""))
    return transitions.SeenMatch(number, posted.get("seen", "")) if number else None
