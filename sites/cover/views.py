"""The page on which an administrator says who does their work while they are away."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from sites.cover import transitions as cover
from sites.cover.forms import CoverForm
from sites.engine.forms import posted_id, status_of
from sites.engine.moves import Refused
from sites.gate import saved_form
from sites.gate.permissions import for_roles
from sites.gate.requests import SiteRequest
from sites.gate.second_factor import confirm_first
from sites.tenants import queries
from sites.tenants.models import Cover, Membership, Role


@for_roles(Role.ADMINISTRATOR)
@confirm_first
@require_http_methods(["GET", "HEAD", "POST"])
def cover_page(request: SiteRequest) -> HttpResponse:
    """Arrange cover for oneself, see what is arranged, end it."""
    if request.POST.get("do") == "end":
        row = get_object_or_404(Cover, pk=posted_id(request.POST.get("cover", "")))
        cover.end(row.pk, by=request.actor)
        messages.success(request, _("Ended. Mail goes as before."))
        return redirect("today" if row.away_id == request.user.pk else "home", *_site(request, row))
    members = Membership.objects.filter(site=request.site, ended_at=None, user__is_active=True)
    names = queries.names(members.values_list("user_id", flat=True))
    others = {pk: name for pk, name in sorted(names.items(), key=lambda pair: pair[1]) if pk != request.user.pk}
    form = CoverForm(saved_form.data_for(request, "who"), people=others)
    if request.method == "POST" and form.is_valid():
        cleaned = form.cleaned_data
        try:
            cover.arrange(
                request.user.pk, int(cleaned["who"]), cleaned["starts_on"], cleaned["ends_on"], by=request.actor
            )
        except Refused as refused:
            form.add_error(None, refused.sentence)
        else:
            messages.success(request, _("Arranged. It begins and ends by itself."))
            return redirect("cover", request.site.slug)
    rows = cover.running()
    names |= queries.names({user_id for row in rows for user_id in (row.away_id, row.by_id)})
    context = {
        "form": form,
        "rows": [(row, names.get(row.away_id, ""), names.get(row.by_id, "")) for row in rows],
        "mine": any(row.away_id == request.user.pk for row in rows),
    }
    return render(request, "sites/cover.html", context, status=status_of(request, form))


def _site(request: SiteRequest, row: Cover) -> list[str]:
    """Return what the address to go to takes: whoever ended it for someone else may not be an administrator now."""
    return [request.site.slug] if row.away_id == request.user.pk else []
