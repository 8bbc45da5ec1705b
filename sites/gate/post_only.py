"""What a button is pressed for: a move is a POST, and its address is no page of its own."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from sites.gate.requests import SiteRequest

View = Callable[..., HttpResponse]


def post_only(page: str, find: Callable[[SiteRequest, str], Any]) -> Callable[[View], View]:
    """Lead a GET (a reload, an old tab after sign-in) to the page on which the button stands.

    Args:
        page: name of its address.
        find: looks up what the move is about, and raises Http404 when it is not theirs.
    """

    def decorate(view: View) -> View:
        @require_http_methods(["GET", "HEAD", "POST"])
        @wraps(view)
        def pressed(request: SiteRequest, ref: str) -> HttpResponse:
            if request.method == "POST":
                return view(request, ref)
            find(request, ref)
            return redirect(page, request.site.slug, ref)

        return pressed

    return decorate
