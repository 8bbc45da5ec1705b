"""The vault: opens here and nowhere else, goes dark when its key does, and nothing leaks beside it."""

import base64
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

import psycopg2
import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings as django_settings
from django.contrib.sessions.models import Session
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection
from django.test import Client
from redis import Redis

from matching.invitations import transitions
from psi import vault
from psi.tenancy import site_scope
from psi.vault import Sealed
from referrals.requests.identity import open_for_rules
from referrals.requests.models import Referral
from sites.accounts.adapters import MFAAdapter
from sites.engine import agenda
from sites.tenants.models import Site
from tests import line
from tests.people import World
from tracker.figures import rollups

RECORD = {"name": "Robin Example", "wishes": ["WOMAN"], "departments": [3, 4], "avoid_names": "Zoë O’Brien"}


def key_of(name: str) -> str:
    """Return a master key as in PSI_VAULT_KEYS, the same for the same name."""
    return f"{name}:{base64.b64encode(name.encode().ljust(32, b'.')).decode()}"


# Roundtrip, and only here


def test_what_was_sealed_opens(in_north: Site) -> None:
    blob = vault.seal("REFERRAL", 7, RECORD)
    assert vault.open_sealed("REFERRAL", 7, blob) == RECORD
    assert vault.open_sealed("REFERRAL", 7, memoryview(blob)) == RECORD
    assert b"Robin" not in blob


def test_two_seals_of_the_same_have_nothing_in_common(in_north: Site) -> None:
    one, two = vault.seal("REFERRAL", 7, RECORD), vault.seal("REFERRAL", 8, RECORD)
    assert len(one) == len(two)
    assert one[: vault.NONCE] != two[: vault.NONCE]
    assert sum(a == b for a, b in zip(one, two, strict=True)) < len(one) / 4


def test_sealing_again_replaces_the_key(in_north: Site) -> None:
    old = vault.seal("REFERRAL", 7, RECORD)
    new = vault.seal("REFERRAL", 7, {"name": "Other"})
    assert vault.open_sealed("REFERRAL", 7, new) == {"name": "Other"}
    with pytest.raises(Sealed):
        vault.open_sealed("REFERRAL", 7, old)


@pytest.mark.parametrize(("kind", "number"), [("REFERRAL", 8), ("INVITATION", 7)])
@pytest.mark.parametrize("with_key", [False, True], ids=["blob alone", "key moved too"])
def test_a_blob_moved_within_the_site_does_not_open(in_north: Site, kind: str, number: int, with_key: bool) -> None:
    blob = vault.seal("REFERRAL", 7, RECORD)
    if with_key:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE vault.key SET kind = %s, object_id = %s", [kind, number])
            assert cursor.rowcount == 1
    else:
        vault.seal(kind, number, {"name": "Other"})
    with pytest.raises(Sealed):
        vault.open_sealed(kind, number, blob)
    with pytest.raises(Sealed):
        vault.open_many(kind, {number: blob})


@pytest.mark.parametrize("with_key", [False, True], ids=["blob alone", "key moved too"])
def test_a_blob_moved_to_another_site_does_not_open(world: World, with_key: bool) -> None:
    with site_scope(world.north.pk):
        blob = vault.seal("REFERRAL", 7, RECORD)
        with connection.cursor() as cursor:
            cursor.execute("SELECT master, wrapped FROM vault.key")
            master, wrapped = cursor.fetchone()
    with site_scope(world.south.pk):
        if with_key:
            with connection.cursor() as cursor:
                cursor.execute(
                    "INSERT INTO vault.key (site_id, kind, object_id, master, wrapped) VALUES (%s, 'REFERRAL', 7, %s, %s)",
                    [world.south.pk, master, wrapped],
                )
        else:
            vault.seal("REFERRAL", 7, {"name": "Other"})
        with pytest.raises(Sealed):
            vault.open_sealed("REFERRAL", 7, blob)


def test_one_changed_bit_and_it_does_not_open(in_north: Site) -> None:
    blob = vault.seal("REFERRAL", 7, RECORD)
    for place in (0, vault.NONCE, len(blob) - 1):
        changed = bytearray(blob)
        changed[place] ^= 1
        with pytest.raises(Sealed, match="does not open here"):
            vault.open_sealed("REFERRAL", 7, bytes(changed))


def test_several_open_with_one_query(in_north: Site, django_assert_num_queries: Any) -> None:
    blobs = {n: vault.seal("REFERRAL", n, {"name": str(n)}) for n in range(1, 4)}
    vault.shred("REFERRAL", [2])
    with django_assert_num_queries(1):
        assert vault.open_many("REFERRAL", blobs) == {1: {"name": "1"}, 3: {"name": "3"}}


