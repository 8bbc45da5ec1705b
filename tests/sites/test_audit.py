"""The trail: nobody changes it, nobody writes past it, and it says who looked."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.test import Client

from psi import tenancy
from psi.tenancy import site_scope
from referrals.requests.identity import open_identity
from referrals.requests.models import Referral
from sites.engine import audit
from sites.engine.audit import Actor
from sites.engine.models import AuditEntry, SignInEvent
from sites.gate import sign_in_events
from sites.tenants.models import Site
from tests import line
from tests.people import World

SignIn = Callable[[Any], Client]


def trail(site: Site) -> list[tuple[str, str, str | None]]:
    """Return (action, role, purpose) of the site's entries, in order."""
    with site_scope(site.pk):
        return list(AuditEntry.objects.order_by("number").values_list("action", "role", "purpose"))


def write(site: Site, *actions: str) -> None:
    for action in actions:
        with site_scope(site.pk):
            audit.record(action, "PAGE", 7, by=audit.SYSTEM)


# Nobody changes it


@pytest.mark.parametrize("statement", ["UPDATE {} SET action = 'NOTHING'", "DELETE FROM {}"])
@pytest.mark.parametrize("table", ["sites_auditentry", "sites_signinevent"])
def test_the_application_changes_nothing(world: World, table: str, statement: str) -> None:
    write(world.north, "ONE")
    sign_in_events.record(SignInEvent.Kind.FAILED, None)
    with site_scope(world.north.pk):
        with pytest.raises((ProgrammingError, IntegrityError)), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement.format(table).replace("action", "kind" if "signin" in table else "action"))
        assert AuditEntry.objects.get().action == "ONE"
    assert SignInEvent.objects.count() == 1


@pytest.mark.parametrize("statement", ["UPDATE {} SET {} = 'NOTHING'", "DELETE FROM {}"])
@pytest.mark.parametrize(("table", "column"), [("sites_auditentry", "action"), ("sites_signinevent", "kind")])
def test_the_owner_of_the_table_changes_nothing(
    committed_world: World, owner: Any, table: str, column: str, statement: str
) -> None:
    write(committed_world.north, "ONE")
    sign_in_events.record(SignInEvent.Kind.FAILED, None)
    with owner.cursor() as cursor:
        cursor.execute("SELECT set_config('psi.site_id', %s, false)", [str(committed_world.north.pk)])
        cursor.execute(f"SELECT count(*) FROM {table}")
        assert cursor.fetchone() == (1,)
        with pytest.raises(Exception, match=f"{table} is append-only"):
            cursor.execute(statement.format(table, column))
    assert trail(committed_world.north) == [("ONE", "system", "WORK")]


def test_what_the_writer_says_of_the_chain_does_not_count(in_north: Site) -> None:
    AuditEntry(at=tenancy.now(), role="system", action="A", object_kind="X", number=99, digest=b"mine").save()
    entry = AuditEntry.objects.get()
    assert (entry.number, entry.previous.tobytes(), len(entry.digest)) == (1, b"", 32)
    assert audit.broken_links() == []


def test_another_sites_trail_is_not_written_to(world: World) -> None:
    with pytest.raises(ProgrammingError), site_scope(world.north.pk):
        AuditEntry(site_id=world.south.pk, at=tenancy.now(), role="system", action="A", object_kind="X").save()
    assert trail(world.south) == []


# Each site has its chain


def test_each_site_has_a_chain_of_its_own(world: World) -> None:
    for n in range(3):
        write(world.north, f"N{n}")
        write(world.south, f"S{n}")
    for site, letter in ((world.north, "N"), (world.south, "S")):
        with site_scope(site.pk):
            entries = list(AuditEntry.objects.order_by("number"))
            assert [(e.number, e.action) for e in entries] == [(n + 1, f"{letter}{n}") for n in range(3)]
            assert entries[0].previous.tobytes() == b""
            assert [e.previous.tobytes() for e in entries[1:]] == [e.digest.tobytes() for e in entries[:-1]]
            assert audit.broken_links() == []


