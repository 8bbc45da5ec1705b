"""Spam: marked with one press, out of every count, undone until it is erased after thirty days."""

import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from matching.invitations import transitions
from psi import tenancy, vault
from psi.tenancy import site_scope
from referrals.requests.models import Referral, ReferralEvent
from referrals.requests.receipts import receipt_of
from referrals.requests.transitions import clear_spam, lock
from sites.engine import agenda
from sites.engine.audit import broken_links
from sites.engine.models import AuditEntry, Due, Fact
from tests import line
from tests.markup import flat
from tests.people import World
from tests.refusals import refused
from tracker.figures import rollups
from tracker.figures.models import Rollup

SignIn = Callable[[Any], Client]
MARCH, APRIL = datetime(2026, 3, 20, 12, tzinfo=UTC), datetime(2026, 4, 2, 12, tzinfo=UTC)


def mark(world: World, referral: Referral, *, now: datetime | None = None) -> None:
    with site_scope(world.north.pk, now=now):
        transitions.mark_spam(referral.pk, by=line.administrator(world))


def clear(world: World, referral: Referral, *, now: datetime | None = None) -> None:
    with site_scope(world.north.pk, now=now):
        clear_spam(lock(referral.pk), by=line.administrator(world))


def counted(world: World) -> dict[tuple[str, str, str], int]:
    with site_scope(world.north.pk):
        rollups.rebuild_all()
        assert rollups.differences() == []
        rows = Rollup.objects.values_list("month", "measure", "category", "count")
        return {(f"{month:%Y-%m}", measure, category): n for month, measure, category, n in rows}


def due(world: World, *kinds: str) -> set[str]:
    return set(Due.objects.filter(site_id=world.north.pk, kind__in=kinds).values_list("kind", flat=True))


def test_spam_leaves_the_month_in_which_it_came_and_comes_back_to_it(world: World) -> None:
    line.request(world.north, now=MARCH, reasons=("LIFE",))
    alone = counted(world)
    spam = line.request(world.north, now=MARCH, reasons=("BURNOUT", "LIFE"))
    both = counted(world)
    assert both[("2026-03", "REQUEST", "ALL")] == 2
    mark(world, spam, now=APRIL)
    assert counted(world) == alone
    with site_scope(world.north.pk):
        # A ledger: nothing was removed.
        assert Fact.objects.filter(measure="REQUEST").count() == 2
        assert Fact.objects.filter(measure="-REQUEST").count() == 1
    clear(world, spam, now=APRIL)
    assert counted(world) == both
    mark(world, spam, now=APRIL)
    assert counted(world) == alone


def test_spam_waits_for_nobody_and_what_is_no_spam_waits_again(world: World) -> None:
    referral = line.request(world.north)
    mark(world, referral)
    assert due(world, "WAITING", "ERASE") == {"ERASE"}
    with refused("MOVED_ON"):
        mark(world, referral)
    clear(world, referral)
    assert due(world, "WAITING", "ERASE") == {"WAITING"}
    with refused("MOVED_ON"):
        clear(world, referral)
    with site_scope(world.north.pk):
        referral.refresh_from_db()
        assert (referral.state, referral.outcome, referral.closed_at) == ("OPEN", None, None)
        moves = ReferralEvent.objects.order_by("pk").values_list("source", "target", "why")
        assert list(moves)[1:] == [("OPEN", "SPAM", "SPAM"), ("SPAM", "OPEN", "NOT_SPAM")]
        assert broken_links() == []


def test_after_thirty_days_spam_is_gone_and_what_was_cleared_is_not(committed_world: World) -> None:
    world = committed_world
    spam, cleared = line.request(world.north), line.request(world.north)
    for referral in (spam, cleared):
        mark(world, referral)
    clear(world, cleared)
    now = tenancy.now()
    agenda.sweep(now=now + timedelta(days=29))
    with site_scope(world.north.pk):
        assert Referral.objects.count() == 2
    agenda.sweep(now=now + timedelta(days=31))
    with site_scope(world.north.pk):
        assert list(Referral.objects.values_list("pk", flat=True)) == [cleared.pk]
        assert AuditEntry.objects.filter(action="ERASED", object_id=spam.pk).count() == 1
        with pytest.raises(vault.Sealed):
            vault.open_sealed(Referral.KIND, spam.pk, bytes(spam.sealed))


def test_whoever_was_named_to_somebody_is_no_spam(world: World, sign_in: SignIn) -> None:
    match = line.invited(world)
    with site_scope(world.north.pk):
        transitions.revoke(match.pk, by=line.administrator(world))
        referral = Referral.objects.get()
    with refused("SOMEBODY_INVITED"):
        mark(world, referral)
    page = sign_in(world["north administrator"]).get(f"/north/requests/{referral.ref}/").content.decode()
    assert ("Close the request" in page, "This is spam" in page) == (True, False)


def test_whoever_holds_the_receipt_reads_that_it_is_closed(world: World) -> None:
    key = uuid.uuid4()
    mark(world, line.request(world.north, key=key))
    page = Client().post("/north/status/", {"receipt": receipt_of(world.north.pk, key)}).content.decode()
    assert re.findall(r'aria-current="step">([^<]+)<', flat(page)) == ["Closed"]
    assert "spam" not in page.lower()


def test_one_press_marks_it_and_one_takes_it_back(world: World, sign_in: SignIn) -> None:
    referral = line.request(world.north)
    client, path = sign_in(world["north administrator"]), f"/north/requests/{referral.ref}/"
    folded = client.get(path).content.decode().split("<details")[1].split("</details>")[0]
    assert f'action="{path}spam/"' in folded
    page = client.post(f"{path}spam/", follow=True).content.decode()
    assert "Marked as spam. It is in no figures, and is erased on" in page
    assert ("Choose a peer" in page, "This is spam" in page, f'action="{path}not-spam/"' in page) == (
        False,
        False,
        True,
    )
    assert f"{referral}" not in client.get("/north/today/").content.decode()
    page = client.post(f"{path}not-spam/", follow=True).content.decode()
    assert ("The request is open again." in page, "Choose a peer" in page) == (True, True)
