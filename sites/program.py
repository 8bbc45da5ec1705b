"""The program's own pages: its doors, its people, its audit trail; and the province's list of sites."""

from typing import Any

from django.contrib import messages
from django.db.models import Max
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from sites import audit, kept_form, people, queries, trail
from sites.accounts import confirm_first
from sites.forms import InviteForm, NewSiteForm, ProgramForm, SiteForm, sent_number, status_of
from sites.models import AuditEntry, Invitation, Membership, Role, SignInEvent, Site
from sites.moves import Refused
from sites.permissions import for_roles

PAGE = 50


@for_roles(Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def settings_page(request: Any) -> HttpResponse:
    """Open or close the program and its pathways, name the privacy officer."""
    form = ProgramForm(kept_form.typed(request), instance=Site.objects.get(pk=request.site.pk))
    if request.method == "POST" and form.is_valid():
        form.save()
        audit.record("SETTINGS", "SITE", request.site.pk, by=request.actor)
        messages.success(request, _("Saved."))
        return redirect("settings", request.site.slug)
    return render(request, "sites/settings.html", {"form": form}, status=status_of(request, form))


@for_roles(Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def people_page(request: Any) -> HttpResponse:
    """Who has which role, who is invited; inviting is a POST, and so is taking an invitation back."""
    if "revoke" in request.POST:
        invitation = get_object_or_404(Invitation, pk=sent_number(request.POST["revoke"]))
        people.revoke_invitation(invitation, by=request.actor)
        messages.success(request, _("The invitation was taken back."))
        return redirect("people", request.site.slug)
    form = InviteForm(kept_form.typed(request, "email"), roles=people.possible_roles(request.site))
    if request.method == "POST" and form.is_valid():
        try:
            people.invite(request.site, by=request.actor, **form.cleaned_data)
        except Refused as refused:
            form.add_error(None, refused.sentence)
        else:
            messages.success(request, _("The invitation is on its way. It can be used for fourteen days."))
            return redirect("people", request.site.slug)
    members = list(
        Membership.objects.filter(site=request.site, ended_at=None).select_related("user").order_by("role", "pk")
    )
    names = queries.names(member.user_id for member in members)
    seen = dict(
        SignInEvent.objects.filter(user_id__in=names, kind=SignInEvent.Kind.SIGNED_IN)
        .values("user_id")
        .annotate(at=Max("at"))
        .values_list("user_id", "at")
    )
    context = {
        "form": form,
        "lines": [(member, names.get(member.user_id, ""), seen.get(member.user_id)) for member in members],
        "waiting": people.waiting().order_by("-pk"),
    }
    return render(request, "sites/people.html", context, status=status_of(request, form))


@for_roles(Role.ADMINISTRATOR)
@confirm_first
@require_http_methods(["GET", "HEAD", "POST"])
def member_page(request: Any, membership_id: int) -> HttpResponse:
    """One role of a person: change it or end it, or add another."""
    membership = get_object_or_404(
        Membership.objects.filter(site=request.site).select_related("user"), pk=membership_id
    )
    if membership.ended_at:
        messages.info(request, _("This role ended already."))
        return redirect("people", request.site.slug)
    if request.method == "POST":
        if request.POST.get("do") == "end":
            people.end_role(membership, by=request.actor)
            messages.success(request, _("The role has ended. It took effect at once."))
        elif request.POST.get("do") == "add":
            people.add_role(membership, request.POST.get("role", ""), by=request.actor)
            messages.success(request, _("The role was added."))
        else:
            people.change_role(membership, request.POST.get("role", ""), by=request.actor)
            messages.success(request, _("The role was changed."))
        return redirect("people", request.site.slug)
    held = set(
        Membership.objects.filter(site=request.site, user=membership.user, ended_at=None).values_list("role", flat=True)
    )
    roles = [role for role in people.possible_roles(request.site) if role.value not in held]
    context = {
        "membership": membership,
        "name": queries.names([membership.user_id]).get(membership.user_id, ""),
        "roles": [(role.value, role.label) for role in roles],
        "others": [role.label for role in Role if role.value in held - {membership.role}],
    }
    return render(request, "sites/member.html", context)


@for_roles(Role.ADMINISTRATOR)
@require_safe
def audit_page(request: Any) -> HttpResponse:
    """The audit trail of the site, newest first, by key: no names of physicians."""
    before = sent_number(request.GET.get("before", ""))
    rows = AuditEntry.objects.order_by("-number")
    if before:
        rows = rows.filter(number__lt=before)
    entries = list(rows[: PAGE + 1])
    older = f"?before={entries[PAGE - 1].number}" if len(entries) > PAGE else ""
    context = {"lines": trail.lines(entries[:PAGE]), "older_url": older, "newest_url": "?" if before else ""}
    return render(request, "sites/audit.html", context)


@for_roles(Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def province_sites(request: Any) -> HttpResponse:
    """The province's list of sites; creating one invites its first administrator."""
    form = NewSiteForm(kept_form.typed(request))
    if request.method == "POST" and form.is_valid():
        try:
            site = people.open_site(by=request.actor, **form.cleaned_data)
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
def province_site(request: Any, slug: str) -> HttpResponse:
    """What the province knows of one site: its kind, cohort, funding and law; nothing that happens inside."""
    site = get_object_or_404(Site.objects.exclude(kind=Site.Kind.PROVINCE), slug=slug)
    form = SiteForm(kept_form.typed(request), instance=site)
    if request.method == "POST" and form.is_valid():
        form.save()
        audit.record("EDIT_SITE", "SITE", site.pk, by=request.actor)
        messages.success(request, _("Saved."))
        return redirect("province_sites")
    return render(request, "sites/province_site.html", {"form": form, "subject": site}, status=status_of(request, form))