@contextmanager
def tampering(owner: Any, site: Site) -> Iterator[Any]:
    """Be an owner who has switched the trigger off; all is taken back at the end."""
    owner.autocommit = False
    try:
        with owner.cursor() as cursor:
            cursor.execute("SELECT set_config('psi.site_id', %s, true)", [str(site.pk)])
            cursor.execute("ALTER TABLE sites_auditentry DISABLE TRIGGER append_only")
            yield cursor
    finally:
        owner.rollback()
        owner.autocommit = True


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE sites_auditentry SET action = 'OTHER' WHERE number = 3", [3]),
        ("UPDATE sites_auditentry SET at = at + interval '1 second' WHERE number = 1", [1]),
        ("UPDATE sites_auditentry SET role = 'lead' WHERE number = 5", [5]),
        ("UPDATE sites_auditentry SET object_id = NULL WHERE number = 2", [2]),
        ("UPDATE sites_auditentry SET purpose = 'OTHER' WHERE number = 2", [2]),
        ("DELETE FROM sites_auditentry WHERE number = 3", [4]),
        ("DELETE FROM sites_auditentry WHERE number = 1", [2]),
        ("UPDATE sites_auditentry AS e SET action = 'OTHER' WHERE number = 3;"
         " UPDATE sites_auditentry AS e SET digest = sites_audit_digest(e) WHERE number = 3", [4]),
        ("UPDATE sites_auditentry SET number = 9 WHERE number = 3;"
         " UPDATE sites_auditentry AS e SET digest = sites_audit_digest(e) WHERE number = 9", [4, 9]),
        ("SELECT 1", []),
    ],
)  # fmt: skip
def test_tampering_is_found(
    committed_world: World, owner: Any, monkeypatch: pytest.MonkeyPatch, statement: str, found: list[int]
) -> None:
    write(committed_world.north, *"ABCDE")
    with tampering(owner, committed_world.north) as cursor:
        cursor.execute(statement)
        with monkeypatch.context() as patched:
            patched.setattr(audit, "connection", Borrowed(cursor))
            assert audit.broken_links() == found
    with site_scope(committed_world.north.pk):
        assert audit.broken_links() == []


