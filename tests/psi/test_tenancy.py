"""Scopes, what is written last in them, and what migrations put around a site's tables, seen in PostgreSQL itself."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection, connections, models, transaction
from django.db.migrations.operations import AddField, CreateModel
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.utils import Error

from psi import locks, tenancy
from psi.tenancy import OutsideScope, SiteForeignKey, SiteModel, Wall, WallReference, site_scope
from tests import people
from tests.people import World
from training.supporters.models import Department

MOMENT = datetime(2027, 3, 10, 12, tzinfo=UTC)


def asked(statement: str, *values: Any, of: Any = connection) -> list[tuple[Any, ...]]:
    with of.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


def setting(name: str) -> str:
    return asked("SELECT current_setting(%s, true)", name)[0][0]


# A scope


def test_outside_a_scope_there_is_no_site(db: None) -> None:
    assert not tenancy.in_scope()
    for question in (tenancy.current, tenancy.current_site_id):
        with pytest.raises(OutsideScope):
            question()
    with pytest.raises(OutsideScope):
        tenancy.before_commit(lambda: None, locks.commit_orders()[0])


def test_a_scope_tells_postgresql_the_site_and_takes_it_back(world: World) -> None:
    with site_scope(world.north.pk) as scope:
        assert (tenancy.current(), tenancy.current_site_id(), tenancy.in_scope()) == (scope, world.north.pk, True)
        assert setting("psi.site_id") == str(world.north.pk)
        assert setting("lock_timeout") == "4s"
        with site_scope(world.south.pk):
            assert (tenancy.current_site_id(), setting("psi.site_id")) == (world.south.pk, str(world.south.pk))
        assert (tenancy.current(), setting("psi.site_id")) == (scope, str(world.north.pk))
    assert (tenancy.in_scope(), setting("psi.site_id")) == (False, "")


def test_a_scope_that_fails_is_closed_as_well(world: World) -> None:
    with pytest.raises(ZeroDivisionError), site_scope(world.north.pk):
        raise ZeroDivisionError
    assert not tenancy.in_scope()


def test_the_clock_is_the_databases_read_once_a_scope(world: World) -> None:
    before = tenancy.now()
    with site_scope(world.north.pk) as scope:
        assert before < scope.now == tenancy.now() == tenancy.now()
        with site_scope(world.south.pk) as inner:
            assert inner.now == scope.now
    assert scope.now < tenancy.now() < tenancy.now()
    assert tenancy.now() - before < timedelta(minutes=5)


def test_another_time_than_the_databases_reaches_the_scopes_inside(world: World) -> None:
    with site_scope(world.north.pk, now=MOMENT):
        with site_scope(world.south.pk):
            assert tenancy.now() == MOMENT
        with site_scope(world.south.pk, now=MOMENT + timedelta(hours=1)):
            assert tenancy.now() == MOMENT + timedelta(hours=1)
        assert tenancy.now() == MOMENT


def test_days_are_told_in_the_time_zone_of_the_site(db: None) -> None:
    for slug, zone, hour in (("west", "America/Regina", 6), ("east", "Asia/Tokyo", 21)):
        with site_scope(people.site(slug, time_zone=zone).pk) as scope:
            assert (scope.zone, tenancy.local(MOMENT).hour) == (zone, hour)
    with site_scope(0) as scope:  # nobody's
        assert (scope.zone, tenancy.local(MOMENT).hour) == ("UTC", 12)


def test_what_others_queue_for_is_written_in_one_order_just_before_the_end(world: World) -> None:
    first, last = locks.commit_orders()[0], locks.commit_orders()[-1]
    written: list[tuple[int, str, bool]] = []

    def leave(order: locks.CommitOrder) -> None:
        def write() -> None:
            site_id = tenancy.current_site_id()
            written.append((site_id, order.name, setting("psi.site_id") == str(site_id)))
            assert tenancy.now() == MOMENT

        tenancy.before_commit(write, order)

    low, high = sorted([world.north.pk, world.south.pk])
    with site_scope(high, now=MOMENT):
        leave(last)
        with site_scope(low):
            leave(last)
            leave(first)
        leave(first)
        assert written == []
    assert written == [
        (low, first.name, True),
        (low, last.name, True),
        (high, first.name, True),
        (high, last.name, True),
    ]


def test_what_a_scope_left_is_not_written_if_it_fails(world: World) -> None:
    order, written = locks.commit_orders()[0], []
    with site_scope(world.north.pk):
        tenancy.before_commit(lambda: written.append("outer"), order)
        with pytest.raises(ZeroDivisionError), site_scope(world.south.pk):
            tenancy.before_commit(lambda: written.append("inner"), order)
            raise ZeroDivisionError
    assert written == ["outer"]


def test_one_at_a_time_at_a_site_is_a_lock_of_postgresql(world: World) -> None:
    lock = locks.advisory_locks()[0]
    with site_scope(world.north.pk):
        tenancy.acquire(lock)
        held = asked("SELECT classid, objid FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
    assert held == [(lock.number, world.north.pk)]


def test_the_next_number_of_a_row_is_known_beforehand(in_north: Any) -> None:
    number = tenancy.next_id(Department)
    assert Department.objects.create(name="Next").pk == number + 1


def test_a_sites_rows_lead_to_their_site_and_are_not_led_to() -> None:
    ours = [model for model in apps.get_models() if issubclass(model, SiteModel)]
    fields: list[Any] = [model._meta.get_field("site") for model in ours]
    assert len(fields) > 20
    for field in fields:
        assert (field.db_index, field.editable, field.remote_field.hidden) == (False, False, True), field.model
        assert (field.default, field.remote_field.on_delete) == (tenancy.current_site_id, models.PROTECT), field.model
    references = [field for model in ours for field in model._meta.local_fields if isinstance(field, SiteForeignKey)]
    assert [field for field in references if field.db_constraint] == []


# What migrations do


@pytest.fixture
def owner_connection(django_db_setup: None, django_db_blocker: Any) -> Iterator[Any]:
    """The connection of the tables' owner, whose changes are taken back."""
    with django_db_blocker.unblock():
        with transaction.atomic(using="owner"):
            yield connections["owner"]
            transaction.set_rollback(True, using="owner")
        connections["owner"].close()


