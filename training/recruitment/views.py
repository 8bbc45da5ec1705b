"""Pages of recruitment: nominating in public, one page for each who is on the way, and their own form."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from sites.engine.forms import status_of
from sites.gate import language, saved_form, slowdown
from sites.gate.permissions import for_roles, public
from sites.gate.requests import SiteRequest
from sites.tenants.models import Profile, Role
from training.recruitment import queries as recruits
from training.recruitment import transitions as recruitment
from training.recruitment.forms import InterestForm, NominateForm, StopForm, unsaved
from training.recruitment.models import Recruit
from training.supporters.models import PeerSupporter

FIELDS = ("key", "name", "email", "nominator")


# Checked by the view itself: a form that waited too long is given back, filled.
@csrf_exempt
@public
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def nominate(request: SiteRequest) -> HttpResponse:
    """Nominate a colleague as a peer supporter; no account is needed, and nobody is told what becomes of it."""
    site = request.site
    if not site.privacy_officer:
        return redirect(reverse("public", args=[site.slug]) + language.link_query(request))
    if request.method != "POST":
        if kept := slowdown.restore(request):
            return _form(request, NominateForm(kept), waited=True)
        key = uuid.uuid4()
        return _form(request, NominateForm(key=key), ticket=slowdown.ticket_for(request, key))
    posted: QueryDict = request.POST
    stale, switching = slowdown.lacks_csrf(request), language.PARAMETER in posted
    if stale:
        # It may have been filled by a stranger's page, who must not know the key of what is sent next.
        posted, key = posted.copy(), uuid.uuid4()
        posted["key"], posted[slowdown.TICKET] = str(key), slowdown.ticket_for(request, key)
    form = NominateForm(None if switching else posted)
    if switching:
        form.fill(posted)
        return _form(request, form, ticket=posted.get(slowdown.TICKET, ""))
    after = reverse("nominated", args=[site.slug]) + language.link_query(request)
    if slowdown.is_honeypot_filled(request):
        return redirect(after)
    if stale or not form.is_valid():
        return _form(request, form, stale=stale, status=403 if stale else 422)
    if wait := slowdown.wait(request, form.cleaned_data["key"]):
        return slowdown.waiting_page(request, wait, form.fields, _("Nominate"))
    recruitment.nominate(form.named(), key=form.cleaned_data["key"])
    return slowdown.forget(request, redirect(after))


def _form(request: HttpRequest, form: NominateForm, *, status: int = 200, **context: Any) -> HttpResponse:
    """Give back a form with what was typed, its ticket included."""
    context = {"ticket": form.data.get(slowdown.TICKET, "")} | context
    context |= {"form": form, "fields": [form[name] for name in FIELDS]}
    return render(request, "training/nominate.html", context, status=status)


@public
@require_safe
@cache_control(max_age=60)
def nominated(request: SiteRequest) -> HttpResponse:
    """What everyone who nominates reads, whatever follows."""
    return render(request, "training/nominated.html")


@for_roles(Role.ADMINISTRATOR, Role.LEAD)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def recruit(request: SiteRequest, recruit: str) -> HttpResponse:
    """One person on the way: where they are, what they said, and the one move that is next."""
    person = get_object_or_404(Recruit.objects.select_related("invitation"), ref=recruit)
    stopping = StopForm(request.POST if request.POST.get("do") == "stop" else None)
    if request.method == "POST" and (answer := _press(request, person, stopping)):
        return answer
    who = recruitment.named(person)
    name = recruits.names([person]).get(person.pk, "")
    rows = PeerSupporter.objects.select_related("specialty")
    supporter = rows.filter(user_id=person.user_id).first() if person.user_id else None
    slot = recruitment.open_slot(request.site, person, request.roles, request.user.pk)
    reviewing = person.state == Recruit.State.INTERESTED
    context = {
        "recruit": person,
        "name": name,
        "who": who,
        "email": person.user.email if person.user else "",
        "supporter": supporter,
        "departments": [row.department.name for row in supporter.evaluates.select_related("department")]
        if supporter
        else [],
        "steps": recruits.steps(person),
        "awaited": recruits.awaited(person),
        "history": recruits.history(person),
        "may_invite": Role.ADMINISTRATOR in request.roles and recruits.may_be_invited(person),
        "may_review": reviewing and slot is not None,
        "why_not": recruitment.why_not(request.site, person, request.user.pk)[1] if reviewing else "",
        "may_edit": Role.ADMINISTRATOR in request.roles,
        "stopping": stopping if person.state in recruitment.ON_THE_WAY else None,
    }
    return render(request, "training/recruit.html", context, status=status_of(request, stopping))


def _press(request: SiteRequest, person: Recruit, stopping: StopForm) -> HttpResponse | None:
    """Make the move whose button was pressed; None for one that needs something else first."""
    do = request.POST.get("do")
    if do == "invite" and Role.ADMINISTRATOR in request.roles:
        recruitment.invite(person.pk, by=request.actor)
        messages.success(request, _("The invitation is on its way. It can be used for fourteen days."))
    elif do == "review":
        done = recruitment.review(person.pk, roles=request.roles, by=request.actor)
        both = done.state != Recruit.State.INTERESTED
        messages.success(
            request, _("Reviewed by both. They are told what comes next.") if both else _("Your yes is in.")
        )
    elif do == "stop":
        if not stopping.is_valid():
            return None
        recruitment.stop(person.pk, stopping.cleaned_data["why"], by=request.actor)
        messages.success(request, _("Stopped. The program does not write to them; please tell them yourself."))
        return redirect("supporters", request.site.slug)
    return redirect("recruit", request.site.slug, person.ref)


@for_roles(Role.SUPPORTER)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def interest(request: SiteRequest) -> HttpResponse:
    """The interest form of somebody who joined; or their word that they would rather not."""
    person = recruits.of_user(request.user.pk)
    if person is not None and request.POST.get("do") == "stop":
        recruitment.stop(person.pk, Recruit.Why.OWN_WISH, by=request.actor)
        messages.success(request, _("That is all right, and thank you for telling us. Your role here has ended."))
        return redirect("home")
    if person is None or person.state != Recruit.State.INVITED:
        return redirect("my", request.site.slug)
    profile = get_object_or_404(Profile, user_id=request.user.pk)
    form = InterestForm(
        saved_form.data_for(request, "practice"), request.FILES or None, instance=unsaved(request.user.pk, profile)
    )
    if request.method == "POST" and form.is_valid():
        recruitment.send(person.pk, form.interest(), by=request.actor)
        messages.success(request, _("Thank you. The administrator and the physician lead read it next."))
        return redirect("my", request.site.slug)
    # A browser does not give a file back.
    again = bool(form.errors) and bool(form.cleaned_data.get("photo")) if form.is_bound else False
    context = {"form": form, "photo_again": again, "show_crisis": True}
    return render(request, "training/interest.html", context, status=status_of(request, form))
