"""Noting who came to a session, and all that follows from it."""

from django.utils.translation import gettext as _

from psi import tenancy
from sites.engine import agenda
from sites.engine.audit import Actor
from sites.engine.moves import Refused, move
from training.attendance import trained_on
from training.credits import certificates, claims
from training.sessions.models import Enrolment, Session


def note_attendance(session_id: int, minutes: dict[int, int], *, by: Actor) -> None:
    """Note who came to a session and for how long; noting it again corrects it.

    Args:
        minutes: enrolment id → minutes, 0 for who did not come.

    Raises:
        Refused: it has not started, is cancelled, or somebody was there longer than it lasted by half an hour.
    """
    session = Session.objects.select_for_update().get(pk=session_id)
    if session.state == Session.State.CANCELLED or session.starts_at > tenancy.now():
        raise Refused("NOT_STARTED", _("Attendance is noted once the session has started."))
    if any(each > session.minutes + 30 or each < 0 for each in minutes.values()):
        raise Refused("TOO_LONG", _("Nobody can have been there much longer than the session lasted."))
    rows = Enrolment.objects.select_for_update(of=("self",)).select_related("session")
    rows = rows.filter(session=session, pk__in=minutes)
    seats = list(rows.exclude(state=Enrolment.State.CANCELLED).order_by("pk"))
    before = trained_on.training_days(session, {seat.user_id: seat.home_id for seat in seats})
    for seat in seats:
        verb = "attend" if minutes[seat.pk] else "miss"
        same = seat.state == Enrolment.MOVES[verb][1] and (seat.attended_minutes or 0) == minutes[seat.pk]
        if same or (verb == "miss" and seat.state == Enrolment.State.WAITING):
            continue
        seat.attended_minutes = minutes[seat.pk] or None
        move(seat, verb, by=by, also=("attended_minutes",))
    if session.state != Session.State.HELD:
        move(session, "hold", by=by)
    agenda.cancel(Session.KIND, [session.pk])
    trained_on.record_days(session, before)
    claims.schedule_reminders(seats)
    certificates.void_changed([seat.user_id for seat in seats], by=by)
