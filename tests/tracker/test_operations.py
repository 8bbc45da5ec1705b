"""What the province sees of the sites: lights and words, and no number by which anybody could be told."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import localdate

from matching.invitations import alerts
from psi import tenancy
from psi.tenancy import site_scope
from sites.engine import agenda
from sites.engine.audit import SYSTEM
from sites.reference.models import CrisisLine, LocalCrisisLine
from sites.tenants.models import Site
from tests import line, rows
from tests import people as cast
from tests.test_queries import opened
from tests.tracker.crawl import visible
from tracker.operations import site_health
from tracker.operations.models import Standing
from training.supporters import lending
from training.supporters.models import PeerSupporter

SignIn = Callable[[Any], Client]
World = cast.World
PAGE = "/province/operations/"
ACTIVE = "No peer supporter is active: trained, with an agreement that holds."
SIGNED = "A peer supporter’s agreement ends within the month, or has ended."
MISSED = "Nobody made contact in time, and nobody has acted for a day."
LINKED = "Its agreement with South Division ends within the month."
CALLED = "A crisis number of its own has not been called for half a year."


def seen(world: World, at: Site) -> tuple[list[str], bool]:
    """Look, and return what the province then says of a site."""
    site_health.inspect_sites()
    with site_scope(world.province.pk):
        (light,) = [light for light in site_health.of_all_sites() if light.site == at]
    return [words for words, _tone in light.reasons], light.is_current


def unanswered() -> None:
    """Let what is due be done: windows are missed, and a day passes in which nobody acts."""
    agenda.sweep()
    line.rewind(timedelta(hours=25), f"kind = '{alerts.UNANSWERED}'")
    agenda.sweep()


def only(world: World, **fields: Any) -> None:
    with site_scope(world.north.pk):
        PeerSupporter.objects.update(**fields)


def test_a_site_is_on_track_until_there_is_a_reason(world: World) -> None:
    today = localdate(tenancy.now())
    assert seen(world, world.north) == ([], True)
    only(world, agreement_until=today + timedelta(days=31))
    assert seen(world, world.north) == ([], True)
    only(world, agreement_until=today + timedelta(days=29))
    assert seen(world, world.north) == ([SIGNED], True)
    only(world, leaving_on=today + timedelta(days=20))
    assert seen(world, world.north) == ([], True)
    only(world, agreement_until=today - timedelta(days=2))
    assert seen(world, world.north) == ([ACTIVE], True)
    # While a site prepares, nobody is active there.
    Site.objects.filter(pk=world.north.pk).update(is_open=False)
    assert seen(world, world.north) == ([], True)
    assert seen(world, world.south) == ([], True)


def test_what_is_late_and_what_nobody_called_are_reasons(world: World) -> None:
    today = localdate(tenancy.now())
    rows.match(line.request(world.north), world.supporters["north"], "CONFIRMED", ago=timedelta(days=5))
    unanswered()
    with site_scope(world.north.pk):
        LocalCrisisLine.objects.create(
            number="604-555-0188", label="Ours", label_fr="La nôtre", verified_on=today - timedelta(days=180)
        )
    with site_scope(world.province.pk):
        ends = today + timedelta(days=20)
        lending.link(
            one=world.north, other=world.south, reference="ISA 2026-04", signed_on=today, ends_on=ends, by=SYSTEM
        )
    assert seen(world, world.north)[0] == [MISSED, CALLED, LINKED]
    assert seen(world, world.south)[0] == ["Its agreement with North Division ends within the month."]


def test_a_look_of_yesterday_says_nothing_of_today(world: World) -> None:
    site_health.inspect_sites(now=tenancy.now() - timedelta(days=2))
    with site_scope(world.province.pk):
        assert {light.is_current for light in site_health.of_all_sites()} == {False}
    assert seen(world, world.north) == ([], True)


@pytest.mark.expects_error_log
def test_a_site_that_cannot_be_looked_into_stops_no_other(world: World, caplog: Any) -> None:
    Site.objects.filter(pk=world.north.pk).update(time_zone="Nowhere/Land")
    assert seen(world, world.south) == ([], True)
    assert seen(world, world.north) == ([], False)
    said = [record.getMessage() for record in caplog.records if record.name == "psi.operations"]
    assert said == [f"site {world.north.pk} could not be looked into: ZoneInfoNotFoundError"] * 2


def test_the_gravity_of_a_light_is_said_in_words(world: World, sign_in: SignIn) -> None:
    only(world, agreement_until=localdate(tenancy.now()) + timedelta(days=5))
    site_health.inspect_sites()
    page = sign_in(world["coordinator"]).get(PAGE).text
    assert ('<span class="chip warm">needs a hand</span>' in page, "needs a hand today" in page) == (True, False)


def test_the_row_can_hold_no_number() -> None:
    kinds = {field.name: type(field).__name__ for field in Standing._meta.local_fields}
    assert kinds == {
        "id": "BigAutoField",
        "site": "ForeignKey",
        "of": "ForeignKey",
        "unmanned": "BooleanField",
        "unsigned": "BooleanField",
        "numbers": "CodeField",
        "looked_at": "DateTimeField",
    }


def test_the_page_says_it_in_words_and_without_any_number(world: World, sign_in: SignIn) -> None:
    for number in range(3):
        rows.match(
            line.request(world.north), rows.supporter(world.north, f"Dr N {number}"), "CONFIRMED", ago=timedelta(days=5)
        )
    unanswered()
    CrisisLine.objects.filter(code="BC").update(verified_on=localdate(tenancy.now()) - timedelta(days=95))
    only(world, agreement_until=None)
    site_health.inspect_sites()
    page = sign_in(world["coordinator"]).get(PAGE)
    text = visible(page.text)
    text = " ".join(text.replace("¦", " ").split())
    assert re.search(f"North Division needs a hand today {MISSED} {ACTIVE} {SIGNED} South Division on track", text)
    assert "not called for three months 310-6789" in text
    for known in ("9-1-1", "9-8-8", "1-800-663-6729", "310-6789"):
        text = text.replace(known, "")
    text = re.sub(r"Last looked at on \d+ \w+ \d{4}, \d\d:\d\d\.", "", text)
    assert re.findall(r".{9}\d.{9}", text) == []


@pytest.mark.parametrize("count", [1, 30])
def test_the_page_costs_the_same_for_every_number_of_sites(world: World, sign_in: SignIn, count: int) -> None:
    for number in range(count):
        cast.site(f"valley-{number}")
    site_health.inspect_sites()
    opened(sign_in(world["coordinator"]), PAGE, 10, f"Valley-{count - 1} Division")
