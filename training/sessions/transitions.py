"""The moves of a session and of who comes to it. A session is locked before its enrolments.

The trail of the site that holds it is the record of each move. Who enrols from another site crosses
(docs/data-protection.md#crossings): the holder gets name and home, and nothing else. Nothing here knows of a request
or a match; a test reads that from the schema.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from psi import tenancy
from sites.engine import agenda, audit, outbox
from sites.engine.audit import Actor
from sites.engine.moves import MOVED_ON, Refusal, Refused, goal_of, leave_trace, move
from sites.tenants.models import Membership, Role, Site
from sites.tenants.queries import province
from training.sessions.models import Enrolment, Material, Session
from training.supporters.models import PeerSupporter

State = Enrolment.State
# Before it starts, people are reminded; a week is early enough to give the place to someone else
# (docs/rules.md#session-reminders).
REMIND = (timedelta(days=7), timedelta(days=1))
# After it started, attendance is asked for.
AFTERWARDS = timedelta(hours=3)
FOR_SUPPORTERS = frozenset(set(Session.Kind) - {Session.Kind.COMMUNITY})
FOR_TEAMS = frozenset({Session.Kind.COMMUNITY})
STARTED: Refusal = ("STARTED", gettext_lazy("This session has started already."))
CAME = (State.ENROLLED, State.ATTENDED, State.ABSENT)


def kinds_for(roles: Iterable[str]) -> set[str]:
    """Return the kinds of session that people with these roles come to."""
    roles = set(roles)
    kinds = set(FOR_SUPPORTERS) if Role.SUPPORTER in roles else set()
    return kinds | (set(FOR_TEAMS) if roles & {Role.ADMINISTRATOR, Role.LEAD} else set())


def holding_sites(site: Site) -> list[Site]:
    """Return the sites whose sessions people of `site` may come to: their own, and the province."""
    return [site] if site.is_province else [site, province()]


def schedule(*, by: Actor, **facts: Any) -> Session:
    """Plan a session of the current site, and return it; the same session is planned once.

    Args:
        facts: kind, starts_at, minutes, place, link, capacity, approval.

    Raises:
        Refused: it would start in the past.
    """
    _check_future(facts["starts_at"])
    # So that two presses wait for each other.
    Site.objects.select_for_update(no_key=True).get(pk=tenancy.current_site_id())
    planned = Session.objects.filter(**facts, state=Session.State.PLANNED).first()
    if planned is not None:
        return planned
    session = Session(**facts, changed_at=tenancy.now())
    session.save(force_insert=True)
    leave_trace(session, None, by=by)
    _plan(session)
    return session


def change(session_id: int, *, by: Actor, **facts: Any) -> Session:
    """Change what was planned; who comes is told when time, place or link change.

    Raises:
        Refused: it is over or cancelled, would start in the past, or has fewer places than people enrolled.
    """
    session = _planned(session_id)
    _check_future(facts["starts_at"])
    taken = Enrolment.objects.filter(session=session, state=State.ENROLLED).count()
    if facts["capacity"] < taken:
        sentence = _("%(n)s people are enrolled already; there cannot be fewer places.") % {"n": taken}
        raise Refused("TOO_FEW_PLACES", sentence)
    affected = any(getattr(session, name) != facts[name] for name in ("starts_at", "minutes", "place", "link"))
    for name, value in facts.items():
        setattr(session, name, value)
    session.sequence += 1
    session.changed_at = tenancy.now()
    session.save(update_fields=[*facts, "sequence", "changed_at"])
    audit.record("CHANGED", Session.KIND, session.pk, by=by)
    _fill(session)
    if affected:
        # There is a mail about each change, not only the first: the notices of the last one make room.
        seats = _seats(session, State.ENROLLED, State.WAITING)
        outbox.forget_kinds(("SEAT_MOVED", "SEAT_7", "SEAT_1"), [seat for seat, _user in seats])
        outbox.enqueue("SEAT_MOVED", seats)
    _plan(session)
    return session


def cancel(session_id: int, *, by: Actor) -> None:
    """Cancel a session, and write to everyone who comes or waits.

    Raises:
        Refused: it is over or cancelled already.
    """
    session = _planned(session_id)
    session.changed_at, session.sequence = tenancy.now(), session.sequence + 1
    move(session, "cancel", by=by, also=("changed_at", "sequence"))
    agenda.cancel(Session.KIND, [session.pk])
    outbox.enqueue("SEAT_OFF", _seats(session, State.ENROLLED, State.WAITING))


def add_material(session: Session, name: str, kind: str, content: bytes, *, by: Actor) -> None:
    """Add a file for those who come to a session.

    Args:
        kind: code of `Material.Kind`, with `content` as `materials.read` returned them.
    """
    Material.objects.create(session=session, name=name, kind=kind, content=content)
    audit.record("FILE", Session.KIND, session.pk, by=by)


def remove_material(material: Material, *, by: Actor) -> None:
    """Delete a file of a session."""
    material.delete()
    audit.record("FILE_GONE", Session.KIND, material.session_id, by=by)


def enrol(session_id: int, *, at: Site, user_id: int, home: Site, name: str, roles: Iterable[str], by: Actor) -> str:
    """Give a person a place, or one on the waiting list, and return the state; again, it changes nothing. A crossing.

    Args:
        at: who holds the session; the home site itself, or the province.
        home: the site whose page they are on. Who is lent to it comes from the site that lends them.
        roles: that the person holds there.

    Raises:
        Refused: it has started, is cancelled, or is not for them.
    """
    if at not in holding_sites(home):
        raise Refused("OTHER_SITE", _("This session is not open to your site."))
    lent = PeerSupporter.objects.filter(user_id=user_id, home__isnull=False).exclude(state=PeerSupporter.State.LEFT)
    home = next((each.home for each in lent.select_related("home") if each.home), home)
    with tenancy.site_scope(at.pk):
        session = _planned(session_id)
        if session.kind not in kinds_for(roles):
            raise Refused("OTHER_ROLE", _("This session is for others."))
        if session.starts_at <= tenancy.now():
            raise Refused(*STARTED)
        seat = Enrolment.objects.filter(session=session, user_id=user_id).first()
        if seat is not None and seat.state != State.CANCELLED:
            return seat.state
        verb = "enrol" if _free(session) > 0 else "wait"
        if seat is None:
            first = goal_of(Enrolment, verb, State.CANCELLED)
            seat = Enrolment.objects.create(
                session=session, user_id=user_id, home=home, name=name, since=tenancy.now(), state=first
            )
            leave_trace(seat, None, by=by)
        else:
            seat.since, seat.home, seat.name = tenancy.now(), home, name
            move(seat, verb, by=by, also=("since", "home", "name"))
        if seat.state == State.ENROLLED:
            outbox.enqueue("SEAT_IN", [(seat.pk, user_id)])
        return seat.state


def step_back(session_id: int, *, at: Site, user_id: int, by: Actor) -> None:
    """Give a place back to the first of those who wait; without a place, it changes nothing. A crossing.

    Raises:
        Refused: the session has started.
    """
    with tenancy.site_scope(at.pk):
        session = Session.objects.select_for_update().get(pk=session_id)
        seat = Enrolment.objects.filter(session=session, user_id=user_id).first()
        if seat is None or seat.state == State.CANCELLED:
            return
        if session.starts_at <= tenancy.now() and session.state != Session.State.CANCELLED:
            raise Refused(*STARTED)
        move(seat, "step_back", by=by)
        outbox.forget_kinds(("SEAT_IN",), [seat.pk])
        _fill(session)


def leave(membership: Membership, by: Actor) -> None:
    """Give back the places of somebody whose role as a supporter has ended, here and at the province. A crossing."""
    if membership.role != Role.SUPPORTER:
        return
    home = Site.objects.get(pk=membership.site_id)
    for at in sorted(holding_sites(home), key=lambda site: site.pk):
        with tenancy.site_scope(at.pk):
            places = Enrolment.objects.filter(
                user_id=membership.user_id,
                home=home,
                state__in=(State.ENROLLED, State.WAITING),
                session__state=Session.State.PLANNED,
                session__starts_at__gt=tenancy.now(),
                session__kind__in=FOR_SUPPORTERS,
            )
            for session_id in places.order_by("session_id").values_list("session_id", flat=True):
                step_back(session_id, at=at, user_id=membership.user_id, by=by)


def register() -> None:
    """Register what is due, and the mail about it."""
    agenda.register(Session.KIND, handle)
    for kind, template, states in (
        ("SEAT_IN", "seat_in", (State.ENROLLED,)),
        ("SEAT_7", "seat_soon", (State.ENROLLED,)),
        ("SEAT_1", "seat_soon", (State.ENROLLED,)),
        ("SEAT_MOVED", "seat_moved", (State.ENROLLED, State.WAITING)),
        ("SEAT_OFF", "seat_off", (State.ENROLLED, State.WAITING)),
    ):
        off = kind == "SEAT_OFF"
        outbox.register(kind, outbox.MailKind(template, Enrolment.KIND, _still(states, off=off), until=_starts_at))
    # Who enrols at the province is no member of it: the address leads to a page that finds their own site.
    outbox.register_link(Enrolment.KIND, lambda seat_id: "/my-training/", public=True)


def handle(ids: list[int]) -> None:
    """Remind of these sessions a week and a day before; where both are overdue, of the later alone."""
    at = tenancy.now()
    for session in Session.objects.select_for_update().filter(pk__in=ids, state=Session.State.PLANNED).order_by("pk"):
        if at < session.starts_at:
            week, day = REMIND
            if session.starts_at - day <= at:
                outbox.enqueue("SEAT_1", _seats(session, State.ENROLLED))
            elif session.starts_at - week <= at:
                outbox.enqueue("SEAT_7", _seats(session, State.ENROLLED))
        _plan(session)


def _plan(session: Session) -> None:
    later = [session.starts_at - step for step in REMIND if session.starts_at - step > tenancy.now()]
    if later:
        agenda.schedule(Session.KIND, [session.pk], min(later))
    else:
        agenda.cancel(Session.KIND, [session.pk])


def _planned(session_id: int) -> Session:
    session = Session.objects.select_for_update().get(pk=session_id)
    if session.state != Session.State.PLANNED:
        raise Refused(*MOVED_ON)
    return session


def _check_future(starts_at: datetime) -> None:
    if starts_at <= tenancy.now():
        raise Refused("TIME_OVER", _("Please choose a time that is still to come."))


def _free(session: Session) -> int:
    return session.capacity - Enrolment.objects.filter(session=session, state=State.ENROLLED).count()


def _fill(session: Session) -> None:
    """Give free places to those who have waited longest."""
    waiting = Enrolment.objects.filter(session=session, state=State.WAITING).order_by("since", "pk")
    for seat in list(waiting[: max(_free(session), 0)]):
        move(seat, "enrol", by=audit.SYSTEM)
        outbox.enqueue("SEAT_IN", [(seat.pk, seat.user_id)])


def _seats(session: Session, *states: str) -> list[tuple[int, int | None]]:
    rows = Enrolment.objects.filter(session=session, state__in=states).order_by("pk")
    return list(rows.values_list("pk", "user_id"))


def _still(states: tuple[str, ...], *, off: bool) -> Any:
    stands = Session.State.CANCELLED if off else Session.State.PLANNED

    def still(ids: list[int]) -> set[int]:
        rows = Enrolment.objects.filter(pk__in=ids, state__in=states, session__state=stands)
        return set(rows.filter(session__starts_at__gt=tenancy.now()).values_list("pk", flat=True))

    return still


def _starts_at(seat_id: int) -> datetime:
    return Enrolment.objects.select_related("session").get(pk=seat_id).session.starts_at
