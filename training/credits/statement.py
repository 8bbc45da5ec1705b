"""A supporter's own statement: hours, credits and pay, over the sessions of their site and of the province."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.timezone import localdate

from psi import tenancy
from sites.tenants.models import Site
from training.credits import claims as pay
from training.credits import money
from training.credits.models import Claim
from training.sessions import transitions as sessions
from training.sessions.models import Enrolment


@dataclass(frozen=True)
class Line:
    """A session that was attended, what it is worth, and how its claim stands."""

    at: Site
    enrolment_id: int
    kind: str
    title: str
    day: date
    minutes: int
    credits: Decimal
    amount: Decimal | None
    claim: Claim | None
    may_claim: bool
    hurry: bool
    claim_by: date


def lines(site: Site, user_id: int) -> list[Line]:
    """Return what a person attended, newest first. A crossing where the province held it, to the own rows alone."""
    rows = []
    today = localdate(tenancy.now())
    for at in sessions.holding_sites(site):
        with tenancy.site_scope(at.pk):
            seats = Enrolment.objects.filter(user_id=user_id, state=Enrolment.State.ATTENDED).select_related("session")
            claims = {claim.enrolment_id: claim for claim in Claim.objects.filter(user_id=user_id)}
            for seat in seats.order_by("pk"):
                rows.append(_line(at, seat, claims.get(seat.pk), today))
    return sorted(rows, key=lambda line: (line.day, line.at.pk, line.enrolment_id), reverse=True)


def _line(at: Site, seat: Enrolment, claim: Claim | None, today: date) -> Line:
    kind, minutes = seat.session.kind, seat.attended_minutes or 0
    day = pay.served_on(seat.session.starts_at, at)
    rate = pay.rate_on(day) if kind in money.PAID else None
    open_ = claim is None or claim.state in (Claim.State.REFUSED, Claim.State.WITHDRAWN)
    worth = money.amount(min(minutes, seat.session.minutes), rate.hourly) if rate else None
    return Line(
        at=at,
        enrolment_id=seat.pk,
        kind=kind,
        title=str(seat.session.get_kind_display()),
        day=day,
        minutes=minutes,
        credits=money.credits_of(kind, minutes),
        amount=claim.amount if claim and not open_ else worth,
        claim=claim,
        may_claim=worth is not None and open_ and money.may_claim(day, today),
        hurry=worth is not None and open_ and money.hurry(day, today),
        claim_by=day + money.STOP,
    )


@dataclass(frozen=True)
class Totals:
    """Sums over a statement."""

    hours: Decimal
    credits: Decimal
    paid: Decimal


def totals(rows: list[Line]) -> Totals:
    """Return hours, credits (each kind once, at most what is approved) and what was given to be paid."""
    hours = (Decimal(sum(line.minutes for line in rows)) / 60).quantize(Decimal("0.01"))
    paid = sum((line.claim.amount for line in rows if line.claim and line.claim.state == "BATCHED"), Decimal(0))
    return Totals(hours, money.credits_in_all((line.kind, line.minutes) for line in rows), paid)
