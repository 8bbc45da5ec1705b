"""The province's list of sites, and opening one."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from sites.engine.forms import changed_fields, status_of
from sites.engine.moves import Refused
from sites.gate import saved_form
from sites.gate.permissions import for_roles
from sites.gate.requests import SiteRequest
from sites.program import transitions
from sites.program.forms import NewSiteForm, SiteForm
from sites.tenants.models import Role, Site


@for_roles(Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def province_sites(request: SiteRequest) -> HttpResponse:
    """The province's list of sites; creating one invites its first administrator."""
    form = NewSiteForm(saved_form.data_for(request))
    if request.method == "POST" and form.is_valid():
        try:
            site = transitions.open_site(by=request.actor, **form.cleaned_data)
        except Refused as refused:
            form.add_error(None, refused.sentence)
        else:
            messages.success(
                request, _("%(name)s is set up, and its first administrator invited.") % {"name": site.name}
            )
            return redirect("province_sites")
    sites = Site.objects.exclude(kind=Site.Kind.PROVINCE).order_by("name")
    return render(request, "sites/province_sites.html", {"form": form, "sites": sites}, status=status_of(request, form))


@for_roles(Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def province_site(request: SiteRequest, slug: str) -> HttpResponse:
    """What the province knows of one site: its kind, cohort, funding and law; nothing that happens inside."""
    site = get_object_or_404(Site.objects.exclude(kind=Site.Kind.PROVINCE), slug=slug)
    form = SiteForm(saved_form.data_for(request), instance=site)
    if request.method == "POST" and form.is_valid():
        transitions.change_site(form.save(commit=False), changed_fields(form), by=request.actor)
        messages.success(request, _("Saved."))
        return redirect("province_sites")
    return render(request, "sites/province_site.html", {"form": form, "subject": site}, status=status_of(request, form))
