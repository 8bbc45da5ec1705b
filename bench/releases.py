"""Releases of 25 sites and three years: what the gate costs, and the pages that show what was told."""

import itertools
import json
import subprocess
import sys
import uuid
from collections.abc import Callable
from datetime import date
from typing import Any

from django.db import connection
from django.template.loader import render_to_string
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bench.harness import Line, analyze, compared, interleaved
from bench.telling import MONTHS, REGIONS, SITES
from psi.tenancy import site_scope
from sites.reference.queries import crisis_lines
from sites.tenants.models import Site
from tests import people
from tracker.figures import periods
from tracker.releases import views as release_views
from tracker.releases.models import Release, ReleaseCell, ReleaseMember

# Requests a year at each site, for 4 to 7 matches of each supporter.
VOLUMES = (12, 28, 49)
SHOWN = 28
SECONDS, MEGABYTES = 300, 2048
FIGURES = "/province/figures/"
# Calls beneath which a page is measured; the last comes to the end of a piece of CPython's stack.
DEPTHS = range(0, 140, 20)


def history(each: int, seed: int) -> dict[str, Any]:
    """Let a process of its own tell three years, quarter by quarter, and return what it took and what it told."""
    command = [sys.executable, "-m", "bench.teller", str(each), str(seed)]
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    # Above the last line the solver names itself.
    return json.loads(ended.stdout.splitlines()[-1])


def gate(each: int, took: dict[str, Any]) -> list[Line]:
    """Return the lines of the last release, attacked together with all before it, and of the whole history."""
    name = f"the gate, {SITES} sites, {MONTHS // 12} years, {each} requests a year each"
    found = f"{took['examined']:,} hidden counts, {took['numbers']} numbers, narrowest {took['narrowest']}"
    quick, small = took["seconds"] <= SECONDS, took["peak"] <= MEGABYTES
    shown = f"{took['seconds']:.0f} s ({took['busy']:.0f} s of a processor)"
    refused = ", ".join(took["refused"]) or "none"
    return [
        Line(name, shown, "", "", f"≤ {SECONDS} s", quick and took["passed"]),
        Line("its memory at the peak", f"{took['peak']:.0f} MB", "", "", f"≤ {MEGABYTES:,} MB", small),
        Line("what it attacked", f"{found}, {'passed' if took['passed'] else 'refused'}", "", "", "", None),
        Line("all twelve in turn", f"{took['all']:.0f} s, refused: {refused}", "", "", "", None),
    ]


def pages(releases: list[dict[str, Any]]) -> list[Line]:
    """Return the lines of the province's page and of a public one, each against its template with the same rows."""
    world = people.build()
    keys = {f"S{number}": f"S{people.site(f'told-{number}', region=name).pk}" for number, name in REGIONS.items()}
    # The largest has all five tables.
    told = sorted((each for each in releases if each["cells"]), key=lambda each: len(each["cells"]), reverse=True)
    largest = date.fromisoformat(told[0]["quarter"])
    reader, anybody = Client(SERVER_NAME="localhost"), Client(SERVER_NAME="localhost")
    people.sign_in(reader, world["advisor"])
    _publish(world.province, told[:1], keys)
    few = _queries(reader, FIGURES)
    _publish(world.province, told[1:], keys)
    analyze()
    many = _queries(reader, FIGURES)
    with site_scope(world.province.pk):
        every = release_views.province_context()
        # With what else its template asks the database for.
        one = release_views.release_context(Release.objects.get(quarter=largest)) | {"crisis_lines": crisis_lines()}
    public = f"/province/published/{periods.code(largest)}/"
    return [
        _compared("the province's figures of 3 years", reader, FIGURES, "tracker/province.html", every),
        Line(f"its queries with 1 and {len(told)} releases", f"{many}", f"{few}", "", "the same", many == few),
        _compared("a public release", anybody, public, "tracker/published_one.html", one),
    ]


def _publish(home: Site, releases: list[dict[str, Any]], keys: dict[str, str]) -> None:
    """Write what was told as it stands once it is published, open to everybody.

    Args:
        keys: a site as it is called in what was told → as it is called here.
    """
    with site_scope(home.pk) as scope:
        for each in releases:
            release = Release.objects.create(
                quarter=each["quarter"],
                state=Release.State.PUBLISHED,
                public=True,
                key=uuid.uuid4(),
                asked_at=scope.now,
                published_at=scope.now,
            )
            for model, field, rows in ((ReleaseCell, "category", "cells"), (ReleaseMember, "member", "members")):
                model.objects.bulk_create(
                    model(release=release, **row | {field: keys.get(row[field], row[field])}) for row in each[rows]
                )


def _queries(client: Client, path: str) -> int:
    client.get(path)
    with CaptureQueriesContext(connection) as seen:
        assert client.get(path).status_code == 200
    return len(seen)


def _compared(name: str, client: Client, path: str, template: str, context: dict[str, Any]) -> Line:
    rows = sum(len(table.rows) for table in context["tables"])

    def page() -> None:
        answer = client.get(path)
        assert answer.content.count(b'<th scope="row">') == rows, answer.status_code

    # The request as the house has prepared it, so that the bar above the page is there too.
    asked = client.get(path).wsgi_request

    def floor() -> None:
        render_to_string(template, context, asked)

    ours, bare = interleaved(_anywhere(page), _anywhere(floor), rounds=6 * len(DEPTHS))
    return compared(f"{name}, {rows} rows, page complete", ours, bare, 2)


def _anywhere(job: Callable[[], None]) -> Callable[[], None]:
    """Return a job that is done at another depth of calls each time.

    CPython keeps frames in pieces of 16 kB. Where the calls of a template fall on the end of one, each of them takes
    a new piece and gives it back, and a page is slower by half (python/cpython#142183). At which depths is chance.
    """
    depths = itertools.cycle(DEPTHS)

    def down(calls: int) -> None:
        return down(calls - 1) if calls else job()

    return lambda: down(next(depths))
