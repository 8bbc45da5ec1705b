"""What is due is a row: one small table says when something must be looked at.

A row is claimed with a lease in a short transaction, then handled in one transaction per site and
kind. The handler reads the truth again under its own locks, so running twice, late or in several
places changes nothing. The broker only wakes: lose it, and the next tick finds all.
"""

import logging
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta

from celery import current_app
from django.conf import settings
from django.db import connection, transaction

from psi import tenancy
from psi.locks import CommitOrder

log = logging.getLogger("psi.agenda")

# Due rows of which a site has one, whoever asks for it.
SINGLETON_DUE = CommitOrder(20, "SINGLETON_DUE")

LEASE = timedelta(minutes=2)
BATCH = 500
TICK = "sites.tasks.tick"
# The queue of work that takes minutes and much memory; its workers do nothing else.
HEAVY = "heavy"
# A row that failed this often is parked and logged as an error; someone must look at it.
ATTEMPTS = 8

Handler = Callable[[list[int]], None]
Delivery = Callable[["Claim"], None]


@dataclass(frozen=True)
class Claim:
    """Rows of one site and kind held under one lease.

    `now` is set only when a moment other than the database's own is being played (`run_due --at`).
    """

    site_id: int
    kind: str
    object_ids: list[int]
    lease: uuid.UUID
    now: datetime | None


_sweeping: ContextVar[bool] = ContextVar("psi_sweeping", default=False)
_handlers: dict[str, Handler] = {}
_deliveries: dict[str, Delivery] = {}
_last_sweep = 0.0
_quiet_until = 0.0


def register(kind: str, handler: Handler) -> None:
    """Let `handler(object_ids)` handle due rows of `kind`, inside the site's scope."""
    _handlers[kind] = handler


def register_delivery(kind: str, delivery: Delivery) -> None:
    """Let `delivery(claim)` handle rows whose work (mail) must stay outside any transaction."""
    _deliveries[kind] = delivery


def schedule(kind: str, object_ids: Iterable[int], at: datetime) -> None:
    """Have these objects of the current site handled at `at`; an earlier time is replaced.

    Giving it anew ends any lease on it, so a handler that is running now will not delete it.
    """
    ids = sorted(set(object_ids))
    if not ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO sites_due (site_id, kind, object_id, at, attempts, parked)"
            " SELECT %s, %s, unnest(%s::bigint[]), %s, 0, false"
            " ON CONFLICT (site_id, kind, object_id) DO UPDATE"
            " SET at = excluded.at, lease = NULL, attempts = 0, parked = false",
            [tenancy.current_site_id(), kind, ids, at],
        )
    # Once for each transaction: whatever takes back the earlier asking takes back this one too. Who sweeps finds it.
    if (
        at <= tenancy.now()
        and not _sweeping.get()
        and all(call is not wake for _, call, *_ in connection.run_on_commit)
    ):
        transaction.on_commit(wake)


