"""A supporter's line of the roster."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from sites.engine.forms import status_of
from sites.gate import saved_form
from sites.gate.permissions import for_roles
from sites.gate.requests import SiteRequest
from sites.tenants.models import Membership, Profile, Role
from training.commitment import transitions as commitment
from training.recruitment import queries as recruits
from training.recruitment.models import Recruit
from training.roster import transitions
from training.supporters import public_page
from training.supporters.forms import LeavingForm, SupporterForm
from training.supporters.models import PeerSupporter


@for_roles(Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def supporter(request: SiteRequest, user_id: int) -> HttpResponse:
    """Add a person who holds the role to the roster, or change their line."""
    profile = get_object_or_404(Profile, user_id=user_id)
    line = PeerSupporter.objects.filter(user_id=user_id).first()
    if line is None and not _is_member(request, user_id):
        raise Http404("Not a supporter here.")
    if line is not None and request.POST.get("do") in ("take_off", "stays"):
        messages.success(request, _press(request, line))
        return redirect("supporter", request.site.slug, user_id)
    recruit = recruits.of_user(user_id)
    if recruit is not None and recruit.state == Recruit.State.INVITED:
        messages.info(request, _("Their line of the roster comes with their interest form."))
        return redirect("recruit", request.site.slug, recruit.ref)
    leaving = LeavingForm(request.POST if request.POST.get("do") == "leaves" else None)
    if line is not None and leaving.is_valid():
        day = commitment.give_notice(line.pk, on=leaving.cleaned_data["on"], by=request.actor)
        messages.success(request, _("Noted. They leave on %(day)s.") % {"day": date_format(day, "l j F Y")})
        return redirect("supporter", request.site.slug, user_id)
    form = SupporterForm(
        None if leaving.is_bound else saved_form.data_for(request, "cap_year"),
        instance=line or PeerSupporter(user_id=user_id, profile=profile, state=PeerSupporter.State.ACTIVE),
        on_the_way=recruit is not None,
    )
    if request.method == "POST" and form.is_valid():
        transitions.save_supporter(
            user_id, form.columns(), departments=form.departments(), state=form.chosen_state(), by=request.actor
        )
        messages.success(request, _("Saved."))
        return redirect("supporters", request.site.slug)
    context = {
        "form": form,
        "name": profile.name,
        "new": line is None,
        "line": line,
        "shown": line and line.published,
        "recruit": recruit,
        "leaving": leaving,
    }
    return render(
        request, "training/supporter.html", context, status=status_of(request, leaving if leaving.is_bound else form)
    )


def _is_member(request: SiteRequest, user_id: int) -> bool:
    memberships = Membership.objects.filter(site=request.site, user_id=user_id, role=Role.SUPPORTER, ended_at=None)
    return memberships.exists()


def _press(request: SiteRequest, line: PeerSupporter) -> str:
    """Carry out what a button without a form asks for, and return what to tell the administrator."""
    if request.POST["do"] == "stays":
        commitment.stay(line.pk, by=request.actor)
        return _("Noted. They stay.")
    public_page.take_off(line.pk, by=request.actor)
    return _("They are no longer on the public page.")
