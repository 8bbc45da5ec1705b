"""The second factor: whether this session has shown it, and views that ask for it again."""

from collections.abc import Callable
from functools import wraps
from time import time
from typing import Any, TypeVar

from allauth.account import app_settings
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.reauthentication import did_recently_reauthenticate
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from sites.gate import saved_form
from sites.gate.saved_form import back

View = TypeVar("View", bound=Callable[..., HttpResponse])


def confirmed_lately(request: HttpRequest) -> bool:
    """Return whether the second factor was shown in the last five minutes (docs/rules.md#second-factor-again).

    Always true of a demonstration session.
    """
    if did_recently_reauthenticate(request):
        return True
    confirmed_at = [r["at"] for r in _records(request) if r["method"] == "mfa"]
    return bool(confirmed_at) and time() - max(confirmed_at) < app_settings.REAUTHENTICATION_TIMEOUT


def confirm_first(view: View) -> View:
    """Ask for the second factor again before export, unsealing, role change; a form comes back filled, not sent."""

    @wraps(view)
    def confirmed_view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if confirmed_lately(request):
            return view(request, *args, **kwargs)
        target = request.get_full_path() if request.method == "GET" else back(request)
        page = f"{reverse('account_reauthenticate')}?{urlencode({'next': target})}"
        return saved_form.keep(request)(HttpResponseRedirect(page))

    return confirmed_view  # type: ignore[return-value]


DEMO_SESSION = "demonstration"


def second_factor(request: HttpRequest) -> bool:
    """Return whether this session has shown a second factor.

    A passkey used to sign in, or a code from an authenticator app or the recovery list. A demonstration
    session counts in the local run only.
    """
    if settings.PSI_LOCAL and request.session.get(DEMO_SESSION):
        return True
    return any(record["method"] == "mfa" for record in _records(request))


def _records(request: HttpRequest) -> list[dict[str, Any]]:
    return get_authentication_records(request, request.user if request.user.is_authenticated else None)
