"""Candidates for one referral among 10,000 supporters of one roster: the whole page, against the SQL it asks."""

import random
from datetime import timedelta
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import localdate

from bench.harness import Line, analyze, ask, compared, interleaved
from matching.candidates import filters
from matching.candidates import queries as candidates
from matching.matches.models import Match
from psi import tenancy
from sites.tenants.models import Site
from tests import line, people, rows
from training.supporters.models import PeerSupporter, Practice, Stage, SupporterLoad

MANY = 10_000
YEAR = timedelta(days=365)


def measure(dice: random.Random) -> list[Line]:
    """Return the line of the page, and how often it asks at 100 and at 10,000 supporters."""
    world = people.build()
    _fill(world.north, MANY, dice)
    _fill(world.south, 100, dice)
    analyze()
    counts = [_queries(site, world[f"{site.slug} administrator"]) for site in (world.south, world.north)]
    referral = line.request(world.north, stage="LATE", wishes=("WOMAN", "FRENCH"))
    client, path = _signed_in(world["north administrator"]), f"/north/requests/{referral.ref}/choose/"
    with tenancy.site_scope(world.north.pk):
        need = candidates.need_of(referral)
        known = candidates.history_of(referral, need)
    today = localdate(tenancy.now())
    given = filters.parameters(need, known, site=world.north.pk, today=today) | {"limit": filters.SHOWN}

    def page() -> None:
        answer = client.get(path)
        assert answer.content.count(b'name="supporter"') == filters.SHOWN, answer.status_code

    def floor() -> None:
        with tenancy.site_scope(world.north.pk):
            assert len(ask(filters.FIRST, given)) == filters.SHOWN

    ours, bare = interleaved(page, floor)
    same = counts[0] == counts[1]
    return [
        compared("candidates among 10,000, page complete", ours, bare, 3),
        Line("its queries at 100 and at 10,000", f"{counts[1]}", f"{counts[0]}", "", "the same", same),
    ]


def _fill(site: Site, count: int, dice: random.Random) -> None:
    """Fill a roster: most are ready; each has a load, half of them a match behind them."""
    found = rows.crowd(
        site,
        count,
        stage=lambda n: dice.choice(Stage.values),
        practice=lambda n: dice.choice(Practice.values),
        gender=lambda n: dice.choice(["WOMAN", "MAN", "UNSAID"]),
        speaks_french=lambda n: dice.random() < 0.15,
        state=lambda n: PeerSupporter.State.ACTIVE if dice.random() < 0.9 else PeerSupporter.State.PREPARING,
    )
    with tenancy.site_scope(site.pk) as scope:
        loads = ((one.user_id, dice.randint(0, 1), dice.randint(0, 5)) for one in found)
        SupporterLoad.objects.bulk_create(
            SupporterLoad(user_id=user, year=scope.now.year, live=live, total=live + more) for user, live, more in loads
        )
        behind = dice.sample(found, count // 2)
        referrals = rows.requests(site, len(behind))
        Match.objects.bulk_create(
            Match(
                referral=referral,
                supporter=one,
                state=Match.State.COMPLETED,
                invited_at=scope.now,
                expires_at=scope.now,
                confirmed_at=scope.now - dice.random() * YEAR,
            )
            for referral, one in zip(referrals, behind, strict=True)
        )


def _queries(site: Site, administrator: Any) -> int:
    path = f"/{site.slug}/requests/{line.request(site, stage='LATE', wishes=('WOMAN',)).ref}/choose/"
    client = _signed_in(administrator)
    client.get(path)
    with CaptureQueriesContext(connection) as seen:
        assert client.get(path).status_code == 200
    return len(seen)


def _signed_in(user: Any) -> Client:
    client = Client(SERVER_NAME="localhost")
    people.sign_in(client, user)
    return client
