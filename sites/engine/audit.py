"""The audit trail: who did or saw what, by codes and ids, in a hash chain the database keeps itself."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from psi import tenancy
from psi.locks import AdvisoryLock, CommitOrder
from sites.engine.models import AuditEntry, SignInEvent
from sites.tenants.models import Site

log = logging.getLogger("psi.audit")

# The end of a chain of entries or of sign-ins: whatever else a transaction writes comes before it.
CHAIN_END = CommitOrder(40, "CHAIN_END")
# Taken by the triggers of CHAIN_SQL below, which migrations have installed under these numbers.
AUDIT_CHAIN = AdvisoryLock("AUDIT_CHAIN", 7101)
SIGN_IN_CHAIN = AdvisoryLock("SIGN_IN_CHAIN", 7102)


@dataclass(frozen=True)
class Actor:
    """Who makes a move: an account in one of its roles, the public, or the system itself."""

    user_id: int | None
    role: str


SYSTEM = Actor(None, "system")
PUBLIC = Actor(None, "public")


def record(action: str, kind: str, object_id: int | None, *, by: Actor, purpose: str = "WORK") -> None:
    """Add an entry to the current site's chain, just before the transaction commits."""
    record_all([(action, object_id)], kind, by=by, purpose=purpose)


def record_all(entries: Sequence[tuple[str, int | None]], kind: str, *, by: Actor, purpose: str = "WORK") -> None:
    """Add entries about objects of one kind to the current site's chain, in their order, with one statement.

    Args:
        entries: code of the move, or `READ_IDENT` when identity was opened, `DENIED` when refused; and the
            primary key of the object, if it has one.
        kind: code of the objects, such as `REFERRAL`.
        by: who did it.
        purpose: code of why, where it is more than the work itself.
    """
    at = tenancy.now()

    def write() -> None:
        AuditEntry.objects.bulk_create(
            AuditEntry(
                at=at,
                actor_id=by.user_id,
                role=by.role,
                action=action,
                object_kind=kind,
                object_id=object_id,
                purpose=purpose,
            )
            for action, object_id in entries
        )

    tenancy.before_commit(write, CHAIN_END)


def broken_links() -> list[int]:
    """Return the numbers of the current site's entries whose hash or predecessor does not fit."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT number FROM (SELECT e.number, e.digest, sites_audit_digest(e) AS expected, e.previous,"
            " lag(e.digest) OVER (ORDER BY e.number) AS before, lag(e.number) OVER (ORDER BY e.number) AS last"
            " FROM sites_auditentry AS e) AS chain"
            " WHERE digest <> expected OR previous <> coalesce(before, '') OR number <> coalesce(last, 0) + 1"
            " ORDER BY number"
        )
        return [row[0] for row in cursor.fetchall()]


def broken_sign_ins() -> list[int]:
    """Return the ids of the sign-in events whose hash or predecessor does not fit."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM (SELECT e.id, e.digest, sites_signin_digest(e) AS expected, e.previous,"
            " lag(e.digest) OVER (ORDER BY e.id) AS before FROM sites_signinevent AS e) AS chain"
            " WHERE digest <> expected OR previous <> coalesce(before, '') ORDER BY id"
        )
        return [row[0] for row in cursor.fetchall()]


def verify() -> list[str]:
    """Check every chain, and note in the log where each ends; return a sentence for each that is broken.

    Logs are kept apart from the database: an end that is not there any more was cut off
    (docs/decisions/0007-ends-of-chains.md).
    """
    broken: dict[str, list[int]] = {}
    for site_id in Site.objects.order_by("pk").values_list("pk", flat=True):
        with tenancy.site_scope(site_id):
            broken[f"audit trail of site {site_id}"] = broken_links()
            end = AuditEntry.objects.order_by("-number").values_list("number", "digest").first()
        if end:
            log.info("audit trail of site %s ends with %s %s", site_id, end[0], end[1].hex())
    broken["chain of sign-ins"] = broken_sign_ins()
    if end := SignInEvent.objects.order_by("-pk").values_list("pk", "digest").first():
        log.info("chain of sign-ins ends with %s %s", end[0], end[1].hex())
    wrong = [f"The {chain} does not fit at {', '.join(map(str, at[:10]))}." for chain, at in broken.items() if at]
    for sentence in wrong:
        log.error(sentence)
    return wrong


# Run after the tables exist, by the first migration of `sites`. The lock makes entries of a site queue;
# `record` writes them last, so the queue is short.
CHAIN_SQL = """
CREATE FUNCTION sites_audit_digest(e sites_auditentry) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(e.previous || convert_to(concat_ws('|', e.site_id, e.number,
        to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), coalesce(e.actor_id, 0), e.role,
        e.action, e.object_kind, coalesce(e.object_id, 0), e.purpose), 'UTF8'))
$$;
CREATE FUNCTION sites_chain_audit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE head record;
BEGIN
    PERFORM pg_advisory_xact_lock(7101, NEW.site_id::int);
    SELECT number, digest INTO head FROM sites_auditentry
        WHERE site_id = NEW.site_id ORDER BY number DESC LIMIT 1;
    NEW.number := coalesce(head.number, 0) + 1;
    NEW.previous := coalesce(head.digest, ''::bytea);
    NEW.digest := sites_audit_digest(NEW);
    RETURN NEW;
END $$;
CREATE TRIGGER chain BEFORE INSERT ON sites_auditentry
    FOR EACH ROW EXECUTE FUNCTION sites_chain_audit();

CREATE FUNCTION sites_signin_digest(e sites_signinevent) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(e.previous || convert_to(concat_ws('|', coalesce(e.user_id, 0), e.kind,
        to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US')), 'UTF8'))
$$;
CREATE FUNCTION sites_chain_signin() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7102, 0);
    -- The column's default was taken before the lock: two writers could stand in the wrong order.
    NEW.id := nextval(pg_get_serial_sequence('sites_signinevent', 'id'));
    NEW.previous := coalesce((SELECT digest FROM sites_signinevent ORDER BY id DESC LIMIT 1), ''::bytea);
    NEW.digest := sites_signin_digest(NEW);
    RETURN NEW;
END $$;
CREATE TRIGGER chain BEFORE INSERT ON sites_signinevent
    FOR EACH ROW EXECUTE FUNCTION sites_chain_signin();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON sites_signinevent
    FOR EACH STATEMENT EXECUTE FUNCTION psi_refuse_change();
"""
