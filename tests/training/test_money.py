"""Credits and pay at their limits."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from training.credits import money

SERVED = date(2026, 1, 31)


@pytest.mark.parametrize(
    ("minutes", "hourly", "paid"),
    [
        (60, "176.18", "176.18"),
        (1, "176.18", "2.94"),  # 2.9363
        (30, "0.01", "0.01"),  # half a cent is rounded up
        (30, "0.05", "0.03"),  # two and a half as well
        (29, "0.01", "0.00"),
        (0, "176.18", "0.00"),
    ],
)
def test_pay_is_rounded_half_up_to_the_cent(minutes: int, hourly: str, paid: str) -> None:
    assert str(money.amount(minutes, Decimal(hourly))) == paid


@pytest.mark.parametrize(
    ("kind", "minutes", "credits"),
    [
        ("FOUNDATIONS", 14, "0.00"),
        ("FOUNDATIONS", 15, "0.25"),
        ("FOUNDATIONS", 29, "0.25"),
        ("FOUNDATIONS", 149, "2.25"),
        ("FOUNDATIONS", 150, "2.50"),
        ("FOUNDATIONS", 240, "2.50"),
        ("PRACTICE", 89, "1.25"),
        ("PRACTICE", 90, "1.50"),
        ("PRACTICE", 240, "1.50"),
        ("REFRESHER", 60, "0.00"),
        ("DEBRIEF", 60, "0.00"),
        ("COMMUNITY", 60, "0.00"),
    ],
)
def test_credits_are_whole_quarters_of_an_hour_up_to_what_is_approved(kind: str, minutes: int, credits: str) -> None:
    assert str(money.credits_of(kind, minutes)) == credits


def test_each_kind_of_session_counts_once_with_its_best() -> None:
    assert str(money.credits_in_all([])) == "0.00"
    assert str(money.credits_in_all([("PRACTICE", 60), ("PRACTICE", 30)])) == "1.00"
    assert str(money.credits_in_all([("PRACTICE", 30), ("PRACTICE", 60)])) == "1.00"
    assert str(money.credits_in_all([("PRACTICE", 30), ("FOUNDATIONS", 60)])) == "1.50"
    assert str(money.credits_in_all([("FOUNDATIONS", 240), ("PRACTICE", 240), ("REFRESHER", 240)])) == "4.00"


def test_foundations_and_practice_are_paid_and_nothing_else() -> None:
    assert frozenset({"FOUNDATIONS", "PRACTICE"}) == money.PAID


@pytest.mark.parametrize(
    ("days", "claim", "late"),
    [(0, True, False), (59, True, False), (60, True, True), (90, True, True), (91, False, False)],
)
def test_a_day_is_claimed_within_ninety_days_and_late_from_the_sixtieth_on(days: int, claim: bool, late: bool) -> None:
    today = SERVED + timedelta(days=days)
    assert (money.may_claim(SERVED, today), money.hurry(SERVED, today)) == (claim, late)
