"""The wall between sites: PostgreSQL keeps it, this module asks it to.

Every table of a site carries `site_id`, row-level security that is forced on its owner too, and one
policy. A query outside a scope is an error, never an empty page. `site_scope` opens the transaction,
names the site to PostgreSQL and reads the clock; nothing else may.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from django.db import connection, models, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation

from psi.locks import AdvisoryLock, CommitOrder

# Anyone waiting longer for a row than this is better served by "try again" than by silence.
LOCK_TIMEOUT = "4s"

_Set = TypeVar("_Set")
_Get = TypeVar("_Get")


class OutsideScope(RuntimeError):
    """Something asked for the current site where no scope is open."""


@dataclass
class Scope:
    """What `site_scope` knows.

    Attributes:
        site_id: primary key of the site.
        now: the one reading of the clock.
        zone: name of the site's time zone.
        pending: what is written just before the commit: in which scope, at which place, by which function.
    """

    site_id: int
    now: datetime
    zone: str
    pending: list[tuple["Scope", CommitOrder, Callable[[], None]]] = field(default_factory=list)


_scope: ContextVar[Scope | None] = ContextVar("psi_scope", default=None)


def current() -> Scope:
    """Return the open scope; raise `OutsideScope` when there is none."""
    scope = _scope.get()
    if scope is None:
        raise OutsideScope("No site scope is open: wrap this in psi.tenancy.site_scope(site_id).")
    return scope


def current_site_id() -> int:
    """Return the id of the site whose scope is open; raise `OutsideScope` when there is none."""
    return current().site_id


def in_scope() -> bool:
    """Return whether a site's scope is open."""
    return _scope.get() is not None


def now() -> datetime:
    """Return the database's time, read once per scope; outside a scope it is read at each call.

    It is the only clock: servers whose own clocks differ still agree what 72 hours are.
    """
    scope = _scope.get()
    if scope is not None:
        return scope.now
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


@contextmanager
def site_scope(site_id: int, *, now: datetime | None = None) -> Iterator[Scope]:
    """Open a transaction in which PostgreSQL shows the rows of one site and no other.

    Nested scopes (docs/data-protection.md#crossings) are savepoints; the outer site is
    restored afterwards. `now` dates everything done inside with another time than the database's
    (a nested scope inherits it), so that `run_due --at` can show what time will bring.

    Args:
        site_id: primary key of the site; it is not looked up.
        now: an aware time to use in place of the database's clock.
    """
    outer = _scope.get()
    nested = connection.in_atomic_block
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('psi.site_id', %s, true), set_config('lock_timeout', %s, true), clock_timestamp(),"
                " coalesce((SELECT time_zone FROM sites_site WHERE id = %s), 'UTC')",
                [str(int(site_id)), LOCK_TIMEOUT, int(site_id)],
            )
            _, _, clock, zone = cursor.fetchone()
        scope = Scope(int(site_id), now or (outer.now if outer else clock), zone)
        if outer is not None:
            scope.pending = outer.pending
        pending_before = len(scope.pending)
        token = _scope.set(scope)
        try:
            yield scope
            if outer is None:
                _write_pending(scope)
        except BaseException:
            del scope.pending[pending_before:]
            raise
        finally:
            _scope.reset(token)
        if nested:
            # A commit forgets the setting by itself; inside a larger transaction we put it back.
            _set_site(outer.site_id if outer else None)


def _set_site(site_id: int | None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('psi.site_id', %s, true)", ["" if site_id is None else str(site_id)])


def before_commit(write: Callable[[], None], order: CommitOrder) -> None:
    """Run `write` in this scope's site just before the outermost scope commits.

    Rows that others queue for are then locked for the shortest time, and always in the order of site ids and of
    `CommitOrder`, so that two transactions cannot wait for each other (docs/decisions/0002-written-last.md).

    Args:
        write: writes the rows; called without arguments, once.
        order: when, among what else this transaction writes last.

    Raises:
        OutsideScope: no site's scope is open.
    """
    scope = current()
    scope.pending.append((scope, order, write))


def _write_pending(root: Scope) -> None:
    pending, root.pending = sorted(root.pending, key=lambda item: (item[0].site_id, item[1].number)), []
    site_id = root.site_id
    for scope, _order, write in pending:
        if scope.site_id != site_id:
            _set_site(scope.site_id)
            site_id = scope.site_id
        token = _scope.set(Scope(scope.site_id, root.now, scope.zone))
        try:
            write()
        finally:
            _scope.reset(token)
    if site_id != root.site_id:
        _set_site(root.site_id)


def local(moment: datetime) -> datetime:
    """Return a moment in the time of the current site. Days and months are told apart here, never by PostgreSQL.

    Its list of time zones may be of another year than ours.
    """
    return moment.astimezone(ZoneInfo(current().zone))


def acquire(lock: AdvisoryLock) -> None:
    """Wait until no other transaction holds the lock at the current site, and hold it until this one ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [lock.number, current_site_id()])


def next_id(model: type[models.Model]) -> int:
    """Take the next primary key of `model`, for a row whose vault blob is bound to its id."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id'))", [model._meta.db_table])
        key: int = cursor.fetchone()[0]
    return key


class SiteModel(models.Model):
    """A table behind the wall. Its migration ends with `Wall("<Model>")`."""

    site = models.ForeignKey(
        "sites.Site",
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        default=current_site_id,
        editable=False,
    )

    class Meta:
        abstract = True