def cancel(kind: str, object_ids: Iterable[int]) -> None:
    """Remove the due rows of these objects of the current site."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM sites_due WHERE site_id = %s AND kind = %s AND object_id = ANY(%s)",
            [tenancy.current_site_id(), kind, list(object_ids)],
        )


def wake() -> None:
    """Wake a worker to sweep now. Without a broker nothing is lost: the next tick finds the rows."""
    global _quiet_until
    if time.monotonic() < _quiet_until:
        return
    try:
        # One that waited in the queue is worthless: a tick came meanwhile, and found the same rows.
        current_app.send_task(TICK, retry=False, expires=settings.PSI_TICK_SECONDS)
    except Exception as error:  # whatever a broker may do, the row is safe
        _quiet_until = time.monotonic() + 5
        log.warning("no worker could be woken: %s", type(error).__name__)


def send_heavy(task: str, object_id: int) -> None:
    """Hand heavy work to the workers of that queue. What asked for it must ask again until it is done."""
    try:
        current_app.send_task(task, args=[object_id], queue=HEAVY, retry=False)
    except Exception as error:  # whatever a broker may do, the row is safe
        log.warning("no worker could be told of heavy work: %s", type(error).__name__)


def last_sweep() -> float:
    """Return when this process last swept, on `time.monotonic()`; 0.0 when it never did."""
    return _last_sweep


def sweep_quietly() -> None:
    """Sweep, and log instead of raising: for clocks that must go on ticking."""
    try:
        sweep()
    except Exception as error:
        log.warning("sweep failed: %s", type(error).__name__)
    finally:
        connection.close()


def sweep(*, now: datetime | None = None) -> int:
    """Handle everything that is due, in batches, and return how many rows were handled.

    Args:
        now: the moment to play, for `run_due --at`; the database's clock when left out.
    """
    global _last_sweep
    _last_sweep = time.monotonic()
    handled, token = 0, _sweeping.set(True)
    try:
        while claims := claim(now=now):
            # Mail last: a server that hangs must not delay a window.
            for item in sorted(claims, key=lambda c: c.kind in _deliveries):
                if item.kind in _deliveries:
                    _deliveries[item.kind](item)
                else:
                    handle(item)
                handled += len(item.object_ids)
    finally:
        _sweeping.reset(token)
    return handled


def claim(*, now: datetime | None = None, limit: int = BATCH) -> list[Claim]:
    """Take the earliest due rows under a lease of two minutes, grouped by site and kind."""
    lease = uuid.uuid4()
    # statement_timestamp(), because an index is of no use for what clock_timestamp() may say for each row.
    # One statement is a transaction of its own: a tick with nothing due costs one trip.
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE sites_due SET lease = %s, at = clock_timestamp() + make_interval(secs => %s)"
            " WHERE id = ANY (ARRAY("
            " SELECT id FROM sites_due WHERE at <= coalesce(%s, statement_timestamp()) AND NOT parked"
            " AND (lease IS NULL OR at <= statement_timestamp())"
            " ORDER BY at LIMIT %s FOR UPDATE SKIP LOCKED))"
            " RETURNING site_id, kind, object_id",
            [lease, LEASE.total_seconds(), now, limit],
        )
        rows = cursor.fetchall()
    groups: dict[tuple[int, str], list[int]] = defaultdict(list)
    for site_id, kind, object_id in rows:
        groups[site_id, kind].append(object_id)
    return [Claim(site, kind, sorted(ids), lease, now) for (site, kind), ids in sorted(groups.items())]


def handle(item: Claim) -> None:
    """Run the handler over a claim in one transaction; a failing batch is retried row by row.

    Each row then has a transaction of its own, for some failures show at its end only (a reference that
    dangles, a row written last).
    """
    try:
        _run(item, item.object_ids)
        return
    except Exception as error:
        log.warning("batch of %s failed, trying rows: %s", item.kind, type(error).__name__)
    for object_id in item.object_ids:
        try:
            _run(item, [object_id])
        except Exception as error:
            with tenancy.site_scope(item.site_id, now=item.now):
                postpone(item, [object_id], error)


def _run(item: Claim, ids: list[int]) -> None:
    with tenancy.site_scope(item.site_id, now=item.now):
        _handlers[item.kind](ids)
        finish(item, ids)


def renew_lease(item: Claim, ids: Iterable[int]) -> set[int]:
    """Renew the lease on these rows, and return the ids of those whose lease has not passed to another worker."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE sites_due SET at = clock_timestamp() + make_interval(secs => %s) WHERE site_id = %s"
            " AND kind = %s AND object_id = ANY(%s) AND lease = %s RETURNING object_id",
            [LEASE.total_seconds(), item.site_id, item.kind, list(ids), item.lease],
        )
        return {row[0] for row in cursor.fetchall()}


def finish(item: Claim, ids: list[int]) -> None:
    """Remove what was handled, unless it was scheduled anew in the meantime."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM sites_due WHERE site_id = %s AND kind = %s AND object_id = ANY(%s) AND lease = %s",
            [item.site_id, item.kind, ids, item.lease],
        )


def postpone(item: Claim, ids: list[int], error: Exception, *, counted: bool = True) -> None:
    """Push rows forward, later with each failure; park them with an alarm after `ATTEMPTS`.

    Args:
        counted: False when the failure is not theirs (a mail server that is away): never parked.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE sites_due SET lease = NULL, attempts = least(attempts + 1, 30000),"
            " at = coalesce(%s, clock_timestamp())"
            " + least(interval '15 minutes', interval '15 seconds' * power(2, least(attempts, 8))),"
            " parked = %s AND attempts + 1 >= %s"
            " WHERE site_id = %s AND kind = %s AND object_id = ANY(%s) AND lease = %s RETURNING parked",
            [item.now, counted, ATTEMPTS, item.site_id, item.kind, ids, item.lease],
        )
        parked = sum(row[0] for row in cursor.fetchall())
    log.warning("%s of %s postponed: %s", len(ids), item.kind, type(error).__name__)
    if parked:
        log.error("%s of %s at site %s parked after %s attempts", parked, item.kind, item.site_id, ATTEMPTS)
