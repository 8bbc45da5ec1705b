"""allauth's views as they stand here, and who may open them before the second factor."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.views import LoginView
from allauth.mfa.base.views import IndexView
from allauth.mfa.webauthn.internal import auth
from allauth.mfa.webauthn.views import AddWebAuthnView
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from sites.accounts.adapters import MFAAdapter, factors
from sites.gate.middleware import session_over
from sites.gate.permissions import public, roles_of
from sites.gate.requests import AccountRequest
from sites.gate.second_factor import second_factor
from sites.tenants.models import User

View = Callable[..., HttpResponseBase]
# Sending a mail takes longer than not sending one; the answer tells nothing of it.
EVEN_SECONDS = 0.4


def barred(request: HttpRequest) -> HttpResponse | None:
    """Return the sign-in page for someone not signed in, or whose session is over; None for the others."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    roles = {role for site_roles in roles_of(request.user.pk).values() for role in site_roles}
    if session_over(request, roles):
        logout(request)
        messages.info(request, _("You were signed out because nothing happened for a while."))
        return redirect_to_login(request.get_full_path())
    return None


def signed_in_only(view: View) -> View:
    """Open to an account whose second factor is not shown yet: this is where it is shown."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return barred(request) or view(request, *args, **kwargs)

    return public(never_cache(guarded))


def first_factor(view: View) -> View:
    """Open to an account that has no second factor yet; whoever has one shows it before adding another."""

    @wraps(view)
    def guarded(request: AccountRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if factors(request.user.pk) and not second_factor(request):
            return redirect("second_factor")
        return view(request, *args, **kwargs)

    return signed_in_only(guarded)


def keeps_one(view: View) -> View:
    """Refuse to remove the last factor, also when two are removed at the same time."""

    @wraps(view)
    def guarded(request: AccountRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with transaction.atomic():
            if request.method == "POST":
                User.objects.select_for_update().get(pk=request.user.pk)
            if factors(request.user.pk) > 1:
                response = view(request, *args, **kwargs)
                if hasattr(response, "render"):
                    response.render()
                return response
        messages.error(request, MFAAdapter.error_messages["cannot_delete_authenticator"])
        return redirect("mfa_index")

    return never_cache(guarded)


class SignIn(LoginView):
    """Passkey first, else a code by mail; known and unknown addresses take the same time."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        began = time.monotonic()
        response: HttpResponse = super().post(request, *args, **kwargs)
        time.sleep(max(0.0, began + EVEN_SECONDS - time.monotonic()))
        return response


class AddPasskey(AddWebAuthnView):
    """A passkey that signs in alone: it names its account and knows its person."""

    request: AccountRequest

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        context["js_data"] = {"creation_options": auth.begin_registration(self.request.user, True)}
        return context


class Index(IndexView):
    """What a person signs in with."""

    request: AccountRequest

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"may_remove": factors(self.request.user.pk) > 1}
