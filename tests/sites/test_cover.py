"""Cover while an administrator is away: the role and the mail go to somebody of the site, and come back."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import localdate, localtime

from psi import tenancy
from psi.tenancy import site_scope
from sites.cover import transitions as cover
from sites.engine import agenda
from sites.engine.models import Notice
from sites.engine.moves import Refused
from sites.tenants.models import Cover, Membership, Role
from sites.tenants.queries import members_with_role
from tests import line
from tests.people import World

SignIn = Callable[[Any], Client]
DAY = timedelta(days=1)


def today() -> date:
    return localdate(tenancy.now())


def after(days: int) -> datetime:
    """Return this time of day so many days later, whether or not the clocks change until then."""
    return localtime(tenancy.now()) + days * DAY


def ask(client: Client, who: int, first: date, last: date) -> Any:
    said = {"who": str(who), "starts_on": f"{first:%Y-%m-%d}", "ends_on": f"{last:%Y-%m-%d}"}
    return client.post("/north/settings/cover/", said)


def told(world: World) -> set[int]:
    referral = line.request(world.north)
    with site_scope(world.north.pk):
        rows = Notice.objects.filter(kind="REQUEST", object_id=referral.pk)
        return set(rows.values_list("recipient_id", flat=True))


def test_the_lead_covers_for_three_days_and_then_no_more(world: World, sign_in: SignIn) -> None:
    ada, lea = world["north administrator"], world["north lead"]
    administrator, lead = sign_in(ada), sign_in(lea)
    assert lead.get("/north/today/").status_code == 403
    assert ask(administrator, lea.pk, today(), today() + 2 * DAY).status_code == 302
    assert "Dr Lea North covers for Ada North" in administrator.get("/north/settings/cover/").content.decode()
    assert (lead.get("/north/today/").status_code, told(world)) == (200, {lea.pk})
    agenda.sweep(now=after(2))
    with site_scope(world.north.pk):
        assert members_with_role(Role.ADMINISTRATOR) == [lea.pk]
    agenda.sweep(now=after(3))
    assert (lead.get("/north/today/").status_code, told(world)) == (403, {ada.pk})
    with site_scope(world.north.pk):
        assert Cover.objects.get().over
    assert Membership.objects.filter(user=lea, ended_at=None).values_list("role", flat=True).get() == Role.LEAD


def test_it_begins_on_its_day(world: World, sign_in: SignIn) -> None:
    lea = world["north lead"]
    ask(sign_in(world["north administrator"]), lea.pk, today() + 5 * DAY, today() + 6 * DAY)
    assert told(world) == {world["north administrator"].pk}
    agenda.sweep(now=after(5))
    with site_scope(world.north.pk, now=after(5)):
        assert members_with_role(Role.ADMINISTRATOR) == [lea.pk]


def test_it_can_be_ended_early_by_either(world: World, sign_in: SignIn) -> None:
    ada, lea = sign_in(world["north administrator"]), sign_in(world["north lead"])
    for client in (ada, lea):
        ask(ada, world["north lead"].pk, today(), today() + 9 * DAY)
        with site_scope(world.north.pk):
            number = Cover.objects.get(over=False).pk
        assert client.post("/north/settings/cover/", {"do": "end", "cover": number}).status_code == 302
        assert told(world) == {world["north administrator"].pk}


@pytest.mark.parametrize(
    ("first", "last", "sentence"),
    [(-3, -1, "days that are still to come"), (3, 2, "days that are still to come"), (0, 400, "a year at most")],
)
def test_days_that_cannot_be_are_refused_and_kept(
    world: World, sign_in: SignIn, first: int, last: int, sentence: str
) -> None:
    start = today() + first * DAY
    answer = ask(sign_in(world["north administrator"]), world["north lead"].pk, start, today() + last * DAY)
    assert (answer.status_code, sentence in answer.content.decode()) == (422, True)
    assert f"{start:%Y-%m-%d}" in answer.content.decode()


def test_nobody_from_elsewhere_covers(world: World) -> None:
    with site_scope(world.north.pk), pytest.raises(Refused, match="NO_ROLE"):
        away, by = world["north administrator"].pk, world["south administrator"].pk
        cover.arrange(away, by, today(), today(), by=line.administrator(world))
