"""A supporter's line of the roster, and the list of departments."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from sites.engine import audit
from sites.engine.forms import status_of
from sites.gate import saved_form
from sites.gate.permissions import for_roles
from sites.gate.requests import SiteRequest
from sites.tenants.models import Membership, Profile, Role
from training.commitment import agreement
from training.commitment import transitions as commitment
from training.recruitment import transitions as recruitment
from training.recruitment.models import Recruit
from training.supporters import public_page, trained_facts
from training.supporters.forms import LeavingForm, SupporterForm
from training.supporters.models import PeerSupporter


@for_roles(Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def supporter(request: SiteRequest, user_id: int) -> HttpResponse:
    """Add a person who holds the role to the roster, or change what is kept of them."""
    profile = get_object_or_404(Profile, user_id=user_id)
    held = Membership.objects.filter(site=request.site, user_id=user_id, role=Role.SUPPORTER, ended_at=None)
    found = PeerSupporter.objects.filter(user_id=user_id).first()
    if found is None and not held.exists():
        raise Http404("Not a supporter here.")
    if found is not None and request.POST.get("do") == "take_off":
        public_page.take_off(found.pk, by=request.actor)
        messages.success(request, _("They are no longer on the public page."))
        return redirect("supporter", request.site.slug, user_id)
    # Locked before the line itself, as the moves do.
    on_the_way = recruitment.hold(user_id)
    if on_the_way is not None and on_the_way.state == Recruit.State.INVITED:
        messages.info(request, _("Their line of the roster comes with their interest form."))
        return redirect("recruit", request.site.slug, on_the_way.ref)
    leaving = LeavingForm(request.POST if request.POST.get("do") == "leaves" else None)
    if found is not None and request.method == "POST" and leaving.is_bound and leaving.is_valid():
        day = commitment.give_notice(found.pk, on=leaving.cleaned_data["on"], by=request.actor)
        messages.success(request, _("Noted. They leave on %(day)s.") % {"day": date_format(day, "l j F Y")})
        return redirect("supporter", request.site.slug, user_id)
    if found is not None and request.POST.get("do") == "stays":
        commitment.stay(found.pk, by=request.actor)
        messages.success(request, _("Noted. They stay."))
        return redirect("supporter", request.site.slug, user_id)
    form = SupporterForm(
        None if leaving.is_bound else saved_form.data_for(request, "cap_year"),
        instance=found or PeerSupporter(user_id=user_id, profile=profile, state=PeerSupporter.State.ACTIVE),
        on_the_way=on_the_way is not None,
    )
    if request.method == "POST" and form.is_valid():
        saved = form.save()
        audit.record("ROSTER", "SUPPORTER", saved.pk, by=request.actor)
        if saved.home_id is None:
            agreement.noted(saved, by=request.actor)
            trained_facts.trained(saved)
            recruitment.settle(saved.pk)
        messages.success(request, _("Saved."))
        return redirect("supporters", request.site.slug)
    context = {
        "form": form,
        "name": profile.name,
        "new": found is None,
        "held": found,
        "shown": found and found.published,
        "recruit": on_the_way,
        "leaving": leaving,
    }
    return render(
        request, "training/supporter.html", context, status=status_of(request, leaving if leaving.is_bound else form)
    )