class Borrowed:
    """The tampering connection in place of the application's, so that its eyes see what is not committed."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    @contextmanager
    def cursor(self) -> Iterator[Any]:
        yield self._cursor


@pytest.mark.xdist_group("races")
def test_parallel_writers_leave_one_chain_without_gaps(committed_world: World) -> None:
    sites = [committed_world.north, committed_world.north, committed_world.south] * 3

    def writer(number: int) -> Callable[[], None]:
        return lambda: write(sites[number], *[f"W{number}-{n}" for n in range(20)])

    assert line.together(*[writer(n) for n in range(8)]) == [None] * 8
    for site in (committed_world.north, committed_world.south):
        writers = [n for n in range(8) if sites[n] == site]
        with site_scope(site.pk):
            assert audit.broken_links() == []
            entries = list(AuditEntry.objects.order_by("number").values_list("number", "action"))
        assert [number for number, _ in entries] == list(range(1, 20 * len(writers) + 1))
        for n in writers:
            assert [a for _, a in entries if a.startswith(f"W{n}-")] == [f"W{n}-{i}" for i in range(20)]


@pytest.mark.xdist_group("races")
def test_parallel_sign_ins_leave_one_chain(committed_world: World) -> None:
    person = committed_world["north lead"]

    def sign_in() -> None:
        for _ in range(10):
            sign_in_events.record(SignInEvent.Kind.SIGNED_IN, person.pk)

    assert line.together(*[sign_in] * 4) == [None] * 4
    assert (SignInEvent.objects.count(), audit.broken_sign_ins()) == (40, [])


@pytest.mark.expects_error_log
def test_the_nightly_check_finds_what_was_changed_and_says_where_each_chain_ends(
    committed_world: World, owner: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "psi.audit")
    write(committed_world.north, *"ABC")
    for _ in range(3):
        sign_in_events.record(SignInEvent.Kind.FAILED, None)
    call_command("verify_trails")
    (north, chain) = [record.getMessage() for record in caplog.records if record.name == "psi.audit"]
    with site_scope(committed_world.north.pk):
        end = AuditEntry.objects.get(action="C").digest.hex()
    assert north == f"audit trail of site {committed_world.north.pk} ends with 3 {end}"
    last = SignInEvent.objects.latest("pk")
    assert chain == f"chain of sign-ins ends with {last.pk} {last.digest.hex()}"
    with owner.cursor() as cursor:
        cursor.execute("SELECT set_config('psi.site_id', %s, false)", [str(committed_world.north.pk)])
        changes = {
            "auditentry": "action = 'OTHER' WHERE number = 2",
            "signinevent": f"user_id = 1 WHERE id = {last.pk}",
        }
        for table, change in changes.items():
            cursor.execute(f"ALTER TABLE sites_{table} DISABLE TRIGGER append_only")
            cursor.execute(f"UPDATE sites_{table} SET {change}")
            cursor.execute(f"ALTER TABLE sites_{table} ENABLE TRIGGER append_only")
    with pytest.raises(CommandError) as found:
        call_command("verify_trails")
    assert str(found.value) == (
        f"The audit trail of site {committed_world.north.pk} does not fit at 2."
        f" The chain of sign-ins does not fit at {last.pk}."
    )


# It goes with its move


def test_a_move_taken_back_leaves_no_entry(world: World) -> None:
    with pytest.raises(ZeroDivisionError), site_scope(world.north.pk):
        audit.record("LOST", "PAGE", None, by=audit.SYSTEM)
        raise ZeroDivisionError
    with site_scope(world.north.pk):
        audit.record("KEPT", "PAGE", None, by=audit.SYSTEM)
        with pytest.raises(ZeroDivisionError), site_scope(world.north.pk):
            audit.record("LOST", "PAGE", None, by=audit.SYSTEM)
            raise ZeroDivisionError
    assert trail(world.north) == [("KEPT", "system", "WORK")]


def test_every_move_of_the_line_has_its_entry(world: World) -> None:
    line.contacted(world)
    assert [(action, role) for action, role, _ in trail(world.north)] == [
        ("RECEIVED", "public"),
        ("INVITED", "administrator"),
        ("ANSWERED", "supporter"),
        ("CONFIRMED", "administrator"),
        ("CONFIRMED", "administrator"),
        ("CONTACTED", "supporter"),
    ]


# Who looked


def test_opening_an_identity_is_recorded_with_role_and_purpose(world: World, sign_in: SignIn) -> None:
    match = line.confirmed(world, name="Robin Example")
    before = len(trail(world.north))
    ref = line.fresh(match).referral.ref
    administrator = sign_in(world["north administrator"])
    assert "Robin Example" not in administrator.get(f"/north/requests/{ref}/").content.decode()
    assert len(trail(world.north)) == before
    assert "Robin Example" in administrator.post(f"/north/requests/{ref}/").content.decode()
    assert "Robin Example" in sign_in(world["north supporter"]).get(f"/north/my/{ref}/").content.decode()
    assert trail(world.north)[before:] == [
        ("READ_IDENT", "administrator", "WORK"),
        ("READ_IDENT", "supporter", "CONTACT"),
    ]
    with site_scope(world.north.pk):
        entries = AuditEntry.objects.filter(action="READ_IDENT").order_by("number")
        assert [(e.object_kind, e.object_id, e.actor_id) for e in entries] == [
            ("REFERRAL", match.referral_id, world["north administrator"].pk),
            ("REFERRAL", match.referral_id, world["north supporter"].pk),
        ]


def test_an_identity_is_never_opened_without_an_entry(world: World) -> None:
    referral = line.request(world.north)
    with pytest.raises(ZeroDivisionError), site_scope(world.north.pk):
        open_identity(Referral.objects.get(pk=referral.pk), by=audit.SYSTEM, purpose="TEST")
        raise ZeroDivisionError
    assert [action for action, _, _ in trail(world.north)] == ["RECEIVED"]
    with site_scope(world.north.pk):
        open_identity(Referral.objects.get(pk=referral.pk), by=Actor(None, "lead"), purpose="TEST")
    assert trail(world.north)[1:] == [("READ_IDENT", "lead", "TEST")]


def test_denied_attempts_are_recorded_though_nothing_else_is(world: World, sign_in: SignIn) -> None:
    referral = line.request(world.north)
    path = f"/north/requests/{referral.ref}/"
    attempts = (
        ("north supporter", 403, "supporter"),
        ("north lead", 403, "lead"),
        ("south administrator", 404, "stranger"),
        ("coordinator", 404, "stranger"),
        ("stranger", 404, "stranger"),
    )
    for who, status, _ in attempts:
        client = sign_in(world[who])
        assert (who, client.get(path).status_code, client.post(path).status_code) == (who, status, status)
    with site_scope(world.north.pk):
        denied = list(AuditEntry.objects.filter(action="DENIED").order_by("number").values_list("role", "actor_id"))
        assert denied == [(role, world[who].pk) for who, _, role in attempts for _ in range(2)]
        assert not AuditEntry.objects.filter(action="READ_IDENT").exists()
        assert audit.broken_links() == []
    assert trail(world.south) == []


def test_a_visitor_who_is_not_signed_in_leaves_no_entry(world: World, client: Client) -> None:
    assert client.get("/north/today/").status_code == 302
    assert client.get("/north/").status_code == 200
    assert trail(world.north) == []


def test_no_name_or_value_stands_in_the_trail(world: World) -> None:
    line.contacted(world, name="Ottoline Featherby")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'sites_auditentry'"
            " AND (data_type IN ('text', 'json', 'jsonb', 'ARRAY') OR character_maximum_length > 16)"
        )
        assert cursor.fetchall() == []


# What administrators read


def test_the_page_says_what_happened_in_words(world: World, sign_in: SignIn) -> None:
    match = line.fresh(line.contacted(world))
    supporter = sign_in(world["north supporter"])
    supporter.get(f"/north/my/{match.referral.ref}/")
    supporter.get("/north/today/")
    client = sign_in(world["north administrator"])
    read = client.get("/north/settings/audit/").context["lines"]
    mine, theirs = ("Ada North", "Program administrator"), ("Dr Sam North", "Peer supporter")
    ref = match.referral.ref
    assert [((each.who, each.role), each.what, each.purpose, each.ref) for each in read] == [
        (theirs, "Was refused a page", "", ""),
        (theirs, "Opened who asked", "to make contact", ref),
        (theirs, "Made contact", "", ref),
        (mine, "Confirmed the match", "", ref),
        (mine, "The request is matched", "", ref),
        (theirs, "Answered the invitation", "", ref),
        (mine, "Invited a supporter", "", ref),
        (("Someone on the public pages", ""), "A request was received", "", ref),
    ]
