"""Pages that belong to no room: find your site, doors from mail, health, and what to say in trouble."""

import sys
from typing import Any

from django.conf import settings
from django.core import signing
from django.db import DatabaseError, connection
from django.db.utils import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.template.loader import get_template
from django.urls import reverse
from django.views.decorators.http import require_GET, require_safe

from psi import tenancy
from sites import opening, outbox, today
from sites.models import Role, Site
from sites.permissions import for_roles, public, signed_in


@public
@require_safe
def find_site(request: HttpRequest) -> HttpResponse:
    """The front door: every open site, and the province for those who have none."""
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
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return HttpResponse("ok", content_type="text/plain")


@public
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """The process answers and reaches its database."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return HttpResponse("no database", status=503, content_type="text/plain")
    return HttpResponse("ok", content_type="text/plain")


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
def go_inside(request: Any, token: str) -> HttpResponse:
    """The second half of a locator, behind the sign-in: to the page, for members of its site only."""
    locator = _read(token)
    if locator[0] not in request.places:
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
def home(request: Any) -> HttpResponse:
    """Where a person starts: straight to the one place they have, or a list of them."""
    sites = Site.objects.filter(pk__in=request.places).order_by("name")
    doors = [(site, landing(site, request.places[site.pk])) for site in sites]
    if len(doors) == 1:
        return redirect(doors[0][1])
    return render(request, "sites/home.html", {"doors": doors})


def landing(site: Site, roles: set[str]) -> str:
    """Return the page a person with these roles starts at: what they must look at first."""
    if Role.ADMINISTRATOR in roles:
        return reverse("today", args=[site.slug])
    if Role.SUPPORTER in roles:
        return reverse("my", args=[site.slug])
    return reverse("figures", args=[site.slug])


@for_roles(Role.ADMINISTRATOR)
@require_safe
def today_page(request: Any) -> HttpResponse:
    """What will break a promise next, each with one button."""
    items = today.items(request.site.slug)
    quiet = [item for item in items if item.quiet]
    context = {
        "items": items,
        "steps": opening.steps(request.site),
        "waiting": len(items) - len(quiet),
        # Said only where it is true and something is seen to be on its way.
        "rest": quiet and not any(item.tone == "late" for item in items),
    }
    return render(request, "sites/today.html", context)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that is too old or came from elsewhere: say so; the browser's Back keeps what was typed."""
    return render(request, "sites/stale_form.html", status=403)


def unreadable(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler400: what was sent is too much, or nothing that a form sends."""
    return render(request, "400.html", status=400)


def trouble(request: HttpRequest) -> HttpResponse:
    """handler500: when the database is away or busy it is 503 and worth trying again, else a plain 500."""
    error = sys.exc_info()[1]
    busy = isinstance(error, OperationalError | InterfaceError)
    page = get_template("503.html" if busy else "500.html").render()
    response = HttpResponse(page, status=503 if busy else 500)
    if busy:
        response["Retry-After"] = "5"
    return response
