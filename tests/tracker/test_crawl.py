"""Every address at which the province's figures can be read: nowhere does a number from 1 to 9 stand as a count."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from psi.tenancy import site_scope
from sites.consumers import transitions as consumers
from sites.engine import agenda
from sites.engine.audit import SYSTEM
from sites.gate.permissions import TOKEN
from sites.tenants.models import Role
from tests.people import World
from tests.test_walk import Address, addresses
from tests.tracker import crawl
from tests.tracker.releasing import happen, note, released
from tracker.figures import periods
from tracker.operations import site_health
from tracker.releases.models import Release

SignIn = Callable[[Any], Client]
JANUARY, MARCH, APRIL, JUNE = (date(2026, month, 1) for month in (1, 3, 4, 6))
FILLED: dict[str, list[Any]] = {
    "site": ["province"],
    "slug": ["north"],
    "line": ["PHP"],
    "quarter": [JANUARY, APRIL],
    "year": ["2025-26"],
    "table": ["dictionary", "p1", "p2", "p3", "p4", "p5"],
    "kind": ["csv", "svg", "png"],
}


def provincial() -> list[Address]:
    """Return what is the province's own, and what advisors, programs or everybody may read of a release.

    The province's own requests are rows of a site, and not here.
    """
    return [
        address
        for address in addresses()
        if address.fixed.get("site") == "province"
        or "quarter" in address.takes
        or (address.access and (address.access == TOKEN or Role.ADVISOR in address.access.roles))
    ]


def urls(address: Address, release: Release) -> Iterator[str]:
    """Yield the address with every value its arguments may take."""
    filled = FILLED | {"release_id": [release.pk]}
    values: list[dict[str, Any]] = [{}]
    for name in sorted(address.takes):
        values = [known | {name: value} for known in values for value in filled[name]]
    for known in values:
        yield reverse(address.name, kwargs=known)


@pytest.fixture
def published(world: World) -> Release:
    """A quarter with small numbers in every corner, and what may be told of it told; and one with no large month."""
    for number, month in enumerate(periods.months(JANUARY, MARCH)):
        happen(world.north, month, 2 + number, ("EVENT",))
        happen(world.south, month, 30 if month == MARCH else 3, ("BURNOUT", "LIFE")[: 1 + number % 2])
        happen(world.province, month, 1, pathway="REACH_OUT")
        note(world.north, month, [("CONTACT", "IN_TIME")] * 9 + [("CONTACT", "LATE")])
    for month in periods.months(APRIL, JUNE):
        happen(world.south, month, 6)
    agenda.sweep()
    site_health.inspect_sites()
    released(world, JANUARY, date(2026, 5, 1), public=True)
    return released(world, APRIL, date(2026, 8, 1), public=True)


def test_no_small_number_stands_anywhere(world: World, published: Release, sign_in: SignIn) -> None:
    with site_scope(world.province.pk):
        token = consumers.issue("Ministry of Health", by=SYSTEM)
    readers = {who: sign_in(world[who]) for who in ("coordinator", "advisor")}
    readers |= {"program": Client(headers={"Authorization": f"Bearer {token}"}), "nobody": Client()}
    found, opened = [], set()
    for who, reader in readers.items():
        for address in provincial():
            for url in urls(address, published):
                answer = reader.get(url)
                if answer.status_code == 200:
                    opened.add(address.name)
                    found += [f"{who} {url}: {words}" for text in crawl.read(answer) for words in crawl.small(text)]
    assert found == []
    assert opened == {address.name for address in provincial()}


@pytest.mark.usefixtures("published")
def test_the_crawl_notices_a_small_number(world: World, sign_in: SignIn) -> None:
    page = sign_in(world["advisor"]).get("/province/figures/").text
    cell = next(line for line in page.splitlines() if "<td>" in line)
    for planted in (
        "<td>7</td>",
        '<td title="7 requests">hidden</td>',
        "<svg><text x='1'>7</text></svg>",
        '<meter value="7">',
    ):
        assert crawl.small(crawl.visible(page.replace(cell, planted))) != []
    for text in ("Requests: 3.", "2026-01 2026-03 Requests 9 count no", "{4}", "1 percent of 8 requests"):
        assert len(crawl.small(text)) == 1, text
    for text in (
        "1 June 2026",
        "R-7K2",
        "310-6789",
        "7 hours",
        "2.3 average",
        "1,204 requests",
        "P1 2026-q1",
        "0",
        "10",
    ):
        assert crawl.small(text) == [], text