def migrated(on: Any, *operations: Operation) -> None:
    """Apply operations to an app of this test alone, one migration."""
    state = ProjectState()
    CreateModel("Site", [("id", models.BigAutoField(primary_key=True))], {"db_table": "sites_site"}).state_forwards(
        "sites", state
    )
    with on.schema_editor(atomic=False) as editor:
        for operation in operations:
            before = state.clone()
            operation.state_forwards("scratch", state)
            operation.database_forwards("scratch", editor, before, state)


def table(name: str, *references: str) -> CreateModel:
    own = [("id", models.BigAutoField(primary_key=True)), ("site", models.ForeignKey("sites.Site", models.PROTECT))]
    return CreateModel(name, own + [(f"to_{to.lower()}", reference(to)) for to in references])


def reference(to: str) -> SiteForeignKey:
    return SiteForeignKey(f"scratch.{to}", models.PROTECT)


def walls(on: Any, name: str) -> tuple[bool, bool, list[str]]:
    """Return whether a table has row-level security, forces it, and its policies."""
    ((enabled, forced),) = asked(
        "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = %s::regclass", f"scratch_{name}", of=on
    )
    policies = asked(
        "SELECT pg_get_expr(polqual, polrelid) FROM pg_policy WHERE polrelid = %s::regclass", f"scratch_{name}", of=on
    )
    return enabled, forced, [policy for (policy,) in policies]


def references(on: Any, name: str) -> list[str]:
    found = asked(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f' AND conrelid = %s::regclass",
        f"scratch_{name}",
        of=on,
    )
    return sorted(definition for (definition,) in found)


OWN = "(site_id = (current_setting('psi.site_id'::text))::bigint)"
BEHIND = (True, True, [OWN])
OF_SITE = "FOREIGN KEY (site_id) REFERENCES sites_site(id) DEFERRABLE INITIALLY DEFERRED"


def of_row(name: str) -> str:
    return f"FOREIGN KEY (site_id, to_{name}_id) REFERENCES scratch_{name}(site_id, id) DEFERRABLE INITIALLY DEFERRED"


def test_a_wall_forces_one_policy_and_binds_references_to_rows_of_the_same_site(owner_connection: Any) -> None:
    parent, child = table("Parent"), table("Child", "Parent", "Child")
    migrated(owner_connection, parent, Wall("Parent"), child, Wall("Child"))
    assert walls(owner_connection, "parent") == walls(owner_connection, "child") == BEHIND
    assert references(owner_connection, "parent") == [OF_SITE]
    assert references(owner_connection, "child") == [OF_SITE, of_row("child"), of_row("parent")]


