"""Accepting an invitation, and the page on which the second factor is set up or shown."""

from typing import Any, cast

from allauth.account.internal.flows.login_by_code import LoginCodeVerificationProcess
from allauth.core import ratelimit
from allauth.mfa.webauthn.forms import SignupWebAuthnForm
from allauth.mfa.webauthn.internal import auth
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from psi import tenancy
from sites.accounts.adapters import JOINING, AccountAdapter, factors
from sites.accounts.forms import JoinForm
from sites.accounts.views import barred, signed_in_only
from sites.engine.moves import Refused
from sites.gate.middleware import SEEN
from sites.gate.permissions import public, signed_in
from sites.gate.requests import AccountRequest
from sites.gate.second_factor import second_factor
from sites.people import transitions as people
from sites.tenants.models import Role, Site

# Where a locator of this target leads (sites.landing.views.go).
TARGET, join_path = people.TARGET, people.join_path


@public
@never_cache
@require_http_methods(["GET", "POST"])
def join(request: HttpRequest, token: str) -> HttpResponse:
    """The page behind the link of an invitation: nothing to see for whoever has only the link."""
    try:
        site_id, invitation_id = people.read_join(token)
    except signing.BadSignature:
        return _invitation_over(
            request, _("Please check that you copied the whole link, or ask for another invitation.")
        )
    if request.user.is_authenticated:
        return _accept(cast(AccountRequest, request), site_id, invitation_id)
    return _ask_address(request, site_id, invitation_id)


def _ask_address(request: HttpRequest, site_id: int, invitation_id: int) -> HttpResponse:
    form = JoinForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        address = form.cleaned_data["email"]
        if not ratelimit.consume(request, action="join", key=str(invitation_id)):
            form.add_error("email", _("That was wrong too often. Please wait ten minutes."))
        else:
            try:
                return _send_code(request, site_id, invitation_id, address)
            except Refused as refused:
                form.add_error("email", refused.sentence)
    return render(request, "join/join.html", {"form": form}, status=422 if form.errors else 200)


def _send_code(request: HttpRequest, site_id: int, invitation_id: int, address: str) -> HttpResponse:
    """Mail a code to the invited address, if it is the one that was entered.

    Raises:
        Refused: it is another address, or the invitation may not be used any more.
    """
    with tenancy.site_scope(site_id):
        invitation = people.find_invitation(invitation_id)
        if not people.same_address(invitation.email if invitation else "", address) or invitation is None:
            raise Refused("OTHER_ADDRESS", _("The invitation was sent to another address. Please check it."))
        people.check_open(invitation)
        user = people.account_for(invitation)
    if user.joined_at is not None:
        messages.info(request, _("You have an account already. Sign in, then accept the invitation."))
        return redirect_to_login(request.path)
    request.session[JOINING] = [site_id, invitation_id, user.pk]
    LoginCodeVerificationProcess.initiate(request=request, user=user, email=user.email)
    page = reverse("account_confirm_login_code")
    return HttpResponseRedirect(f"{page}?{urlencode({'next': request.path})}")


def _accept(request: AccountRequest, site_id: int, invitation_id: int) -> HttpResponse:
    """Someone who is signed in accepts by pressing a button."""
    if stop := barred(request):
        return stop
    if factors(request.user.pk) and not second_factor(request):
        return _to_second_factor(request.path)
    try:
        with tenancy.site_scope(site_id):
            invitation = people.find_invitation(invitation_id)
            if invitation is None or not people.same_address(invitation.email, request.user.email):
                return render(request, "join/other_account.html", {"here": request.path})
            if request.method == "POST":
                people.accept_invitation(invitation, user=request.user)
            else:
                people.check_open(invitation)
            site, role = Site.objects.get(pk=site_id), Role(invitation.role).label
    except Refused as refused:
        return _invitation_over(request, refused.sentence)
    if request.method == "POST":
        messages.success(request, _("You have joined %(site)s.") % {"site": site.name})
        return redirect("second_factor")
    return render(request, "join/accept.html", {"invited_by": site.name, "role": role})


def _invitation_over(request: HttpRequest, sentence: str) -> HttpResponse:
    return render(request, "join/gone.html", {"sentence": sentence}, status=404)


@signed_in_only
@require_http_methods(["GET"])
def second_factor_page(request: AccountRequest) -> HttpResponse:
    """Set up the first factor, or show the one there is; then go on to where the person was going."""
    target = _next(request)
    if second_factor(request):
        return HttpResponseRedirect(target)
    if factors(request.user.pk):
        method = AccountAdapter().get_reauthentication_methods(request.user)[0]
        return HttpResponseRedirect(f"{method['url']}?{urlencode({'next': target})}")
    context: dict[str, Any] = {
        "form": SignupWebAuthnForm(user=request.user),
        "js_data": {"creation_options": auth.begin_registration(request.user, True)},
    }
    return render(request, "join/second_factor.html", context)


def _next(request: HttpRequest) -> str:
    target = request.GET.get("next", "")
    is_own_page = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if is_own_page else reverse("home")


def _to_second_factor(target: str) -> HttpResponse:
    return HttpResponseRedirect(f"{reverse('second_factor')}?{urlencode({'next': target})}")


@signed_in
@never_cache
@require_POST
def still_here(request: HttpRequest) -> HttpResponse:
    """Somebody is at the desk: the idle time starts anew, even right after the access middleware noted them."""
    request.session[SEEN] = timezone.now().timestamp()
    return HttpResponse(status=204)
