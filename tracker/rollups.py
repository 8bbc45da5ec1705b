"""Rollups: a site-month's facts counted, rebuilt whole, so that running twice changes nothing."""

from datetime import date

from django.db import connection

from psi import tenancy
from sites import agenda, facts

# Facts that take one back (sites.facts.take_back) count against those they take back.
COUNTED = f"""SELECT site_id, month, ltrim(measure, '{facts.LESS}') AS measure, category,
    sum(CASE WHEN starts_with(measure, '{facts.LESS}') THEN -1 ELSE 1 END) AS n
    FROM sites_fact GROUP BY 1, 2, 3, 4"""


def register() -> None:
    """Tell the agenda who rebuilds a month that changed."""
    agenda.register(facts.DIRTY_MONTH, rebuild)


def rebuild(months: list[int]) -> None:
    """Rebuild the current site's rollups of these months (as yyyymm) from its facts.

    Two workers at one site wait for each other, so that neither writes an older count over a newer.
    """
    days = [date(number // 100, number % 100, 1) for number in months]
    site_id = tenancy.current_site_id()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(7103, %s)", [site_id])
        cursor.execute("DELETE FROM tracker_rollup WHERE site_id = %s AND month = ANY(%s)", [site_id, days])
        cursor.execute(
            "INSERT INTO tracker_rollup (site_id, month, measure, category, count)"
            f" SELECT * FROM ({COUNTED}) AS counted WHERE site_id = %s AND month = ANY(%s) AND n > 0",
            [site_id, days],
        )


def rebuild_all() -> None:
    """Rebuild every month of the current site from its facts."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(year FROM month) * 100 + extract(month FROM month)"
            " FROM (SELECT month FROM sites_fact UNION SELECT month FROM tracker_rollup) AS months"
        )
        months = [int(row[0]) for row in cursor.fetchall()]
    rebuild(months)


def differences() -> list[tuple[date, str, str]]:
    """Return the cells of the current site in which rollups and a full recount differ."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT month, measure, category FROM"
            f" (SELECT month, measure, category, n FROM ({COUNTED}) AS counted WHERE n > 0) AS facts"
            " FULL JOIN tracker_rollup AS r USING (month, measure, category)"
            " WHERE n IS DISTINCT FROM r.count ORDER BY 1, 2, 3"
        )
        return cursor.fetchall()
