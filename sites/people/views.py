"""The people of a site: who is invited, who holds which role, who leaves."""

from django.contrib import messages
from django.db.models import Max
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from sites.engine.forms import posted_id, status_of
from sites.engine.models import SignInEvent
from sites.engine.moves import Refused
from sites.gate import saved_form
from sites.gate.permissions import for_roles
from sites.gate.requests import SiteRequest
from sites.gate.second_factor import confirm_first
from sites.people import transitions as people
from sites.people.forms import InviteForm
from sites.tenants import queries
from sites.tenants.models import Invitation, Membership, Role


@for_roles(Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def people_page(request: SiteRequest) -> HttpResponse:
    """Who has which role, who is invited; inviting is a POST, and so is taking an invitation back."""
    if "revoke" in request.POST:
        invitation = get_object_or_404(Invitation, pk=posted_id(request.POST["revoke"]))
        people.revoke_invitation(invitation, by=request.actor)
        messages.success(request, _("The invitation was taken back."))
        return redirect("people", request.site.slug)
    form = InviteForm(saved_form.data_for(request, "email"), roles=people.possible_roles(request.site))
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
def member_page(request: SiteRequest, membership_id: int) -> HttpResponse:
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
    held_roles = set(
        Membership.objects.filter(site=request.site, user=membership.user, ended_at=None).values_list("role", flat=True)
    )
    roles = [role for role in people.possible_roles(request.site) if role.value not in held_roles]
    context = {
        "membership": membership,
        "name": queries.names([membership.user_id]).get(membership.user_id, ""),
        "roles": [(role.value, role.label) for role in roles],
        "others": [role.label for role in Role if role.value in held_roles - {membership.role}],
    }
    return render(request, "sites/member.html", context)
