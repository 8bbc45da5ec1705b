"""English or French on public pages: by `?lang=`, else as the browser asks; no cookie. Staff pages are English.

Mail is in both: whoever reads it may have an account without a language, or share the mailbox.
"""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import trans_real

from sites.engine.bilingual import LANGUAGES
from sites.gate.permissions import PUBLIC
from sites.gate.requests import CheckedRequest

PARAMETER = "lang"  # in the address, and the name of the button that carries what was typed


class LanguageMiddleware:
    """Set the language of a public page before the access middleware runs its view."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # An address that leads nowhere has no view; its page is public too.
        with translation.override(preferred(request)):
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", translation.get_language()[:2])
        if getattr(request, "public_page", True):
            patch_vary_headers(response, ("Accept-Language",))
        return response

    def process_view(self, request: CheckedRequest, view: Any, args: Any, kwargs: Any) -> None:
        # Signing in is for people with a role, whose pages are in English.
        request.public_page = getattr(view, "access", None) == PUBLIC and not request.path.startswith("/accounts/")
        if not request.public_page:
            translation.activate("en")


def preferred(request: HttpRequest) -> str:
    """Return "fr" or "en": what was chosen in the address, else what the browser asks for first."""
    chosen = request.GET.get(PARAMETER)
    if chosen in LANGUAGES:
        return chosen
    for code, _weight in trans_real.parse_accept_lang_header(request.headers.get("Accept-Language", "").lower()):
        if code[:2] in LANGUAGES:
            return code[:2]
    return "en"


def link_query(request: HttpRequest) -> str:
    """Return what a link on a public page carries on: `?lang=fr` where a language was chosen, else nothing."""
    chosen = request.GET.get(PARAMETER)
    return f"?{PARAMETER}={chosen}" if chosen in LANGUAGES else ""


def other_language(request: HttpRequest) -> tuple[str, str]:
    """Return (code, its own name) of the language the page is not in."""
    return ("en", "English") if (translation.get_language() or "en").startswith("fr") else ("fr", "Français")


def switch_query(request: HttpRequest) -> str:
    """Return the query that shows this page in the other language, with everything else in the address."""
    query = request.GET.copy()
    query[PARAMETER] = other_language(request)[0]
    return "?" + query.urlencode()
