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
from sites.engine.moves import Refused, target
from sites.reference.models import Rate
from sites.tenants.models import Site
from training.commitment.agreement import morning
from training.credits import money
from training.credits.models import Batch, Claim, ClaimEvent
from training.sessions.models import Enrolment

CLAIM_BY = "CLAIM_BY"
State = Claim.State
MOVED_ON = "This has moved on in the meantime. Here is how it stands now."


def rate_on(day: date) -> Rate | None:
    """Return the rate of a day; None before the first."""
    return Rate.objects.filter(valid_from__lte=day).order_by("-valid_from").first()


def add_rate(hourly: Decimal, valid_from: date, *, by: Actor) -> Rate:
    """Set the rate from a day on; one that stands is never changed. Called in the province's scope.

    Raises:
        Refused: a rate begins that day or later already, or the day is over.
    """
    if valid_from <= localdate(tenancy.now()):
        raise Refused(_("A new rate begins on a day to come: what was claimed stays as it is."))
    if Rate.objects.filter(valid_from__gte=valid_from).exists():
        raise Refused(_("A later rate is set already."))
    rate = Rate.objects.create(hourly=hourly, valid_from=valid_from)
    audit.record("RATE", "RATE", rate.pk, by=by)
    return rate


def served_on(starts_at: datetime, site: Site) -> date:
    """Return the day of service, in the time of the site that held the session."""
    return starts_at.astimezone(ZoneInfo(site.time_zone)).date()


def claim(enrolment_id: int, *, at: Site, user_id: int, by: Actor) -> Claim:
    """Claim for a session somebody attended; pressed twice, there is one. A crossing where another site held it.

    Raises:
        Refused: not attended, not paid, more than ninety days ago, or decided already.
    """
    with tenancy.site_scope(at.pk):
        # The place is locked, so that two presses meet here.
        seat = Enrolment.objects.select_for_update(of=("self",)).select_related("session").get(pk=enrolment_id)
        if seat.user_id != user_id:
            raise Enrolment.DoesNotExist
        if seat.state != Enrolment.State.ATTENDED or seat.session.kind not in money.PAID:
            raise Refused(_("Sessional pay is for Foundations and Practice, once attendance is noted."))
        day, today = served_on(seat.session.starts_at, at), localdate(tenancy.now())
        rate = rate_on(day)
        if rate is None:
            raise Refused(_("There is no rate for that day. Please tell the provincial team."))
        found = Claim.objects.select_for_update().filter(enrolment=seat).first()
        if found is not None and found.state in (State.SUBMITTED, State.APPROVED, State.BATCHED):
            return found
        if not money.may_claim(day, today):
            raise Refused(_("This was more than ninety days ago, so it cannot be claimed any more."))
        minutes = min(seat.attended_minutes or 0, seat.session.minutes)
        facts = {"minutes": minutes, "served_on": day, "hourly": rate.hourly, "why": Claim.Why.NONE}
        facts |= {"amount": money.amount(minutes, rate.hourly), "name": seat.name}
        if found is None:
            found = Claim(enrolment=seat, user_id=user_id, **facts)
            found.save(force_insert=True)
            _note(found, None, by=by)
        else:
            for name, value in facts.items():
                setattr(found, name, value)
            found.save(update_fields=list(facts))
            _move(found, "submit", by=by)
        agenda.cancel(CLAIM_BY, [seat.pk])
        return found


def withdraw(claim_id: int, *, at: Site, user_id: int, by: Actor) -> None:
    """The person takes a claim back before it is decided."""
    with tenancy.site_scope(at.pk):
        _move(Claim.objects.select_for_update().get(pk=claim_id, user_id=user_id), "withdraw", by=by)


def approve(claim_id: int, *, by: Actor) -> None:
    """Somebody other than the payee says that it is right.

    Raises:
        Refused: it is one's own, attendance has changed since, or it was decided already.
    """
    found = _other(claim_id, by)
    if not fits(found):
        raise Refused(_("Attendance was corrected after this was claimed. Refuse it, so that it can be claimed anew."))
    _move(found, "approve", by=by)


def refuse(claim_id: int, why: str, *, by: Actor) -> None:
    """Somebody other than the payee says no, with a reason from the list."""
    found = _other(claim_id, by)
    if why not in (Claim.Why.ATTENDANCE, Claim.Why.PAID, Claim.Why.PERSON):
        raise Refused(_("Please choose why."))
    found.why = why
    found.save(update_fields=["why"])
    _move(found, "refuse", by=by, why=why)


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
        raise Refused(_("Nothing approved is waiting to be paid."))
    last = Batch.objects.aggregate(last=Max("number"))["last"] or 0
    total = sum((each.amount for each in claims), Decimal(0))
    batch = Batch(number=last + 1, made_at=tenancy.now(), by_id=by.user_id, total=total)
    batch.save(force_insert=True)
    for each in claims:
        each.batch = batch
        _move(each, "batch", by=by, also=("batch",))
    audit.record("BATCH", "BATCH", batch.pk, by=by)
    return batch


def attended(seats: Iterable[Enrolment]) -> None:
    """Remind of these attended places in sixty days, if nothing is claimed by then."""
    for seat in seats:
        if seat.state == Enrolment.State.ATTENDED and seat.session.kind in money.PAID:
            agenda.schedule(CLAIM_BY, [seat.pk], morning(localdate(seat.session.starts_at) + money.WARN))
        else:
            agenda.cancel(CLAIM_BY, [seat.pk])


def register() -> None:
    """Tell the agenda who reminds of what was not claimed, and the outbox how."""
    agenda.register(CLAIM_BY, look_after)
    outbox.register("CLAIM_SOON", outbox.MailKind("claim_soon", "STATEMENT", unclaimed, until=_claim_until))
    outbox.register_link("STATEMENT", lambda enrolment_id: "/my-training/", public=True)


def look_after(ids: list[int]) -> None:
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


def _other(claim_id: int, by: Actor) -> Claim:
    found = Claim.objects.select_for_update().get(pk=claim_id)
    if by.user_id is None or found.user_id == by.user_id:
        raise Refused(_("Somebody else decides on your own claim."))
    return found


def _move(found: Claim, verb: str, *, by: Actor, why: str = Claim.Why.NONE, also: tuple[str, ...] = ()) -> None:
    source, found.state = found.state, target(Claim.MOVES, verb, found.state, MOVED_ON)
    found.save(update_fields=["state", *also])
    _note(found, source, by=by, why=why)


def _note(found: Claim, source: str | None, *, by: Actor, why: str = Claim.Why.NONE) -> None:
    event = ClaimEvent(claim=found, source=source, target=found.state, why=why, by_id=by.user_id, at=tenancy.now())
    event.save(force_insert=True)
    audit.record(found.state, Claim.KIND, found.pk, by=by)
