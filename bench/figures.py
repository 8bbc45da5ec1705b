"""Figures of 1,000,000 referrals in 500 sites: rebuilding what is dirty, and a site's page, each against bare work."""

import random
import statistics
import time
from datetime import date
from typing import Any

from django.db import connection, connections
from django.template.loader import render_to_string
from django.test import Client

from bench.harness import ROUNDS, Line, analyze, compared, interleaved
from psi.tenancy import site_scope
from sites.engine import agenda, facts
from sites.engine.models import Due, Fact
from sites.tenants.models import Site
from tests import people
from tracker.figures import rollups
from tracker.figures import views as figure_views
from tracker.figures.models import Rollup

SITES, REFERRALS, DIRTY = 500, 1_000_000, 1_000
START, MONTHS = date(2024, 1, 1), 36
TODAY = date(2026, 11, 24)

# What the moves write about one referral, from request to close; hours and lists are spread.
FACTS = """INSERT INTO sites_fact (site_id, month, measure, category)
    SELECT %(site)s, (%(start)s::date + make_interval(months => n %% %(months)s))::date, measure, category
    FROM generate_series(1, %(referrals)s) AS n, LATERAL (VALUES
      ('REQUEST', 'ALL'), ('INVITED', 'ALL'), ('ACCEPTED', 'ALL'), ('MATCHED', 'ALL'), ('TALK', 'ALL'),
      ('REQ_PATH', CASE WHEN n %% 4 = 0 THEN 'REACH_OUT' ELSE 'REACH_IN' END),
      ('REQ_REASON', (ARRAY['BURNOUT', 'EVENT', 'COMPLAINT', 'CONFLICT', 'LIFE', 'CHANGE', 'OTHER'])[n %% 7 + 1]),
      ('TO_MATCH', (n * 7 %% 200)::text), ('TO_CONTACT', (n * 11 %% 90)::text), ('CONTACT', 'IN_TIME'),
      ('TALK_WAY', (ARRAY['PHONE', 'VIDEO', 'IN_PERSON'])[n %% 3 + 1]),
      ('TALK_LENGTH', (ARRAY['UNDER_15', 'UNDER_30', 'UNDER_60'])[n %% 3 + 1]), ('CLOSED', 'DONE')
    ) AS fact (measure, category)"""
# And of some: who suggested it, an offer, somebody trained, answers afterwards. Every picture has something to show.
OF_SOME = """INSERT INTO sites_fact (site_id, month, measure, category)
    SELECT %(site)s, (%(start)s::date + make_interval(months => n %% %(months)s))::date, measure, category
    FROM generate_series(1, %(referrals)s / 10) AS n, LATERAL (VALUES
      ('REQ_FROM', (ARRAY['COLLEAGUE', 'DIVISION', 'MSA', 'PHP', 'OTHER'])[n %% 5 + 1]),
      ('OFFER', (ARRAY['OFFERED', 'YES', 'NO', 'SILENT'])[n %% 4 + 1]), ('TRAINED', 'ALL'),
      ('SURVEY', 'ALL'), ('SV_TIME', 'YES'), ('SV_SAFE', 'YES'), ('SV_HELP', 'YES'), ('SV_RECOMM', 'YES'),
      ('SV_AGAIN', CASE WHEN n %% 3 = 0 THEN 'NO' ELSE 'YES' END)
    ) AS fact (measure, category)"""
# The floor of a site: name it to PostgreSQL, and count its months into a table.
BARE = """INSERT INTO bench_rollup (site_id, month, measure, category, count)
    SELECT site_id, month, measure, category, count(*) FROM sites_fact
    WHERE site_id = %s AND month = ANY(%s::date[]) GROUP BY 1, 2, 3, 4"""


def measure(dice: random.Random) -> list[Line]:
    """Return the lines of the rebuild and of the page."""
    world = people.build()
    sites = [world.north, *(people.site(f"bench-{n}") for n in range(SITES - 1))]
    each = REFERRALS // SITES
    for site in sites:
        with site_scope(site.pk), connection.cursor() as cursor:
            given = {"site": site.pk, "start": START, "months": MONTHS, "referrals": each}
            cursor.execute(FACTS, given)
            cursor.execute(OF_SOME, given)
    with connections["owner"].cursor() as cursor:
        cursor.execute("CREATE TABLE bench_rollup (LIKE tracker_rollup INCLUDING ALL)")
        cursor.execute("GRANT ALL ON bench_rollup TO PUBLIC")
    for site in sites:
        with site_scope(site.pk):
            rollups.rebuild_all()
    analyze()
    return [_rebuild(sites, dice), _page(world)]


def _rebuild(sites: list[Site], dice: random.Random) -> Line:
    def months() -> list[int]:
        return [_number(n) for n in dice.sample(range(MONTHS), DIRTY // SITES)]

    chosen = {site.pk: months() for site in sites}
    taken: list[tuple[float, float]] = []
    for _round in range(ROUNDS + 1):
        for site in sites:
            with site_scope(site.pk) as scope:
                # Something happened in each of them, as it does where a month is marked.
                Fact.objects.bulk_create(
                    Fact(month=_day(number), measure="REQUEST", category="ALL") for number in chosen[site.pk]
                )
                agenda.schedule(facts.DIRTY_MONTH, chosen[site.pk], scope.now)
        with connections["owner"].cursor() as cursor:
            cursor.execute("TRUNCATE bench_rollup")
        began = time.perf_counter()
        agenda.sweep()
        between = time.perf_counter()
        _bare(chosen)
        taken.append((between - began, time.perf_counter() - between))
        assert not Due.objects.filter(kind=facts.DIRTY_MONTH).exists()
    # The first round warms up.
    ours, floor = (statistics.median(times) for times in zip(*taken[1:], strict=True))
    return compared(f"{DIRTY:,} dirty site-months at {SITES} sites", ours, floor, 3)


def _bare(chosen: dict[int, list[int]]) -> None:
    for site_id, months in chosen.items():
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT set_config('psi.site_id', %s, true)", [str(site_id)])
            cursor.execute(BARE, [site_id, [_day(number) for number in months]])
            cursor.execute("COMMIT")


def _page(world: Any) -> Line:
    client = Client(SERVER_NAME="localhost")
    people.sign_in(client, world["north lead"])
    path = "/north/figures/?period=2025"
    with site_scope(world.north.pk):
        assert Rollup.objects.count() > MONTHS
        context, _status = figure_views.figures_context("2025", TODAY)

    shown = sum(panel.counted for panel, _drawing in context["drawn"])

    def page() -> None:
        answer = client.get(path)
        assert answer.content.count(b"<svg") == shown, answer.status_code

    # The request as the house has prepared it, so that the bar above the page is there too.
    asked = client.get(path).wsgi_request

    def floor() -> None:
        render_to_string("tracker/figures.html", context, asked)

    ours, bare = interleaved(page, floor)
    return compared("a site's figures of a year, page complete", ours, bare, 2)


def _number(month: int) -> int:
    return (START.year + month // 12) * 100 + month % 12 + 1


def _day(number: int) -> date:
    return date(number // 100, number % 100, 1)
