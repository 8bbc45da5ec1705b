"""The audit trail: who did or saw what, by codes and ids, in a hash chain the database keeps itself."""

from dataclasses import dataclass

from django.db import connection

from psi import tenancy
from sites.models import AuditEntry


@dataclass(frozen=True)
class Actor:
    """Who makes a move: an account in one of its roles, the public, or the system itself."""

    user_id: int | None
    role: str


SYSTEM = Actor(None, "system")
PUBLIC = Actor(None, "public")


def record(action: str, kind: str, object_id: int | None, *, by: Actor, purpose: str = "WORK") -> None:
    """Add an entry to the current site's chain, just before the transaction commits.

    Args:
        action: code of the move, or `READ_IDENT` when identity was opened, `DENIED` when refused.
        kind: code of the object, such as `REFERRAL`.
        object_id: its primary key, if it has one.
        by: who did it.
        purpose: code of why, where it is more than the work itself.
    """
    at = tenancy.now()

    def write() -> None:
        AuditEntry(
            at=at,
            actor_id=by.user_id,
            role=by.role,
            action=action,
            object_kind=kind,
            object_id=object_id,
            purpose=purpose,
        ).save(force_insert=True)

    tenancy.write_last(write)


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
