"""The wall, read from PostgreSQL's own catalogue and tried with SQL."""

import pytest
from django.apps import apps
from django.db import DataError, IntegrityError, OperationalError, ProgrammingError, connection, transaction
from django.db.models import ManyToManyField

from psi import tenancy
from psi.tenancy import OutsideScope, SiteModel, site_scope
from referrals.requests.models import FormKey
from sites.engine import agenda
from sites.tenants.models import Profile
from tests.people import World
from training.supporters.models import Department, Evaluates

# Outside the wall, by name; each with its reason in docs/data-protection.md#row-level-security.
UNWALLED = {
    "sites.User",
    "sites.Site",
    "sites.Membership",
    "sites.Due",
    "sites.SignInEvent",
    "sites.CrisisLine",
    "sites.Link",
    "sites.Rate",
    "training.CalendarFeed",
    "training.CertificateCode",
    "sites.Specialty",
    "sites.TextVersion",
    "sites.ProvinceSetting",
    "training.SupporterLoad",
    "account.EmailAddress",
    "account.EmailConfirmation",
    "mfa.Authenticator",
    "auth.Permission",
    "auth.Group",
    "contenttypes.ContentType",
    "sessions.Session",
}
# Rows with a site_id that the province-wide machinery must find without a scope.
UNWALLED_TABLES = {"public.sites_membership", "public.sites_due"}
# Django's own, empty here: auth groups are not used for roles.
AUTOMATIC = {"auth_group_permissions"}
NO_SCOPE = (DataError, ProgrammingError, OperationalError)


def walled_tables() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_schema || '.' || table_name FROM information_schema.columns"
            " JOIN information_schema.tables USING (table_schema, table_name)"
            " WHERE column_name = 'site_id' AND table_type = 'BASE TABLE' ORDER BY 1"
        )
        return [name for (name,) in cursor.fetchall() if name not in UNWALLED_TABLES]


def test_every_table_of_a_site_is_behind_the_wall(db: None) -> None:
    tables = walled_tables()
    assert {"public.referrals_referral", "vault.key"} <= set(tables)
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(
                "SELECT relrowsecurity, relforcerowsecurity, (SELECT array_agg(pg_get_expr(polqual, polrelid))"
                " FROM pg_policy WHERE polrelid = pg_class.oid), (SELECT count(*) FROM pg_policy"
                " WHERE polrelid = pg_class.oid AND polcmd = '*' AND polpermissive AND polroles = '{0}')"
                " FROM pg_class WHERE oid = %s::regclass",
                [table],
            )
            enabled, forced, using, count = cursor.fetchone()
            assert (table, enabled, forced, count) == (table, True, True, 1)
            assert using == ["(site_id = (current_setting('psi.site_id'::text))::bigint)"], table


def test_every_model_is_a_sites_or_named(db: None) -> None:
    labels = {m._meta.label for m in apps.get_models() if not issubclass(m, SiteModel)}
    assert labels == UNWALLED


def test_no_automatic_many_to_many_tables(db: None) -> None:
    ours = [m for m in apps.get_models() if m._meta.app_label not in {"auth", "account", "mfa"}]
    assert [m for m in ours for f in m._meta.get_fields() if isinstance(f, ManyToManyField)] == []
    assert {m._meta.db_table for m in apps.get_models(include_auto_created=True) if m._meta.auto_created} == AUTOMATIC


def test_references_between_walled_tables_carry_the_site(db: None) -> None:
    tables = walled_tables()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text, confrelid::regclass::text, conname, (SELECT array_agg(attname::text)"
            " FROM pg_attribute WHERE attrelid = conrelid AND attnum = ANY(conkey))"
            " FROM pg_constraint WHERE contype = 'f'"
        )
        rows = cursor.fetchall()
    names = {table.removeprefix("public.") for table in tables}
    between = [(name, cols) for child, parent, name, cols in rows if child in names and parent in names]
    assert len(between) == sum(
        isinstance(field, tenancy.SiteForeignKey) for model in apps.get_models() for field in model._meta.local_fields
    )
    assert [name for name, columns in between if "site_id" not in columns] == []


def test_unique_constraints_of_walled_tables_start_with_the_site(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexrelid::regclass::text, (SELECT attname FROM pg_attribute WHERE attrelid = indrelid"
            " AND attnum = indkey[0]) FROM pg_index WHERE indisunique AND NOT indisprimary"
            " AND indrelid = ANY(%s::regclass[])",
            [walled_tables()],
        )
        assert [name for name, first in cursor.fetchall() if first != "site_id"] == []


@pytest.mark.parametrize("analysed", [False, True])
def test_without_a_scope_every_query_is_an_error(committed_world: World, owner: object, analysed: bool) -> None:
    if analysed:
        with owner.cursor() as cursor:  # type: ignore[attr-defined]
            cursor.execute("ANALYZE")
    questions = (
        "SELECT * FROM {0}",
        "SELECT count(*) FROM {0}",
        "SELECT 1 FROM {0} WHERE site_id = -1",
        "SELECT EXISTS (SELECT 1 FROM {0})",
        "SELECT 1 FROM {0} LIMIT 0",
        "DELETE FROM {0} WHERE site_id = -1",
    )
    for table in walled_tables():
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_attribute WHERE attrelid = %s::regclass AND attname = 'id'", [table])
            own = ["SELECT 1 FROM {0} WHERE id = -1"] if cursor.fetchone() else []
        for question in [*questions, *own]:
            with pytest.raises(NO_SCOPE), connection.cursor() as cursor:
                cursor.execute(question.format(table))
    # After a scope the setting reads back as an empty string, not as missing: an error all the same.
    with site_scope(committed_world.north.pk):
        assert Profile.objects.count() == 3
    for table in walled_tables():
        with pytest.raises(NO_SCOPE), connection.cursor() as cursor:
            cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {table})")


