"""A session as its team sees it: who comes, who came, files."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from psi import tenancy
from sites.engine.forms import posted_id
from sites.engine.moves import Refused
from sites.gate.permissions import for_roles
from sites.gate.requests import SiteRequest
from sites.tenants.models import Role
from training.attendance import transitions as attendance_transitions
from training.sessions import transitions as sessions
from training.sessions.forms import MaterialForm
from training.sessions.models import Enrolment, Material, Session
from training.sessions.views import State


@for_roles(Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def session_page(request: SiteRequest, session_id: int) -> HttpResponse:
    """One session: who comes, attendance, materials, cancelling."""
    session = get_object_or_404(Session, pk=session_id)
    do, form, wrong = request.POST.get("do", ""), MaterialForm(), ""
    if do == "cancel":
        sessions.cancel(session.pk, by=request.actor)
        messages.success(request, _("Cancelled. Who was to come is told."))
    elif do == "remove":
        material = get_object_or_404(Material, session=session, pk=posted_id(request.POST.get("material", "")))
        sessions.remove_material(material, by=request.actor)
        messages.success(request, _("The file is removed."))
    elif do == "attendance":
        try:
            attendance_transitions.note_attendance(session.pk, _minutes(session, request.POST), by=request.actor)
        except ValueError:
            wrong = _("Enter whole minutes; 0 for who did not come.")
        except Refused as refused:
            wrong = refused.sentence
        else:
            messages.success(request, _("Attendance is noted. It counts for training and credits."))
    elif do == "material":
        form = MaterialForm(request.POST, request.FILES)
        if form.is_valid():
            kind, content = form.cleaned_data["file"]
            sessions.add_material(session, form.cleaned_data["name"], kind, content, by=request.actor)
            messages.success(request, _("The file is there for everyone who comes."))
    if request.method == "POST" and not wrong and not form.errors:
        return redirect("session", request.site.slug, session.pk)
    context = {
        "session": session,
        "seats": _seats(session, request.POST),
        "started": session.starts_at <= tenancy.now() and session.state != Session.State.CANCELLED,
        "materials": Material.objects.filter(session=session).defer("content").order_by("pk"),
        "form": form,
        "wrong": wrong,
    }
    return render(request, "training/session.html", context, status=422 if wrong or form.errors else 200)


def _seats(session: Session, posted: QueryDict) -> list[Enrolment]:
    """Return who comes and then who waits, each with the minutes that its field shows."""
    seats = list(Enrolment.objects.filter(session=session).exclude(state=State.CANCELLED).select_related("home"))
    seats.sort(key=lambda seat: (seat.state == State.WAITING, seat.since if seat.state == State.WAITING else seat.name))
    for seat in seats:
        minutes = seat.attended_minutes or (0 if seat.state == State.ABSENT else session.minutes)
        seat.shown = posted.get(f"minutes_{seat.pk}", "" if seat.state == State.WAITING else minutes)  # type: ignore[attr-defined]
    return seats


def _minutes(session: Session, posted: Any) -> dict[int, int]:
    """Return enrolment id → minutes; raises ValueError for what is no whole number. Left empty means not noted."""
    ids = Enrolment.objects.filter(session=session).values_list("pk", flat=True)
    minutes = {seat_id: posted.get(f"minutes_{seat_id}", "").strip() for seat_id in ids}
    return {seat_id: int(value) for seat_id, value in minutes.items() if value}