# Erasing


def test_shredding_makes_it_unreadable_and_forgets_the_person(in_north: Site) -> None:
    for number in (7, 8):
        blob = vault.seal("REFERRAL", number, RECORD)
        vault.remember("REFERRAL", number, {"email": "robin@example.ca", "phone": "604 555 0100"})
    assert vault.same_person("REFERRAL", 7) == [8]
    vault.shred("REFERRAL", [8])
    assert vault.same_person("REFERRAL", 7) == []
    assert vault.blinds("REFERRAL", 8) == {}
    assert set(vault.blinds("REFERRAL", 7)) == {"email", "phone"}
    with pytest.raises(Sealed, match="was destroyed"):
        vault.open_sealed("REFERRAL", 8, blob)


def test_a_referral_whose_key_is_gone_is_sealed_for_all(world: World) -> None:
    referral = line.request(world.north, email="robin@example.ca")
    with site_scope(world.north.pk):
        assert open_for_rules(referral).email == "robin@example.ca"
        vault.shred(Referral.KIND, [referral.pk])
        with pytest.raises(Sealed):
            open_for_rules(Referral.objects.get(pk=referral.pk))
        with connection.cursor() as cursor:
            cursor.execute("SELECT (SELECT count(*) FROM vault.key), (SELECT count(*) FROM vault.blind)")
            assert cursor.fetchone() == (0, 0)


# Blind indexes


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("email", "Robin@Example.ca ", "robin@example.ca"),
        ("phone", "(604) 555-0100", "604.555.0100"),
        ("phone", "+1 604 555 0100", "604 555 0100"),
    ],
)
def test_two_spellings_are_one_person(in_north: Site, name: str, one: str, other: str) -> None:
    assert vault.blind(name, one) == vault.blind(name, other)
    assert vault.blind(name, one) != vault.blind(name, "someone else 1")


def test_a_blind_index_cannot_be_compared_across_sites_or_names(world: World) -> None:
    seen = set()
    for site in (world.north, world.south):
        with site_scope(site.pk):
            seen |= {vault.blind("email", "6045550100"), vault.blind("phone", "6045550100")}
    assert len(seen) == 4


def test_nothing_is_remembered_of_nothing(in_north: Site) -> None:
    vault.remember("REFERRAL", 7, {"email": "", "phone": "  "})
    vault.remember("REFERRAL", 8, {"email": " ", "phone": ""})
    assert vault.blinds("REFERRAL", 7) == {}
    assert vault.same_person("REFERRAL", 7) == []


# Master keys


def test_master_keys_change_without_a_pause(world: World, settings: Any) -> None:
    settings.PSI_VAULT_KEYS = key_of("old")
    blobs = {}
    for site in (world.north, world.south):
        with site_scope(site.pk):
            blobs[site.pk] = [vault.seal("REFERRAL", n, RECORD | {"n": n}) for n in (1, 2)]
    secret = MFAAdapter().encrypt("JBSWY3DPEHPK3PXP")
    factor = Authenticator.objects.create(user=world["north lead"], type="totp", data={"secret": secret})
    settings.PSI_VAULT_KEYS = f"{key_of('new')},{key_of('old')}"
    with site_scope(world.north.pk):
        assert vault.open_sealed("REFERRAL", 1, blobs[world.north.pk][0])["n"] == 1
        blobs[world.north.pk].append(vault.seal("REFERRAL", 3, RECORD | {"n": 3}))
    out = StringIO()
    call_command("rewrap_vault", stdout=out)
    assert out.getvalue() == "4 keys wrapped anew, 1 secrets of authenticators sealed anew.\n"
    again = StringIO()
    call_command("rewrap_vault", stdout=again)
    assert again.getvalue() == "0 keys wrapped anew, 0 secrets of authenticators sealed anew.\n"
    settings.PSI_VAULT_KEYS = key_of("new")
    for site in (world.north, world.south):
        with site_scope(site.pk):
            for n, blob in enumerate(blobs[site.pk], start=1):
                assert vault.open_sealed("REFERRAL", n, blob)["n"] == n
    factor.refresh_from_db()
    assert MFAAdapter().decrypt(factor.data["secret"]) == "JBSWY3DPEHPK3PXP"


def test_a_master_key_that_is_missing_is_named(in_north: Site, settings: Any) -> None:
    settings.PSI_VAULT_KEYS = key_of("old")
    blob = vault.seal("REFERRAL", 7, RECORD)
    settings.PSI_VAULT_KEYS = key_of("new")
    with pytest.raises(Sealed, match="The master key 'old' is not among PSI_VAULT_KEYS"):
        vault.open_sealed("REFERRAL", 7, blob)
    with pytest.raises(Sealed, match="The master key 'old' is not among PSI_VAULT_KEYS"):
        vault.rewrap()


