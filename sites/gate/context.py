"""What every page knows about the site it belongs to."""

from functools import partial
from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from sites.gate import language, navigation
from sites.gate.middleware import limits
from sites.gate.navigation import Landmark
from sites.reference import queries as reference
from sites.tenants.models import Role, Site


def site_context(request: HttpRequest) -> dict[str, Any]:
    """Context processor: the site, the menu for this person, crisis numbers, the idle limit in seconds."""
    site = getattr(request, "site", None)
    roles: frozenset[str] = getattr(request, "roles", frozenset())
    context: dict[str, Any] = {"crisis_lines": SimpleLazyObject(partial(reference.crisis_lines))}
    context["local_lines"] = SimpleLazyObject(partial(reference.local_crisis_lines))
    context["in_language"] = language.link_query(request)
    if getattr(request, "public_page", True):
        code, name = language.other_language(request)
        context |= {"other_language": code, "other_language_name": name, "switch_url": language.switch_query(request)}
    if site is not None:
        context |= {
            "site": site,
            # What sites are called is theirs to say; the province is called so in both languages.
            "site_name": _(site.name) if site.is_province else site.name,
            "site_url": navigation.landmark_url(Landmark.SITE_PAGE, site.slug) + context["in_language"],
        }
        # Every page that is made for supporters leads to the safety steps.
        access = getattr(getattr(request.resolver_match, "func", None), "access", None)
        if Role.SUPPORTER in roles and access is not None and Role.SUPPORTER in access.roles:
            context["safety_url"] = navigation.landmark_url(Landmark.SAFETY_STEPS, site.slug)
    roles_by_site: dict[int, set[str]] | None = getattr(request, "roles_by_site", None)
    if roles_by_site is not None:
        context["idle_seconds"] = limits(set().union(*roles_by_site.values()))[0]
        context["nav"] = navigation.menu(request, site, roles) if site is not None else []
        supports = sorted(site_id for site_id, site_roles in roles_by_site.items() if Role.SUPPORTER in site_roles)
        if site is None and supports:
            # Their own account is a page of theirs too.
            slug = Site.objects.values_list("slug", flat=True).get(pk=supports[0])
            context["safety_url"] = navigation.landmark_url(Landmark.SAFETY_STEPS, slug)
    return context
