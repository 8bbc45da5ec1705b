"""Public pages: what this is, the request form, and what happens next. No script, no account."""

from typing import Any

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_http_methods, require_safe

from psi import vault
from referrals import blank, transitions
from referrals.forms import RequestForm
from sites.permissions import public
from sites.queries import province
from training.models import Department

RECEIPT_COOKIE, RECEIPT_SECONDS = "receipt", 600


@public
@require_safe
@cache_control(max_age=60)
def public_page(request: Any) -> HttpResponse:
    """A site's own page: how it works and both ways in."""
    return render(request, "referrals/public.html")


@public
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def request_page(request: Any) -> HttpResponse:
    """The request form. Nothing is stored before it is sent, and a double press makes one request."""
    site = request.site
    if not (site.takes_requests and site.reach_in):
        return render(request, "referrals/closed.html", {"pathway": "reach-in"})
    if request.method != "POST":
        return HttpResponse(blank.request_page(request))
    form = RequestForm(request.POST, site=site, texts=blank.texts(), departments=list(Department.objects.all()))
    if not form.is_valid():
        return render(request, "referrals/request.html", {"form": form}, status=422)
    receipt = transitions.submit(
        form.ask(),
        form.identity(),
        site=site,
        at=province() if form.outside else site,
        key=form.cleaned_data["key"],
        texts=form.agreed(),
    )
    return _sent(site.slug, receipt)


def _sent(slug: str, receipt: str) -> HttpResponse:
    """Redirect to the confirmation; the receipt travels sealed, for ten minutes, to that page alone."""
    path = reverse("sent", args=[slug])
    response = redirect(path)
    response.set_cookie(
        RECEIPT_COOKIE,
        vault.envelope("receipt").encrypt(receipt.encode()).decode(),
        max_age=RECEIPT_SECONDS,
        path=path,
        httponly=True,
        secure=not settings.PSI_LOCAL,
        samesite="Strict",
    )
    return response


@public
@require_safe
@never_cache
def sent(request: Any) -> HttpResponse:
    """The confirmation with its receipt, readable for ten minutes in the browser that sent the form."""
    try:
        sealed = request.COOKIES.get(RECEIPT_COOKIE, "").encode()
        receipt = vault.envelope("receipt").decrypt(sealed, ttl=RECEIPT_SECONDS).decode()
    except InvalidToken:
        receipt = ""
    return render(request, "referrals/sent.html", {"receipt": receipt.replace(" ", "")})


@public
@require_safe
@cache_control(max_age=60)
def colleague(request: Any) -> HttpResponse:
    """What someone can do who is concerned about a colleague."""
    site = request.site
    if not (site.takes_requests and site.reach_out):
        return render(request, "referrals/closed.html", {"pathway": "reach-out"})
    return render(request, "referrals/colleague.html")
