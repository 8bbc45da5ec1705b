"""Sessions: the pages of those who hold them, and of those who come."""

from contextlib import nullcontext
from typing import Any

from django.contrib import messages
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from psi import tenancy
from sites.engine.forms import posted_id, status_of
from sites.engine.moves import Refused
from sites.gate import saved_form
from sites.gate.permissions import for_roles, public, signed_in
from sites.gate.requests import AccountRequest, SiteRequest
from sites.tenants.models import Membership, Role, Site
from sites.tenants.queries import names
from training.sessions import calendar, materials
from training.sessions import transitions as sessions
from training.sessions.forms import SessionForm
from training.sessions.models import Enrolment, Material, Session

State = Enrolment.State
PAGE = 30


@for_roles(Role.ADMINISTRATOR, Role.LEAD)
@require_http_methods(["GET", "HEAD", "POST"])
def team_page(request: SiteRequest) -> HttpResponse:
    """The sessions this site holds, planned and past, and those of the province for site teams."""
    if request.POST.get("do") == "renew":
        return _renew(request, "sessions")
    if request.method == "POST":
        return _press(request, "sessions")
    counted = Session.objects.annotate(
        taken=Count("enrolments", filter=Q(enrolments__state__in=sessions.CAME)),
        waiting=Count("enrolments", filter=Q(enrolments__state=State.WAITING)),
    )
    at = tenancy.now()
    # Nobody has to note who was in a debrief group.
    over = ~Q(state="PLANNED") | Q(kind="DEBRIEF", starts_at__lt=at - sessions.AFTERWARDS)
    context = {
        "planned": counted.exclude(over).order_by("starts_at", "pk"),
        "past": counted.filter(over).order_by("-starts_at", "-pk")[:PAGE],
        "now": at,
        "offers": _offers(request, {Role.ADMINISTRATOR, Role.LEAD}),
        "feed": _feed(request),
        "may_plan": Role.ADMINISTRATOR in request.roles,
    }
    return render(request, "training/sessions.html", context)


