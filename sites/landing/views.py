"""Pages of no subject: finding a site, links from mail, and where a signed-in person starts."""

from django.conf import settings
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_safe

from psi import tenancy
from sites.engine import outbox
from sites.gate.permissions import public, signed_in
from sites.gate.requests import AccountRequest
from sites.tenants.models import Role, Site


@public
@require_safe
def find_site(request: HttpRequest) -> HttpResponse:
    """List every open site, and the province for those who have none."""
    sites = Site.objects.filter(is_open=True).exclude(kind=Site.Kind.PROVINCE).order_by("name")
    return render(request, "sites/find.html", {"sites": sites})


@public
@require_GET
def leave(request: HttpRequest) -> HttpResponse:
    """Leave quickly: forget what the browser kept of us, and go somewhere neutral."""
    response = HttpResponseRedirect(settings.PSI_LEAVE_URL)
    response["Clear-Site-Data"] = '"cache", "cookies"'
    response["Cache-Control"] = "no-store"
    return response


@public
@require_GET
def go(request: HttpRequest, token: str) -> HttpResponse:
    """Follow a locator from a mail. It changes nothing, and shows nothing of a site before sign-in.

    Who has no account is led to a public page, which asks for what the mail says besides.
    """
    locator = _read(token)
    return _follow(*locator) if outbox.is_public(locator[1]) else redirect("go_inside", token=token)


@signed_in
@require_GET
def go_inside(request: AccountRequest, token: str) -> HttpResponse:
    """The second half of a locator, behind the sign-in: to the page, for members of its site only."""
    locator = _read(token)
    if locator[0] not in request.roles_by_site:
        raise Http404("Not a member of this site.")
    return _follow(*locator)


def _read(token: str) -> tuple[int, str, int]:
    try:
        return outbox.read_locator(token)
    except signing.BadSignature as error:
        raise Http404("Not one of our links.") from error


def _follow(site_id: int, target: str, object_id: int) -> HttpResponse:
    with tenancy.site_scope(site_id):
        path = outbox.path_of(target, object_id)
    if path is None:
        raise Http404("It is gone.")
    return redirect(path)


@signed_in
@require_safe
def home(request: AccountRequest) -> HttpResponse:
    """Where a person starts: straight to the one place they have, or a list of them."""
    sites = Site.objects.filter(pk__in=request.roles_by_site).order_by("name")
    start_pages = [(site, start_page(site, request.roles_by_site[site.pk])) for site in sites]
    if len(start_pages) == 1:
        return redirect(start_pages[0][1])
    return render(request, "sites/home.html", {"doors": start_pages})


def start_page(site: Site, roles: set[str]) -> str:
    """Return the page a person with these roles starts at: what they must look at first."""
    if Role.ADMINISTRATOR in roles:
        return reverse("today", args=[site.slug])
    if Role.SUPPORTER in roles:
        return reverse("my", args=[site.slug])
    return reverse("figures", args=[site.slug])