def test_a_wrong_key_under_the_right_name_does_not_open(in_north: Site, settings: Any) -> None:
    settings.PSI_VAULT_KEYS = key_of("old")
    blob = vault.seal("REFERRAL", 7, RECORD)
    settings.PSI_VAULT_KEYS = f"old:{key_of('new').partition(':')[2]}"
    with pytest.raises(Sealed, match="does not open here"):
        vault.open_sealed("REFERRAL", 7, blob)


@pytest.mark.parametrize("text", ["", " , ", "a:c2hvcnQ=", "a:***", "nothing", ":" + "A" * 43 + "="])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="PSI_VAULT_KEYS"):
        vault.parse_keys(text)


# A backup without the vault


def superuser(name: str) -> Any:
    """A connection of the embedded server's superuser, who stands outside the wall."""
    database = django_settings.DATABASES["default"]
    made = psycopg2.connect(dbname=name, user="postgres", host=database["HOST"], port=database["PORT"] or None)
    made.autocommit = True
    return made


@contextmanager
def restored(without_vault: bool) -> Iterator[Any]:
    """Dump the database as the backup role does, and restore it into a new one; yields a connection to that."""
    database = django_settings.DATABASES["default"]
    name = f"{database['NAME']}_restored"
    left_out = ["--exclude-schema=vault"] if without_vault else []
    dump = ["pg_dump", "-h", database["HOST"], "-U", "psi_backup", "-d", database["NAME"], "--no-owner", "--no-acl"]
    dumped = subprocess.run([*dump, *left_out], capture_output=True, text=True, check=True)
    maker = superuser("postgres")
    with maker.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{name}"')
    try:
        load = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", database["HOST"], "-U", "postgres", "-d", name]
        subprocess.run(load, input=dumped.stdout, text=True, check=True, capture_output=True)
        copy = superuser(name)
        yield copy
        copy.close()
    finally:
        with maker.cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        maker.close()


@pytest.mark.xdist_group("backup")
def test_a_backup_without_the_vault_counts_and_knows_nobody(committed_world: World, settings: Any) -> None:
    world = committed_world
    line.contacted(world, name="Ottoline Featherby", email="ottoline@example.ca")
    line.request(world.south)
    agenda.sweep()
    with site_scope(world.north.pk):
        referral = Referral.objects.get()
        assert open_for_rules(referral).name == "Ottoline Featherby"
        assert rollups.differences() == []
    with restored(without_vault=True) as copy, copy.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM referrals_referral")
        assert cursor.fetchone() == (2,)
        cursor.execute("SELECT count(*) FROM sites_fact")
        facts = cursor.fetchone()[0]
        cursor.execute("SELECT sum(count) FROM tracker_rollup")
        assert cursor.fetchone()[0] == facts > 5
        cursor.execute("SELECT sum(count) FROM tracker_rollup WHERE measure = 'REQUEST'")
        assert cursor.fetchone() == (2,)
        cursor.execute("SELECT to_regclass('vault.key'), to_regclass('vault.blind')")
        assert cursor.fetchone() == (None, None)
        cursor.execute("SELECT sealed FROM referrals_referral WHERE site_id = %s", [world.north.pk])
        blob = bytes(cursor.fetchone()[0])
        # Every byte string of the copy, tried as a key: none of them opens it.
        tried = list(possible_keys(cursor))
    assert blob == referral.sealed.tobytes()
    assert len(tried) > 10
    bound = f"{world.north.pk}|REFERRAL|{referral.pk}".encode()
    for key in [*tried, *vault.parse_keys(settings.PSI_VAULT_KEYS).values()]:
        with pytest.raises(Sealed):
            vault._decrypt(key, blob, bound)


def possible_keys(cursor: Any) -> Iterator[bytes]:
    """Yield every 32 bytes that stand in a bytea column of the public schema."""
    cursor.execute(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE data_type = 'bytea' AND table_schema = 'public'"
    )
    for table, column in cursor.fetchall():
        cursor.execute(f'SELECT "{column}" FROM "{table}" WHERE "{column}" IS NOT NULL')
        for (value,) in cursor.fetchall():
            raw = bytes(value)
            yield from {raw[i : i + 32] for i in (0, vault.NONCE, len(raw) - 32) if len(raw[i : i + 32]) == 32}