class SiteForeignKey(models.ForeignKey[_Set, _Get]):
    """A reference to a row of the same site.

    PostgreSQL checks plain foreign keys past the policy, so another site's row would be accepted.
    Django creates no constraint here; `Wall` adds `FOREIGN KEY (site_id, x_id)`.
    """

    def __init__(self, to: Any, on_delete: Any, **kwargs: Any) -> None:
        kwargs["db_constraint"] = False
        super().__init__(to, on_delete, **kwargs)


class Wall(Operation):
    """Migration operation: put a site's table behind the wall.

    Forces row-level security with one policy, adds the composite foreign keys of its
    `SiteForeignKey` fields, and for an append-only table a trigger that refuses UPDATE and DELETE.

    Args:
        model_name: the model of this app.
        append_only: rows may be read and added, never changed or removed.
    """

    reduces_to_sql = True
    reversible = True

    def __init__(self, model_name: str, append_only: bool = False) -> None:
        self.model_name = model_name
        self.append_only = append_only

    def state_forwards(self, app_label: str, state: Any) -> None:
        pass

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        run = schema_editor.execute
        # Constraints queued by CreateModel must stand before the table can be altered.
        for statement in schema_editor.deferred_sql:
            run(statement, None)
        schema_editor.deferred_sql.clear()
        for reference in model._meta.local_fields:
            if isinstance(reference, SiteForeignKey):
                _add_reference(schema_editor, model, reference)
        for statement in wall_sql(model._meta.db_table):
            run(statement)
        if self.append_only:
            for statement in append_only_sql(model._meta.db_table):
                run(statement)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        table = from_state.apps.get_model(app_label, self.model_name)._meta.db_table
        schema_editor.execute(f'DROP POLICY "site" ON "{table}"')
        schema_editor.execute(f'ALTER TABLE "{table}" NO FORCE ROW LEVEL SECURITY')
        schema_editor.execute(f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY')

    def describe(self) -> str:
        return f"Put {self.model_name} behind the wall"


class WallReference(Operation):
    """Migration operation: add the composite foreign key of a `SiteForeignKey` added later."""

    reduces_to_sql = True
    reversible = False

    def __init__(self, model_name: str, name: str) -> None:
        self.model_name = model_name
        self.name = name

    def state_forwards(self, app_label: str, state: Any) -> None:
        pass

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        table = model._meta.db_table
        schema_editor.execute(f'ALTER TABLE "{table}" NO FORCE ROW LEVEL SECURITY')
        _add_reference(schema_editor, model, model._meta.get_field(self.name))
        schema_editor.execute(f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY')

    def describe(self) -> str:
        return f"Bind {self.model_name}.{self.name} to rows of the same site"


def wall_sql(table: str) -> list[str]:
    """Return the statements that put `table` (quoted, with its schema if any) behind the wall.

    The policy has no sub-select on purpose: PostgreSQL then evaluates the setting while planning, and
    a query without a scope fails even where it would have found nothing.
    """
    name = quoted(table)
    return [
        f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY \"site\" ON {name} USING (site_id = current_setting('psi.site_id')::bigint)",
    ]


def append_only_sql(table: str) -> list[str]:
    """Return the statements after which an UPDATE or DELETE on `table` fails for every role."""
    return [
        f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {quoted(table)}"
        " FOR EACH STATEMENT EXECUTE FUNCTION psi_refuse_change()"
    ]


# Loaded by the first migration of `sites`, before any table that needs it.
REFUSE_CHANGE_SQL = """
CREATE FUNCTION psi_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""


def quoted(table: str) -> str:
    """Quote a table name, with or without its schema, for use in SQL."""
    return ".".join(f'"{part}"' for part in table.replace('"', "").split("."))


def _add_reference(schema_editor: BaseDatabaseSchemaEditor, model: Any, reference: Any) -> None:
    table, column = model._meta.db_table, reference.column
    parent = reference.remote_field.model._meta.db_table
    run = schema_editor.execute
    run(f'CREATE UNIQUE INDEX IF NOT EXISTS "{parent}_site_row" ON "{parent}" (site_id, id)')
    # The constraint's first check reads the parent as its owner, whom FORCE would refuse.
    run(f'ALTER TABLE "{parent}" NO FORCE ROW LEVEL SECURITY')
    run(
        f'ALTER TABLE "{table}" ADD CONSTRAINT "{table}_{column}_site_fk"'
        f' FOREIGN KEY (site_id, "{column}") REFERENCES "{parent}" (site_id, id)'
        " DEFERRABLE INITIALLY DEFERRED"
    )
    if parent != table:
        run(f'ALTER TABLE "{parent}" FORCE ROW LEVEL SECURITY')


def grant_app_role(owner: Any, role: str) -> None:
    """Give the application's role its rights on every table, as the owner.

    It may not create, alter or truncate anything; append-only tables it may only read and add to.

    Args:
        owner: the owner's database connection.
        role: name of the role in DATABASE_URL.
    """
    with owner.cursor() as cursor:
        cursor.execute("SELECT current_user")
        if cursor.fetchone()[0] == role:
            return
        name = f'"{role}"'
        for schema in ("public", "vault"):
            cursor.execute(f"GRANT USAGE ON SCHEMA {schema} TO {name}")
            cursor.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {name}")
            cursor.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {name}")
        cursor.execute(f"REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {name}")
        cursor.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
            " JOIN pg_trigger ON tgrelid = format('%I.%I', schemaname, tablename)::regclass"
            " WHERE tgname = 'append_only'"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f"REVOKE UPDATE, DELETE ON {table} FROM {name}")
