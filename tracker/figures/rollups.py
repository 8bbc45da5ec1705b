"""Rollups: a site-month's facts counted, rebuilt whole, so that running twice changes nothing."""

import logging
from datetime import date
from typing import Any

from django.db import connection

from matching.invitations import alerts
from psi import tenancy
from psi.locks import AdvisoryLock
from sites.engine import agenda, facts
from sites.tenants.models import Site

log = logging.getLogger("psi.figures")
ROLLUP = AdvisoryLock("ROLLUP", 7103)

# Facts that take one back (sites.engine.facts.take_back) count against those they take back.
COUNTED = f"""SELECT site_id, month, ltrim(measure, '{facts.RETRACTED}') AS measure, category,
    sum(CASE WHEN starts_with(measure, '{facts.RETRACTED}') THEN -1 ELSE 1 END) AS n
    FROM sites_fact GROUP BY 1, 2, 3, 4"""


def register() -> None:
    """Tell the agenda who rebuilds a month that changed."""
    agenda.register(facts.DIRTY_MONTH, rebuild)


# One trip: lock, count, write what differs, and say that it is filled. Two workers at one site wait for each other, so
# that neither writes an older count over a newer; the statement after the lock sees what the other has written.
REBUILD = f"""SELECT pg_advisory_xact_lock({ROLLUP.number}, %(site)s);
    WITH counted AS MATERIALIZED (
        SELECT * FROM ({COUNTED}) AS cell WHERE site_id = %(site)s AND month = ANY(%(months)s::date[]) AND n > 0
    ), gone AS (
        DELETE FROM tracker_rollup WHERE site_id = %(site)s AND month = ANY(%(months)s::date[])
        AND (month, measure, category) NOT IN (SELECT month, measure, category FROM counted)
    )
    INSERT INTO tracker_rollup AS old (site_id, month, measure, category, count) SELECT * FROM counted
    ON CONFLICT (site_id, month, measure, category) DO UPDATE SET count = excluded.count
    WHERE old.count <> excluded.count;
    INSERT INTO tracker_rollupfill (site_id, month, filled_at)
    SELECT %(site)s, month, %(now)s FROM unnest(%(months)s::date[]) AS month
    ON CONFLICT (site_id, month) DO UPDATE SET filled_at = excluded.filled_at"""


def rebuild(months: list[int]) -> None:
    """Rebuild the current site's rollups of these months (as yyyymm) from its facts, and note when.

    All in the transaction at hand: an interrupted fill was never there, and the mark that asked for it still is.
    """
    parameters: dict[str, Any] = {
        "site": tenancy.current_site_id(),
        "months": [date(number // 100, number % 100, 1) for number in sorted(set(months))],
        "now": tenancy.now(),
    }
    with connection.cursor() as cursor:
        cursor.execute(REBUILD, parameters)


def rebuild_all() -> None:
    """Rebuild every month of the current site from its facts."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(year FROM month) * 100 + extract(month FROM month)"
            " FROM (SELECT month FROM sites_fact UNION SELECT month FROM tracker_rollup) AS months"
        )
        months = [int(row[0]) for row in cursor.fetchall()]
    rebuild(months)


def differences(*, settled: bool = False) -> list[tuple[date, str, str]]:
    """Return the cells of the current site in which rollups and a full recount differ.

    More taken back than was ever counted is a difference too: no rollup can say it.

    Args:
        settled: leave out months that a worker is about to count; read at one moment with the counts.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT month, measure, category FROM"
            f" (SELECT month, measure, category, n FROM ({COUNTED}) AS counted WHERE n <> 0) AS facts"
            " FULL JOIN tracker_rollup AS r USING (month, measure, category)"
            " WHERE n IS DISTINCT FROM r.count AND NOT (%s AND EXISTS (SELECT FROM sites_due AS due"
            " WHERE due.site_id = %s AND due.kind = %s AND NOT due.parked AND due.object_id ="
            " extract(year FROM month) * 100 + extract(month FROM month))) ORDER BY 1, 2, 3",
            [settled, tenancy.current_site_id(), facts.DIRTY_MONTH],
        )
        rows: list[tuple[date, str, str]] = cursor.fetchall()
    return rows


def verify() -> list[int]:
    """Count every site's facts anew, and return the sites whose rollups differ. Nothing is mended here.

    Each such site is logged at ERROR and stands on the province's list until a proof finds nothing. So is logged one
    that cannot be counted, and what was said of it before stands; the others are counted.
    """
    wrong = []
    for site_id in Site.objects.order_by("pk").values_list("pk", flat=True):
        try:
            with tenancy.site_scope(site_id):
                cells = differences(settled=True)
                alerts.report_counts(wrong=bool(cells))
        except Exception as error:
            # Its kind alone: what an error says may quote a row.
            log.error("figures of site %s could not be proved: %s", site_id, type(error).__name__)
            continue
        if cells:
            wrong.append(site_id)
            month, measure, category = cells[0]
            log.error(
                "rollups of site %s differ from its facts in %s cells, first in %s %s %s",
                *(site_id, len(cells), f"{month:%Y-%m}", measure, category),
            )
    return wrong
