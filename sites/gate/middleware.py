"""The access middleware: every request passes here before its view, and the view runs inside the site's scope."""

from collections.abc import Callable
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _

from psi import tenancy
from sites.engine import audit
from sites.engine.moves import Refused
from sites.gate import saved_form, tokens
from sites.gate.permissions import PUBLIC, SIGNED_IN, TOKEN, Access, roles_of
from sites.gate.requests import CheckedRequest, SiteRequest
from sites.gate.saved_form import back
from sites.gate.second_factor import second_factor
from sites.tenants.models import Role, Site

MINUTE = 60
# (idle, whole session) in seconds; with several roles the stricter holds (docs/rules.md#session-limits).
LIMITS = {Role.SUPPORTER: (30 * MINUTE, 12 * 3600)}
STRICT = (15 * MINUTE, 8 * 3600)
STARTED, SEEN = "signed_in_at", "last_seen"
# Noting every request would write the session each time; half a minute is near enough.
SEEN_STEP = 30


class AccessMiddleware:
    """Check the view's access level, the session and the membership; then run the view in its site's scope.

    A stranger to a site gets 404, a wrong role 403, someone not signed in the sign-in page. A refused
    move rolls everything back and comes back as a sentence.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: CheckedRequest) -> HttpResponse:
        request.site, request.roles, request.actor = None, frozenset(), audit.PUBLIC
        response = self.get_response(request)
        if hasattr(request, "roles_by_site"):
            # What a signed-in person saw is not kept: after them, Back shows nothing at a shared computer.
            add_never_cache_headers(response)
        return response

    def process_view(
        self, request: CheckedRequest, view: Callable[..., HttpResponse], args: Any, kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        access: Access | None = getattr(view, "access", None)
        if access is None:
            raise Http404("This address has no access level.")
        slug = kwargs.get("site")
        if slug is not None:
            request.site = Site.objects.filter(slug=slug).first()
            if request.site is None:
                raise Http404("No such site.")
        if access != PUBLIC:
            refusal = self._refusal(request, access)
            if refusal is not None:
                return refusal
        if request.site is None:
            return None
        return self._run(cast(SiteRequest, request), view, args, {k: v for k, v in kwargs.items() if k != "site"})

    def _refusal(self, request: CheckedRequest, access: Access) -> HttpResponse | None:
        """Return the page that stands in the way, or None; raise for those who may not know or may not press."""
        if access == TOKEN:
            return tokens.refusal(cast(SiteRequest, request))
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path() if request.method == "GET" else back(request))
        return self._account_refusal(cast(SiteRequest, request), access)

    def _account_refusal(self, request: SiteRequest, access: Access) -> HttpResponse | None:
        roles_by_site = roles_of(request.user.pk)
        expired = session_over(request, {role for roles in roles_by_site.values() for role in roles})
        if expired:
            target = request.get_full_path() if request.method == "GET" else back(request)
            restore_later = saved_form.keep(request)
            logout(request)
            messages.info(request, _("You were signed out because nothing happened for a while."))
            return restore_later(redirect_to_login(target))
        if not second_factor(request):
            return redirect("second_factor")
        request.roles_by_site = roles_by_site
        if access == SIGNED_IN:
            return None
        roles = roles_by_site.get(request.site.pk, set())
        allowed = roles & access.roles
        request.roles = frozenset(roles)
        request.actor = audit.Actor(request.user.pk, _first(allowed or roles))
        if not allowed:
            with tenancy.site_scope(request.site.pk):
                audit.record("DENIED", "PAGE", None, by=request.actor)
            if roles:
                words = [Role(role).label for role in Role.values if role in access.roles]
                raise PermissionDenied(", ".join(words))
            raise Http404("Not a member of this site.")
        return None

    def _run(
        self, request: SiteRequest, view: Callable[..., HttpResponse], args: Any, kwargs: dict[str, Any]
    ) -> HttpResponse:
        try:
            with tenancy.site_scope(request.site.pk), timezone.override(request.site.time_zone):
                response = view(request, *args, **kwargs)
                if hasattr(response, "render") and callable(response.render):
                    response = response.render()
                return saved_form.clear(request, response)
        except Refused as refused:
            # The transaction is gone; only the sentence stays.
            messages.error(request, refused.sentence)
            return HttpResponseRedirect(back(request))


def _first(roles: set[str]) -> str:
    """Return the role an act is recorded under when a person holds several: the order of `Role`."""
    return next((role for role in Role.values if role in roles), "stranger")


def session_over(request: HttpRequest, roles: set[str]) -> bool:
    """Note that the person is here; say whether the idle or the whole limit had passed already."""
    idle, whole = limits(roles)
    at = timezone.now().timestamp()
    started = request.session.setdefault(STARTED, at)
    seen = request.session.get(SEEN, at)
    if at - seen > idle or at - started > whole:
        return True
    if at - seen > SEEN_STEP or SEEN not in request.session:
        request.session[SEEN] = at
    return False


def limits(roles: set[str]) -> tuple[int, int]:
    """Return the strictest (idle, whole) limits in seconds of these roles."""
    every = [LIMITS.get(Role(role), STRICT) for role in roles] or [STRICT]
    return min(idle for idle, _ in every), min(whole for _, whole in every)