def test_a_scope_shows_its_own_rows_alone(world: World) -> None:
    with site_scope(world.north.pk):
        assert set(Profile.objects.values_list("site_id", flat=True)) == {world.north.pk}
        assert not Profile.objects.filter(site_id=world.south.pk).exists()
        with site_scope(world.south.pk):
            assert set(Profile.objects.values_list("site_id", flat=True)) == {world.south.pk}
        assert set(Profile.objects.values_list("site_id", flat=True)) == {world.north.pk}
    with pytest.raises(NO_SCOPE), transaction.atomic():
        Profile.objects.count()
    with pytest.raises(OutsideScope):
        tenancy.current_site_id()


def test_another_sites_row_can_be_neither_written_nor_changed(world: World) -> None:
    with site_scope(world.south.pk):
        theirs = Profile.objects.get(user=world["south lead"])
    with site_scope(world.north.pk):
        with pytest.raises(ProgrammingError), transaction.atomic():
            Profile.objects.create(site_id=world.south.pk, user=world["stranger"], name="X")
        assert Profile.objects.filter(pk=theirs.pk).update(name="X") == 0
        assert Profile.objects.filter(pk=theirs.pk).delete()[0] == 0
        mine = Profile.objects.get(user=world["north lead"])
        with pytest.raises(ProgrammingError), transaction.atomic():
            Profile.objects.filter(pk=mine.pk).update(site_id=world.south.pk)


def test_a_reference_to_another_sites_row_is_refused(world: World) -> None:
    with site_scope(world.south.pk):
        theirs = Department.objects.create(name="Theirs")
    with pytest.raises(IntegrityError), site_scope(world.north.pk):
        Evaluates.objects.create(supporter=world.supporters["north"], department_id=theirs.pk)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_an_exception_takes_back_everything_and_the_outer_scope_goes_on(world: World) -> None:
    with site_scope(world.north.pk):
        with pytest.raises(ZeroDivisionError), site_scope(world.south.pk):
            Department.objects.create(name="Lost")
            raise ZeroDivisionError
        assert tenancy.current_site_id() == world.north.pk
        Department.objects.create(name="Kept")
        assert list(Department.objects.values_list("name", flat=True)) == ["Kept"]
    with site_scope(world.south.pk):
        assert not Department.objects.exists()


def test_what_is_written_last_goes_to_its_own_site(world: World) -> None:
    def write() -> None:
        Department.objects.create(name=f"of {tenancy.current_site_id()}")

    with site_scope(world.south.pk):
        tenancy.before_commit(write, agenda.SINGLETON_DUE)
        with site_scope(world.north.pk):
            tenancy.before_commit(write, agenda.SINGLETON_DUE)
        assert not Department.objects.exists()
    for site in (world.north, world.south):
        with site_scope(site.pk):
            assert list(Department.objects.values_list("name", flat=True)) == [f"of {site.pk}"]


def test_a_pooled_connection_never_keeps_a_scope(committed_world: World) -> None:
    for site in (committed_world.north, committed_world.south):
        with pytest.raises(ZeroDivisionError), site_scope(site.pk):
            raise ZeroDivisionError
        with pytest.raises(NO_SCOPE):
            FormKey.objects.exists()


def test_the_application_may_neither_define_nor_truncate(db: None) -> None:
    for statement in (
        "CREATE TABLE intruder (id int)",
        "TRUNCATE sites_auditentry",
        "ALTER TABLE sites_profile DISABLE ROW LEVEL SECURITY",
        "DROP POLICY site ON sites_profile",
        "SET ROLE postgres",
        "UPDATE django_migrations SET app = ''",
    ):
        with pytest.raises((ProgrammingError, OperationalError)), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_columns_that_reach_a_referral_hold_codes_only(db: None) -> None:
    """Free text exists in the vault alone; every other character column admits only codes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH RECURSIVE reach AS (SELECT 'referrals_referral'::regclass::oid AS t UNION"
            " SELECT conrelid FROM pg_constraint JOIN reach ON confrelid = t WHERE contype = 'f')"
            " SELECT t::regclass::text, attname, format_type(atttypid, NULL), EXISTS (SELECT 1 FROM pg_constraint"
            " WHERE conrelid = t AND contype = 'c' AND conkey = ARRAY[attnum] AND (pg_get_constraintdef(oid) ~ 'ANY'"
            " OR pg_get_constraintdef(oid) ~ '~ ''\\^\\[A-Z0-9_-\\]\\{1,12\\}\\$''')),"
            " EXISTS (SELECT 1 FROM pg_constraint WHERE conrelid = t AND contype = 'f' AND attnum = ANY(conkey))"
            " FROM reach JOIN pg_attribute ON attrelid = t WHERE attnum > 0 AND NOT attisdropped"
        )
        rows = cursor.fetchall()
    assert {table for table, *_ in rows} >= {"matching_match", "tracker_interaction", "referrals_referralconsent"}
    text = [
        (table, column)
        for table, column, kind, checked, reference in rows
        if (kind.startswith("character") or kind in {"text", "json", "jsonb"} or kind.endswith("[]"))
        and not checked
        and not reference
    ]
    assert text == []