@for_roles(Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def new_session(request: SiteRequest) -> HttpResponse:
    """Plan a session of this site."""
    form = SessionForm(saved_form.data_for(request, "capacity"))
    if request.method == "POST" and form.is_valid():
        try:
            session = sessions.schedule(by=request.actor, **form.facts())
        except Refused as refused:
            form.add_error("day", refused.sentence)
        else:
            messages.success(request, _("Planned. Who may come sees it now."))
            return redirect("session", request.site.slug, session.pk)
    return render(request, "training/session_form.html", {"form": form}, status=status_of(request, form))


@for_roles(Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def edit_session(request: SiteRequest, session_id: int) -> HttpResponse:
    """Change what was planned."""
    session = get_object_or_404(Session, pk=session_id, state=Session.State.PLANNED)
    form = SessionForm(saved_form.data_for(request, "capacity"), session=session)
    if request.method == "POST" and form.is_valid():
        try:
            sessions.change(session.pk, by=request.actor, **form.facts())
        except Refused as refused:
            form.add_error(None, refused.sentence)
        else:
            messages.success(request, _("Changed. Who comes is told."))
            return redirect("session", request.site.slug, session.pk)
    context = {"form": form, "session": session}
    return render(request, "training/session_form.html", context, status=status_of(request, form))


@for_roles(Role.SUPPORTER)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def my_training(request: SiteRequest) -> HttpResponse:
    """What a supporter may come to, here and at the province; what they have been to; their calendar."""
    if request.POST.get("do") == "renew":
        return _renew(request, "my_training")
    if request.method == "POST":
        return _press(request, "my_training")
    context = {
        "offers": _offers(request, {Role.SUPPORTER}),
        "feed": _feed(request),
        "show_crisis": True,
    }
    return render(request, "training/my_training.html", context)


@signed_in
@require_safe
def find_training(request: AccountRequest) -> HttpResponse:
    """Where the mail about a session leads: to the person's own page about it."""
    memberships = Membership.objects.filter(user=request.user, ended_at=None).select_related("site").order_by("pk")
    for membership in memberships:
        if membership.role == Role.SUPPORTER:
            return redirect("my_training", membership.site.slug)
    for membership in memberships:
        if membership.role in (Role.ADMINISTRATOR, Role.LEAD):
            return redirect("sessions", membership.site.slug)
    raise Http404("No sessions for this person.")


def _holder(request: SiteRequest, slug: str) -> Site:
    for site in sessions.holding_sites(request.site):
        if site.slug == slug:
            return site
    raise Http404("No sessions of that site for this one.")


def _feed(request: AccountRequest) -> str:
    return request.build_absolute_uri(reverse("calendar", args=[calendar.address(request.user)]))


def _renew(request: SiteRequest, page: str) -> HttpResponse:
    calendar.renew(request.user)
    messages.success(request, _("Your calendar has a new address. The old one leads nowhere."))
    return redirect(page, request.site.slug)


def _press(request: SiteRequest, page: str) -> HttpResponse:
    """Enrol, or step back."""
    at, session_id = _holder(request, request.POST.get("at", "")), posted_id(request.POST.get("session", ""))
    try:
        if request.POST.get("do") == "enrol":
            name = names([request.user.pk]).get(request.user.pk, "")
            state = sessions.enrol(
                session_id,
                at=at,
                user_id=request.user.pk,
                home=request.site,
                name=name,
                roles=request.roles,
                by=request.actor,
            )
            if state == State.WAITING:
                messages.success(request, _("It is full. You are on the waiting list."))
            else:
                messages.success(request, _("You have a place."))
        else:
            sessions.step_back(session_id, at=at, user_id=request.user.pk, by=request.actor)
            messages.success(request, _("Thank you for saying so. Your place goes to someone else."))
    except Session.DoesNotExist:
        raise Http404("No such session.") from None
    return redirect(page, request.site.slug)


def _offers(request: SiteRequest, roles: set[Role]) -> dict[str, list[dict[str, Any]]]:
    """Return what a person may come to, and has come to: a crossing that reads the province's sessions."""
    kinds, now = sessions.kinds_for(roles & set(request.roles)), tenancy.now()
    lines: list[dict[str, Any]] = []
    for at in sessions.holding_sites(request.site):
        # The scope of the own site is open.
        with tenancy.site_scope(at.pk) if at != request.site else nullcontext():
            seats = Enrolment.objects.filter(user_id=request.user.pk).exclude(state=State.CANCELLED)
            mine = {seat.session_id: seat for seat in seats}
            to_come = Q(state=Session.State.PLANNED, starts_at__gt=now)
            rows = Session.objects.filter(to_come | Q(pk__in=mine), kind__in=kinds).annotate(
                taken=Count("enrolments", filter=Q(enrolments__state=State.ENROLLED))
            )
            files: dict[int, list[Material]] = {}
            for file in Material.objects.filter(session__in=mine).defer("content").order_by("pk"):
                files.setdefault(file.session_id, []).append(file)
            lines += [_line(row, at, mine.get(row.pk), files.get(row.pk, [])) for row in rows]
    lines.sort(key=lambda line: line["order"])
    over = [line for line in lines if line["over"] and line["here"]]
    return {"coming": [line for line in lines if not line["over"]], "over": over[::-1][:PAGE]}


def _line(session: Session, at: Site, seat: Enrolment | None, files: list[Material]) -> dict[str, Any]:
    """Return what the page says of one session; the link is for those who have a place, until it ends."""
    now, state = tenancy.now(), seat.state if seat else ""
    cancelled = session.state == Session.State.CANCELLED
    over = session.state == Session.State.HELD or session.ends_at <= now
    here = state in sessions.CAME and not cancelled
    return {
        "order": (session.starts_at, at.pk, session.pk),
        "session": session,
        "at": at,
        "state": state,
        "seat": seat,
        "here": here,
        "over": over,
        "link": session.link if state == State.ENROLLED and here and not over else "",
        "full": session.taken >= session.capacity,  # type: ignore[attr-defined]
        "files": files if here else [],
        "open": session.state == Session.State.PLANNED and session.starts_at > now,
    }


@for_roles(Role.SUPPORTER, Role.ADMINISTRATOR, Role.LEAD)
@require_safe
def session_file(request: SiteRequest, at: str, session_id: int) -> HttpResponse:
    """The calendar file of a session in which the person is enrolled."""
    holder = _holder(request, at)
    with tenancy.site_scope(holder.pk):
        seats = Enrolment.objects.filter(user_id=request.user.pk, session_id=session_id).select_related("session")
        seat = get_object_or_404(seats, state__in=(State.ENROLLED, State.ATTENDED))
        body = calendar.one(seat.session)
    return HttpResponse(
        body, content_type="text/calendar", headers={"Content-Disposition": 'attachment; filename="session.ics"'}
    )


@for_roles(Role.SUPPORTER, Role.ADMINISTRATOR, Role.LEAD)
@require_safe
def material(request: SiteRequest, at: str, material_id: int) -> HttpResponse:
    """A file, for those who have a place or were there, and for the administrators of who holds the session."""
    holder = _holder(request, at)
    with tenancy.site_scope(holder.pk):
        file = get_object_or_404(Material, pk=material_id)
        mine = Enrolment.objects.filter(user_id=request.user.pk, session=file.session_id, state__in=sessions.CAME)
        if not (holder == request.site and Role.ADMINISTRATOR in request.roles) and not mine.exists():
            raise Http404("No such file.")
        body, kind = bytes(file.content), file.kind
    name = f'attachment; filename="material-{material_id}.{kind.lower()}"'
    headers = {"Content-Disposition": name, "X-Content-Type-Options": "nosniff"}
    return HttpResponse(body, content_type=materials.TYPES[kind], headers=headers)


@public
@require_safe
def calendar_feed(request: HttpRequest, token: str) -> HttpResponse:
    """A person's sessions, for the calendar on their phone: whoever has the address sees times and places, no names."""
    user = calendar.whose(token)
    if user is None:
        raise Http404("No such calendar.")
    headers = {"Cache-Control": "private, max-age=900", "X-Robots-Tag": "noindex"}
    return HttpResponse(calendar.feed(user), content_type="text/calendar", headers=headers)
