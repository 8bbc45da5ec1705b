"""Arithmetic of credits and pay: pure, in Decimal, with the numbers of the program in one place.

Four hours of sessional payment at the rate of the day (docs/rules.md#sessional-payment), and 4.0 UBC CPD
credits (docs/rules.md#credits).
"""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from training.sessions.models import Session

CENT = Decimal("0.01")  # docs/rules.md#sessional-payment
# The approved maximum of each session, and of both together (docs/rules.md#credits).
CREDITS = {Session.Kind.FOUNDATIONS.value: Decimal("2.5"), Session.Kind.PRACTICE.value: Decimal("1.5")}
MOST_CREDITS = Decimal("4.0")
# Foundations and Practice are paid; refreshers, debrief groups and the community of practice are voluntary
# (docs/rules.md#sessional-payment).
PAID = frozenset(CREDITS)
QUARTER = 15  # minutes; credits go by whole quarters of an hour, rounded down (docs/rules.md#credits)
WARN, STOP = timedelta(days=60), timedelta(days=90)  # after the day of service (docs/rules.md#claims)


def amount(minutes: int, hourly: Decimal) -> Decimal:
    """Return the pay for so many minutes, rounded half up to the cent.

    Args:
        minutes: attended, not more than planned.
        hourly: the rate of the day of service.
    """
    return (Decimal(minutes) * hourly / 60).quantize(CENT, ROUND_HALF_UP)


def credits_of(kind: str, minutes: int) -> Decimal:
    """Return the credits of one session: attended hours in whole quarters, at most what is approved for it."""
    hours = Decimal(minutes // QUARTER) / 4
    return min(hours, CREDITS.get(kind, Decimal(0))).quantize(CENT)


def credits_in_all(attended: Iterable[tuple[str, int]]) -> Decimal:
    """Return the credits of several sessions (kind, minutes): each kind counts once, with its best."""
    best: dict[str, Decimal] = {}
    for kind, minutes in attended:
        best[kind] = max(best.get(kind, Decimal(0)), credits_of(kind, minutes))
    return min(sum(best.values(), Decimal(0)), MOST_CREDITS).quantize(CENT)


def may_claim(served_on: date, today: date) -> bool:
    """Is it early enough to claim for a day of service?"""
    return today <= served_on + STOP


def hurry(served_on: date, today: date) -> bool:
    """Is it late, so that the person should be warned?"""
    return served_on + WARN <= today <= served_on + STOP
