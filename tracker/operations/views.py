"""Operations of the province: where a site needs a hand."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from sites.crisis_lines import checks as crisis_checks
from sites.gate.permissions import for_roles
from sites.gate.requests import SiteRequest
from sites.reference import queries as reference
from sites.tenants.models import Role
from tracker.operations import site_health


@for_roles(Role.ADMINISTRATOR)
@require_safe
def operations_page(request: SiteRequest) -> HttpResponse:
    """A light for each site with its reason in words, and for each crisis number; no counts."""
    sites = site_health.of_all_sites()
    context = {
        "sites": sites,
        "looked_at": min((site.looked_at for site in sites if site.looked_at), default=None),
        "numbers": crisis_checks.with_age(reference.crisis_lines()),
    }
    return render(request, "tracker/operations.html", context)
