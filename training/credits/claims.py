"""The moves of a claim, from what somebody attended to what is given to be paid, once.

Claims stand at the site that held the session; a supporter of another site crosses (docs/data-protection.md#crossings)
to their own rows there, and no others. Whoever approves is never who is paid (docs/rules.md#claims).
"""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import Max
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from psi import tenancy
from sites.engine import agenda, audit, outbox
from sites.engine.audit import Actor
from sites.engine.moves import Refused, leave_trace, move
from sites.reference.models import Rate
from sites.tenants.models import Site
from training.commitment.agreement import morning
from training.credits import money
from training.credits.models import Batch, Claim
from training.sessions.models import Enrolment

CLAIM_BY = "CLAIM_BY"
State = Claim.State


def rate_on(day: date) -> Rate | None:
    """Return the rate of a day; None before the first."""
    return Rate.objects.filter(valid_from__lte=day).order_by("-valid_from").first()


def add_rate(hourly: Decimal, valid_from: date, *, by: Actor) -> Rate:
    """Set the rate from a day on; one that stands is never changed. Called in the province's scope.

    Raises:
        Refused: a rate begins that day or later already, or the day is over.
    """
    if valid_from <= localdate(tenancy.now()):
        raise Refused("DAY_OVER", _("A new rate begins on a day to come: what was claimed stays as it is."))
    if Rate.objects.filter(valid_from__gte=valid_from).exists():
        raise Refused("LATER_RATE", _("A later rate is set already."))
    rate = Rate.objects.create(hourly=hourly, valid_from=valid_from)
    audit.record("RATE", "RATE", rate.pk, by=by)
    return rate


def served_on(starts_at: datetime, site: Site) -> date:
    """Return the day of service, in the time of the site that held the session."""
    return starts_at.astimezone(ZoneInfo(site.time_zone)).date()


def claim(enrolment_id: int, *, at: Site, user_id: int, by: Actor) -> Claim:
    """Claim for a session somebody attended, once, and return the claim. A crossing where another site held it.

    Raises:
        Refused: not attended, not paid, more than ninety days ago, or decided already.
    """
    with tenancy.site_scope(at.pk):
        # The place is locked, so that two presses meet here.
        seat = Enrolment.objects.select_for_update(of=("self",)).select_related("session").get(pk=enrolment_id)
        if seat.user_id != user_id:
            raise Enrolment.DoesNotExist
        if seat.state != Enrolment.State.ATTENDED or seat.session.kind not in money.PAID:
            raise Refused("NOT_PAID", _("Sessional pay is for Foundations and Practice, once attendance is noted."))
        day, today = served_on(seat.session.starts_at, at), localdate(tenancy.now())
        rate = rate_on(day)
        if rate is None:
            raise Refused("NO_RATE", _("There is no rate for that day. Please tell the provincial team."))
        earlier = Claim.objects.select_for_update().filter(enrolment=seat).first()
        if earlier is not None and earlier.state in (State.SUBMITTED, State.APPROVED, State.BATCHED):
            return earlier
        if not money.may_claim(day, today):
            raise Refused("TOO_LATE", _("This was more than ninety days ago, so it cannot be claimed any more."))
        minutes = min(seat.attended_minutes or 0, seat.session.minutes)
        columns = {"minutes": minutes, "served_on": day, "hourly": rate.hourly, "why": Claim.Why.NONE}
        columns |= {"amount": money.amount(minutes, rate.hourly), "name": seat.name}
        agenda.cancel(CLAIM_BY, [seat.pk])
        if earlier is None:
            made = Claim.objects.create(enrolment=seat, user_id=user_id, **columns)
            leave_trace(made, None, by=by)
            return made
        for name, value in columns.items():
            setattr(earlier, name, value)
        move(earlier, "submit", by=by, also=tuple(columns))
        return earlier


def withdraw(claim_id: int, *, at: Site, user_id: int, by: Actor) -> None:
    """The person takes a claim back before it is decided."""
    with tenancy.site_scope(at.pk):
        move(Claim.objects.select_for_update().get(pk=claim_id, user_id=user_id), "withdraw", by=by)


