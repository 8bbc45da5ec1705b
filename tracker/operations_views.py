"""Operations of the province: where a site needs a hand."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from sites import crisis, queries
from sites.models import Role
from sites.permissions import for_roles
from tracker import operations


@for_roles(Role.ADMINISTRATOR)
@require_safe
def operations_page(request: Any) -> HttpResponse:
    """A light for each site with its reason in words, and for each crisis number; no counts."""
    lights = operations.lights()
    context = {
        "lights": lights,
        "looked_at": min((light.looked_at for light in lights if light.looked_at), default=None),
        "numbers": crisis.checked(queries.crisis_lines()),
    }
    return render(request, "tracker/operations.html", context)