@pytest.mark.xdist_group("backup")
def test_a_backup_with_the_vault_opens_with_the_master_key(committed_world: World, settings: Any) -> None:
    """The counterpart: what is missing above is the vault, and nothing else."""
    line.request(committed_world.north, name="Ottoline Featherby")
    with restored(without_vault=False) as copy, copy.cursor() as cursor:
        cursor.execute("SELECT id, sealed, master, wrapped FROM referrals_referral JOIN vault.key ON object_id = id")
        number, blob, master, wrapped = cursor.fetchone()
    bound = f"{committed_world.north.pk}|REFERRAL|{number}".encode()
    key = vault._decrypt(vault.parse_keys(settings.PSI_VAULT_KEYS)[master], bytes(wrapped), bound)
    assert b"Ottoline Featherby" in vault._decrypt(key, bytes(blob), bound)


# Canaries: what was typed stands nowhere else

CANARIES = {
    "name": "Quizzaciously Vexed",
    "phone": "604 739 2846",
    "email": "zymurgy@kerfuffle.example.ca",
    "best_time": "before the kookaburra sings",
    "avoid_names": "Dr Bumfuzzle",
}
WORDS = ("quizzaciously", "vexed", "7392846", "739 2846", "zymurgy", "kerfuffle", "kookaburra", "bumfuzzle")


def columns_that_say(cursor: Any, site_ids: list[int]) -> set[str]:
    """Return every column of every table and schema in which one of the words stands, bytes included."""
    cursor.execute(
        "SELECT table_schema, table_name, column_name FROM information_schema.columns"
        " JOIN information_schema.tables USING (table_schema, table_name)"
        " WHERE table_type = 'BASE TABLE' AND table_schema IN ('public', 'vault')"
    )
    columns = cursor.fetchall()
    assert ("public", "referrals_referral", "sealed") in columns
    as_bytes = [word.encode().hex() for value in CANARIES.values() for word in value.split() if len(word) > 4]
    pattern = "|".join([*WORDS, *as_bytes])
    found = set()
    for site_id in site_ids:
        cursor.execute("SELECT set_config('psi.site_id', %s, false)", [str(site_id)])
        for schema, table, column in columns:
            cursor.execute(f'SELECT count(*) FROM "{schema}"."{table}" WHERE "{column}"::text ~* %s', [pattern])
            if cursor.fetchone()[0]:
                found.add(f"{schema}.{table}.{column}")
    return found


@pytest.mark.xdist_group("backup")
def test_what_was_typed_stands_in_no_column_log_mail_or_message(
    committed_world: World, owner: Any, caplog: pytest.LogCaptureFixture, mailoutbox: Any
) -> None:
    world = committed_world
    caplog.set_level("DEBUG")
    caplog.handler.setLevel("DEBUG")
    broker = Redis.from_url(django_settings.PSI_REDIS_URL)
    client = Client()
    said = (
        CANARIES | {"peer_from": "HERE", "reasons": ["BURNOUT"], "agree_match": "on"} | line.opened("/north/request/")
    )
    assert client.post("/north/request/", said | {"phone": "7392846x!"}).status_code == 422
    answer = client.post("/north/request/", said)
    assert answer.status_code == 302
    outside = client.post("/north/request/", said | {"peer_from": "OUTSIDE"} | line.opened("/north/request/"))
    assert outside.status_code == 302
    with site_scope(world.north.pk):
        referral = Referral.objects.get()
        assert open_for_rules(referral).name == CANARIES["name"]
        match = transitions.invite(referral.pk, world.supporters["north"].pk, by=line.administrator(world))
    agenda.sweep()
    for verb, by in (("accept", line.helper), ("confirm", line.administrator)):
        with site_scope(world.north.pk):
            getattr(transitions, verb)(match.pk, by=by(world))
        agenda.sweep()
    assert len(mailoutbox) == 5
    sites = list(Site.objects.values_list("pk", flat=True))
    with owner.cursor() as cursor:
        assert columns_that_say(cursor, sites) == set()
        # That the search would find it: the same words where they must not stand.
        cursor.execute("UPDATE sites_profile SET name = 'Mrs Kerfuffle'")
        assert columns_that_say(cursor, sites) == {"public.sites_profile.name"}
    texts = {
        "log": "\n".join(r.getMessage() + str(r.exc_info) for r in caplog.records),
        "mail": "\n".join(str(mail.message()) for mail in mailoutbox),
        "broker": "\n".join(repr(broker.dump(key)) + repr(key) for key in broker.scan_iter()),
        "cookie and address": repr(answer.headers) + repr(client.cookies),
        "session": repr([session.get_decoded() for session in Session.objects.all()]),
    }
    assert {where: [w for w in WORDS if w in text.lower()] for where, text in texts.items()} == {
        where: [] for where in texts
    }
    assert "sites.tasks.tick" in "\n".join(map(str, broker.lrange("celery", 0, -1))), "no message to look at"
