"""What every page knows about the place it belongs to."""

from functools import partial
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from sites.gate import language
from sites.gate.middleware import limits
from sites.reference import queries as reference
from sites.tenants.models import Role, Site

A, L, S, V = Role.ADMINISTRATOR, Role.LEAD, Role.SUPPORTER, Role.ADVISOR
# (label, URL name, roles that see it, provincial only)
ROOMS = (
    ("Today", "today", {A}, False),
    ("Requests", "requests", {A}, False),
    ("Peer supporters", "supporters", {A, L}, False),
    ("My matches", "my", {S}, False),
    ("My training", "my_training", {S}, False),
    ("Training", "sessions", {A, L}, False),
    ("Figures", "figures", {A, L, V}, False),
    ("Sites", "province_sites", {A}, True),
    ("Operations", "operations", {A}, True),
    ("Program", "settings", {A}, False),
)


def place(request: HttpRequest) -> dict[str, Any]:
    """Context processor: the site, its navigation for this person, crisis numbers, the idle limit."""
    site = getattr(request, "site", None)
    roles: frozenset[str] = getattr(request, "roles", frozenset())
    context: dict[str, Any] = {"crisis_lines": SimpleLazyObject(partial(reference.crisis_lines))}
    context["local_lines"] = SimpleLazyObject(partial(reference.local_crisis_lines))
    context["in_language"] = language.kept(request)
    if getattr(request, "public_page", True):
        code, name = language.other(request)
        context |= {"other_language": code, "other_language_name": name, "switch_url": language.switch(request)}
    if site is not None:
        context |= {
            "site": site,
            # What sites are called is theirs to say; the province is called so in both languages.
            "site_name": _(site.name) if site.is_province else site.name,
            "site_url": reverse("public", args=[site.slug]) + context["in_language"],
        }
        # Every page that is made for supporters leads to the safety steps.
        mark = getattr(getattr(request.resolver_match, "func", None), "access", None)
        if S in roles and mark is not None and S in mark.roles:
            context["safety_url"] = reverse("safety", args=[site.slug])
    places = getattr(request, "places", None)
    if places is not None:
        context["idle_seconds"] = limits({role for held in places.values() for role in held})[0]
        context["nav"] = _rooms(request, site, roles) if site is not None else []
        supports = sorted(site_id for site_id, held in places.items() if S in held)
        if site is None and supports:
            # Their own account is a page of theirs too.
            slug = Site.objects.values_list("slug", flat=True).get(pk=supports[0])
            context["safety_url"] = reverse("safety", args=[slug])
    return context


def _rooms(request: HttpRequest, site: Any, roles: frozenset[str]) -> list[tuple[str, str, bool]]:
    rooms: list[tuple[str, str]] = []
    for label, name, seen_by, provincial in ROOMS:
        if roles & seen_by and (site.is_province or not provincial):
            url = reverse(name) if provincial else reverse(name, args=[site.slug])
            rooms.append((_(label), url))
    # My training lies below My matches: the nearer of the two is where one is.
    here = max((url for _label, url in rooms if request.path.startswith(url)), key=len, default="")
    return [(label, url, url == here) for label, url in rooms]