def approve(claim_id: int, *, by: Actor) -> None:
    """Somebody other than the payee says that it is right.

    Raises:
        Refused: it is one's own, attendance has changed since, or it was decided already.
    """
    decided = _others_claim(claim_id, by)
    if not fits(decided):
        sentence = _("Attendance was corrected after this was claimed. Refuse it, so that it can be claimed anew.")
        raise Refused("ATTENDANCE_CHANGED", sentence)
    move(decided, "approve", by=by)


def refuse(claim_id: int, why: str, *, by: Actor) -> None:
    """Somebody other than the payee says no, with a reason from the list."""
    decided = _others_claim(claim_id, by)
    if why not in (Claim.Why.ATTENDANCE, Claim.Why.PAID, Claim.Why.PERSON):
        raise Refused("NO_REASON", _("Please choose why."))
    decided.why = why
    move(decided, "refuse", by=by, why=why, also=("why",))


def fits(claim: Claim) -> bool:
    """Is attendance still what was claimed for?"""
    seat = Enrolment.objects.select_related("session").get(pk=claim.enrolment_id)
    return seat.state == Enrolment.State.ATTENDED and claim.minutes == min(
        seat.attended_minutes or 0, seat.session.minutes
    )


def make_batch(*, by: Actor) -> Batch:
    """Give every approved claim of the current site to be paid; each is in one batch, whoever presses at once.

    Raises:
        Refused: nothing is approved.
    """
    Site.objects.select_for_update(no_key=True).get(pk=tenancy.current_site_id())
    claims = list(Claim.objects.select_for_update().filter(state=State.APPROVED).order_by("pk"))
    if not claims:
        raise Refused("NOTHING_APPROVED", _("Nothing approved is waiting to be paid."))
    last = Batch.objects.aggregate(last=Max("number"))["last"] or 0
    total = sum((each.amount for each in claims), Decimal(0))
    batch = Batch(number=last + 1, made_at=tenancy.now(), by_id=by.user_id, total=total)
    batch.save(force_insert=True)
    for each in claims:
        each.batch = batch
        move(each, "batch", by=by, also=("batch",))
    audit.record("BATCH", "BATCH", batch.pk, by=by)
    return batch


def schedule_reminders(seats: Iterable[Enrolment]) -> None:
    """Schedule a reminder in sixty days to claim for each of these places that was attended; cancel it otherwise."""
    for seat in seats:
        if seat.state == Enrolment.State.ATTENDED and seat.session.kind in money.PAID:
            agenda.schedule(CLAIM_BY, [seat.pk], morning(localdate(seat.session.starts_at) + money.WARN))
        else:
            agenda.cancel(CLAIM_BY, [seat.pk])


def register() -> None:
    """Register what is due about claims, and the mail about it."""
    agenda.register(CLAIM_BY, handle)
    outbox.register("CLAIM_SOON", outbox.MailKind("claim_soon", "STATEMENT", unclaimed, until=_claim_until))
    outbox.register_link("STATEMENT", lambda enrolment_id: "/my-training/", public=True)


def handle(ids: list[int]) -> None:
    """Remind those who attended sixty days ago and have not claimed."""
    rows = Enrolment.objects.filter(pk__in=unclaimed(ids)).order_by("pk")
    outbox.enqueue("CLAIM_SOON", rows.values_list("pk", "user_id"))


def unclaimed(ids: list[int]) -> set[int]:
    """Return those of these places that were attended, and for which nothing is claimed."""
    claimed = Claim.objects.filter(enrolment__in=ids).values("enrolment")
    rows = Enrolment.objects.filter(pk__in=ids, state=Enrolment.State.ATTENDED).exclude(pk__in=claimed)
    return set(rows.values_list("pk", flat=True))


def _claim_until(enrolment_id: int) -> datetime:
    seat = Enrolment.objects.select_related("session").get(pk=enrolment_id)
    return seat.session.starts_at + money.STOP


def _others_claim(claim_id: int, by: Actor) -> Claim:
    """Return a claim, locked; raises Refused when it is the actor's own (docs/rules.md#claims)."""
    claim = Claim.objects.select_for_update().get(pk=claim_id)
    if by.user_id is None or claim.user_id == by.user_id:
        raise Refused("OWN_CLAIM", _("Somebody else decides on your own claim."))
    return claim