def test_a_reference_can_be_added_to_a_wall(owner_connection: Any) -> None:
    added = AddField("Child", "to_parent", reference("Parent"))
    tables = [table("Parent"), Wall("Parent"), table("Child"), Wall("Child")]
    migrated(owner_connection, *tables, added, WallReference("Child", "to_parent"))
    assert walls(owner_connection, "parent") == walls(owner_connection, "child") == BEHIND
    assert references(owner_connection, "child") == [OF_SITE, of_row("parent")]


class Undo(Operation):
    """The way back of an operation, as another."""

    def __init__(self, operation: Operation) -> None:
        self.operation = operation

    def state_forwards(self, app_label: str, state: Any) -> None:
        pass

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        self.operation.database_backwards(app_label, schema_editor, from_state, to_state)


def test_a_wall_is_taken_down_whole_and_a_reference_is_not(owner_connection: Any) -> None:
    migrated(owner_connection, table("Parent"), Wall("Parent"), Undo(Wall("Parent")))
    assert walls(owner_connection, "parent") == (False, False, [])
    assert (Wall("Parent").reversible, WallReference("Child", "to_parent").reversible) == (True, False)
    assert Wall.reduces_to_sql and WallReference.reduces_to_sql  # `sqlmigrate` shows them


def test_rows_of_a_table_that_only_grows_are_neither_changed_nor_removed(owner_connection: Any) -> None:
    migrated(owner_connection, table("Kept"), Wall("Kept", append_only=True), table("Parent"), Wall("Parent"))
    for name, refused in (("kept", True), ("parent", False)):
        for statement in ("UPDATE scratch_{0} SET id = id", "DELETE FROM scratch_{0}"):
            found = False
            try:
                with transaction.atomic(using="owner"), owner_connection.cursor() as cursor:
                    cursor.execute("SET LOCAL psi.site_id = 1")
                    cursor.execute(statement.format(name))
            except Error as error:
                found = "is append-only" in str(error)
            assert (name, statement, found) == (name, statement, refused)


@pytest.mark.parametrize("given", ["vault.key", '"vault"."key"', 'vault."key"'])
def test_names_of_tables_are_quoted_part_by_part(given: str) -> None:
    assert tenancy.quoted(given) == '"vault"."key"'


def rights(on: Any, role: str) -> dict[str, str]:
    """Return table → the first letters of what a role may do with its rows."""
    found = asked(
        "SELECT format('%%s.%%s', schemaname, tablename), (SELECT coalesce(string_agg(left(kind, 1), '' ORDER BY kind), '')"
        " FROM unnest(ARRAY['DELETE', 'INSERT', 'SELECT', 'UPDATE', 'TRUNCATE']) kind"
        " WHERE has_table_privilege(%s, format('%%I.%%I', schemaname, tablename), kind))"
        " FROM pg_tables WHERE schemaname IN ('public', 'vault')",
        role,
        of=on,
    )
    return dict(found)


def test_the_application_reads_and_writes_rows_and_only_adds_to_what_only_grows(owner_connection: Any) -> None:
    role = settings.DATABASES["default"]["USER"]
    with owner_connection.cursor() as cursor:
        for schema in ("public", "vault"):
            for what in ("ALL TABLES IN SCHEMA", "ALL SEQUENCES IN SCHEMA", "SCHEMA"):
                cursor.execute(f"REVOKE ALL ON {what} {schema} FROM {role}")
    assert set(rights(owner_connection, role).values()) == {""}
    tenancy.grant_app_role(owner_connection, role)
    grows = {
        f"{schema}.{name}"
        for schema, name in asked(
            "SELECT nspname, relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
            " JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE tgname = 'append_only'",
            of=owner_connection,
        )
    }
    assert {"public.sites_auditentry", "public.sites_fact"} < grows
    expected = {
        name: "S" if name == "public.django_migrations" else "IS" if name in grows else "DISU"
        for name in rights(owner_connection, role)
    }
    assert rights(owner_connection, role) == expected
    sequences = asked(
        "SELECT bool_and(has_sequence_privilege(%s, oid, 'USAGE, SELECT')) FROM pg_class WHERE relkind = 'S'",
        role,
        of=owner_connection,
    )
    assert sequences == [(True,)]
    assert asked("SELECT has_schema_privilege(%s, 'vault', 'USAGE')", role, of=owner_connection) == [(True,)]


def test_an_owner_that_is_the_application_keeps_its_rights(owner_connection: Any) -> None:
    ((role,),) = asked("SELECT current_user", of=owner_connection)
    before = rights(owner_connection, role)
    tenancy.grant_app_role(owner_connection, role)
    assert rights(owner_connection, role) == before
    assert "U" in before["public.sites_auditentry"]
