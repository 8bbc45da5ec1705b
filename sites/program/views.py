"""Pages of a program: its settings, its audit trail, and what is to do today."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from sites.engine import audit_words, today
from sites.engine.forms import changed_fields, posted_id, status_of
from sites.engine.models import AuditEntry
from sites.gate import saved_form
from sites.gate.permissions import for_roles
from sites.gate.requests import SiteRequest
from sites.program import opening, transitions
from sites.program.forms import ProgramForm
from sites.tenants.models import Role, Site

PAGE = 50


@for_roles(Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def settings_page(request: SiteRequest) -> HttpResponse:
    """Open or close the program and its pathways, name the privacy officer."""
    form = ProgramForm(saved_form.data_for(request), instance=Site.objects.get(pk=request.site.pk))
    if request.method == "POST" and form.is_valid():
        transitions.change_settings(form.save(commit=False), changed_fields(form), by=request.actor)
        messages.success(request, _("Saved."))
        return redirect("settings", request.site.slug)
    return render(request, "sites/settings.html", {"form": form}, status=status_of(request, form))


@for_roles(Role.ADMINISTRATOR)
@require_safe
def audit_page(request: SiteRequest) -> HttpResponse:
    """The audit trail of the site, newest first, by key: no names of physicians."""
    before = posted_id(request.GET.get("before", ""))
    rows = AuditEntry.objects.order_by("-number")
    if before:
        rows = rows.filter(number__lt=before)
    entries = list(rows[: PAGE + 1])
    older = f"?before={entries[PAGE - 1].number}" if len(entries) > PAGE else ""
    context = {"lines": audit_words.lines(entries[:PAGE]), "older_url": older, "newest_url": "?" if before else ""}
    return render(request, "sites/audit.html", context)


@for_roles(Role.ADMINISTRATOR)
@require_safe
def today_page(request: SiteRequest) -> HttpResponse:
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
