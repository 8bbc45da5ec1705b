"""What is due: a tick that finds nothing among a million, and contact windows that are over."""

import subprocess
import sys
import time
from datetime import timedelta

from django.db import connection

from bench.harness import Line, analyze, ask, compared, interleaved
from matching.invitations.transitions import WINDOW
from matching.matches.models import Match, WindowStep
from psi import tenancy
from sites.engine import agenda
from sites.tenants.models import Role, Site
from tests import people, rows
from training.supporters.models import PeerSupporter

MILLION = 1_000_000
SITES = 200
WORKERS = 4


def nothing_due() -> list[Line]:
    """Return the line of a sweep that finds nothing due among a million rows."""
    site = people.site("waiting")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM sites_due")
        cursor.execute(
            "INSERT INTO sites_due (site_id, kind, object_id, at, attempts, parked)"
            " SELECT %s, 'LATER', n, now() + interval '1 day' + n * interval '1 second', 0, false"
            " FROM generate_series(1, %s) AS n",
            [site.pk, MILLION],
        )
    analyze()

    def ours() -> None:
        for _ in range(50):
            assert agenda.sweep() == 0

    def floor() -> None:
        for _ in range(50):
            assert not ask("SELECT id FROM sites_due WHERE at <= now() AND NOT parked ORDER BY at LIMIT 1")

    taken = [seconds / 50 for seconds in interleaved(ours, floor)]
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM sites_due WHERE kind = 'LATER'")
    analyze()
    return [compared("a tick with none due of 1,000,000", *taken, 2)]


def windows(each: int, workers: int) -> Line:
    """Return the line of windows that are over at `SITES` sites, `each` at every one, until their notices exist."""
    places = _places()
    _confirm(places, each)
    total = each * len(places)
    began = time.perf_counter()
    if workers == 1:
        sweep_windows()
    else:
        started = [subprocess.Popen([sys.executable, "-m", "bench.sweeper"]) for _ in range(workers)]
        assert [one.wait(600) for one in started] == [0] * workers
    taken = time.perf_counter() - began
    wrong = _wrong(places, each)
    rate = total / taken
    name = f"{total:,} windows over {len(places)} sites, {workers} worker{'s' if workers > 1 else ''}"
    if workers == 1:
        return Line(name, f"{rate:,.0f} a second", "", "", "≥ 1,000", rate >= 1000 and not wrong)
    return Line(name, f"{wrong} lost or doubled ({rate:,.0f} a second)", "", "", "0", not wrong)


def sweep_windows() -> None:
    """Do what a worker does, without its mail: claim and handle until no window is due."""
    while claims := agenda.claim():
        mine = [item for item in claims if item.kind == WINDOW]
        for item in mine:
            agenda.handle(item)
        if not mine:
            return


def _places() -> list[Site]:
    found = list(Site.objects.filter(slug__startswith="over-").order_by("pk"))
    if found:
        return found
    for number in range(SITES):
        site = people.site(f"over-{number}")
        people.member(site, Role.ADMINISTRATOR, f"Ada Over{number}")
        rows.crowd(site, 1)
        found.append(site)
    return found


def _confirm(places: list[Site], each: int) -> None:
    """Give every site so many matches whose 72 hours end now: only the last step is left."""
    for site in places:
        with tenancy.site_scope(site.pk) as scope:
            at = scope.now - timedelta(hours=72, minutes=1)
            peer = PeerSupporter.objects.get()
            referrals = rows.requests(site, each)
            matches = Match.objects.bulk_create(
                Match(
                    referral=referral,
                    supporter=peer,
                    state=Match.State.CONFIRMED,
                    invited_at=at,
                    expires_at=at,
                    confirmed_at=at,
                    window_step=WindowStep.SECOND_REMINDER,
                )
                for referral in referrals
            )
            agenda.schedule(WINDOW, [match.pk for match in matches], at + timedelta(hours=72))
    analyze()


def _wrong(places: list[Site], each: int) -> int:
    """Count the windows that did not take their step exactly once: one step, one event, one notice."""
    wrong = len(ask("SELECT 1 FROM sites_due WHERE kind = 'WINDOW'"))
    for site in places:
        with tenancy.site_scope(site.pk):
            found = ask(
                "SELECT count(*) FROM matching_match AS m WHERE m.state = 'CONFIRMED' AND (m.window_step <> 3"
                " OR (SELECT count(*) FROM matching_matchevent AS e WHERE e.match_id = m.id AND e.why = 'MISSED') <> 1"
                " OR (SELECT count(*) FROM sites_notice AS n WHERE n.object_id = m.id AND n.kind = 'WINDOW_72') <> 1)"
            )
            wrong += found[0][0] + abs(Match.objects.filter(state="CONFIRMED").count() - each)
            # Done with: the next measure counts its own.
            Match.objects.filter(state="CONFIRMED").update(state="REVOKED")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM sites_due")
    return wrong
