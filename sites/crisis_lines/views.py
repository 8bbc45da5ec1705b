"""Pages on which numbers are changed, and noted as called."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from sites.crisis_lines import transitions
from sites.crisis_lines.checks import differs_from_static_pages, with_age
from sites.crisis_lines.forms import CrisisLineForm, LocalLineForm
from sites.engine.forms import status_of
from sites.gate import saved_form
from sites.gate.permissions import for_roles
from sites.gate.requests import SiteRequest
from sites.reference import queries as reference
from sites.reference.models import CrisisLine, LocalCrisisLine
from sites.tenants.models import Role


@for_roles(Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def local_page(request: SiteRequest) -> HttpResponse:
    """The numbers a site adds after the provincial ones, which it cannot change."""
    if request.site.is_province:
        return redirect("crisis_numbers")
    if "remove" in request.POST:
        transitions.remove_local(request.POST["remove"][:20], by=request.actor)
        return redirect("local_numbers", request.site.slug)
    if "called" in request.POST:
        line = get_object_or_404(LocalCrisisLine, number=request.POST["called"][:20])
        _confirm(request, line)
        return redirect("local_numbers", request.site.slug)
    form = LocalLineForm(saved_form.data_for(request))
    if request.method == "POST" and form.is_valid():
        transitions.add_local(form.save(commit=False), by=request.actor)
        messages.success(request, _("Added. Every page shows it within a minute."))
        return redirect("local_numbers", request.site.slug)
    context = {"form": form, "rows": reference.crisis_lines(), "own": with_age(reference.local_crisis_lines())}
    return render(request, "sites/local_numbers.html", context, status=status_of(request, form))


@for_roles(Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def numbers_page(request: SiteRequest) -> HttpResponse:
    """The list with its ages; a press says that a number was called today and is right."""
    if request.method == "POST":
        line = get_object_or_404(CrisisLine, code=request.POST.get("called", "")[:12])
        _confirm(request, line)
        return redirect("crisis_numbers")
    lines = reference.crisis_lines()
    context = {"rows": with_age(lines), "other_on_static": [line for line in lines if differs_from_static_pages(line)]}
    return render(request, "sites/crisis.html", context)


def _confirm(request: SiteRequest, line: CrisisLine | LocalCrisisLine) -> None:
    transitions.confirm(line, by=request.actor)
    messages.success(request, _("Noted: %(number)s was called today.") % {"number": line.number})


@for_roles(Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def number_page(request: SiteRequest, line: str) -> HttpResponse:
    """Change one number or its words. A number that changed has been called."""
    if line not in CrisisLine.Code.values:
        raise Http404("No such number.")
    number = get_object_or_404(CrisisLine, code=line)
    form = CrisisLineForm(saved_form.data_for(request), instance=number)
    if request.method == "POST" and form.is_valid():
        transitions.change(form.save(commit=False), by=request.actor)
        messages.success(request, _("Saved. Every page shows it within a minute."))
        return redirect("crisis_numbers")
    return render(request, "sites/crisis_number.html", {"form": form}, status=status_of(request, form))
