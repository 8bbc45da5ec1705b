"""The page on which the province says which organizations' programs may read the published tables."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from sites.consumers import transitions as consumers
from sites.consumers.forms import ConsumerForm
from sites.engine.forms import posted_id, status_of
from sites.engine.moves import Refused
from sites.gate import saved_form
from sites.gate.models import Consumer
from sites.gate.permissions import for_roles
from sites.gate.requests import SiteRequest
from sites.gate.second_factor import confirm_first
from sites.tenants.models import Role


@for_roles(Role.ADMINISTRATOR)
@confirm_first
@require_http_methods(["GET", "HEAD", "POST"])
def consumers_page(request: SiteRequest) -> HttpResponse:
    """Issue a token, which this answer alone shows; list and end them."""
    if request.POST.get("do") == "end":
        consumer = get_object_or_404(Consumer, pk=posted_id(request.POST.get("consumer", "")))
        consumers.end(consumer.pk, by=request.actor)
        messages.success(request, _("Ended. This token opens nothing any more."))
        return redirect("consumers")
    form, token, name = ConsumerForm(saved_form.data_for(request, "name")), "", ""
    if request.method == "POST" and form.is_valid():
        name = form.cleaned_data["name"]
        try:
            token = consumers.issue(name, by=request.actor)
        except Refused as refused:
            form.add_error("name", refused.sentence)
        else:
            form = ConsumerForm()
    context = {"form": form, "token": token, "name": name, "rows": Consumer.objects.all()}
    return render(request, "sites/consumers.html", context, status=status_of(request, form) if not token else 200)
