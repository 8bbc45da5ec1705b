"""The vault: who a referral is about, sealed under a key of its own.

A record is one AES-256-GCM blob, stored on its row. Its data key stands in the schema `vault`, wrapped
by a master key from the environment. Both are bound to site, kind and row, so that a blob or a key
moved elsewhere does not open. Destroying the key erases the record, in every backup as well.
"""

import base64
import binascii
import hashlib
import hmac
import json
import os
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from psi.tenancy import current_site_id, wall_sql

NONCE = 12  # bytes, the size NIST SP 800-38D recommends for GCM


class Sealed(Exception):
    """The record cannot be opened: its key was destroyed, or the blob belongs elsewhere."""


def parse_keys(text: str) -> dict[str, bytes]:
    """Read master keys from `name:base64,name:base64`; the first is the one used for sealing.

    Raises:
        ImproperlyConfigured: when there is none, or one is not 32 bytes.
    """
    keys: dict[str, bytes] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, _, encoded = part.partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except binascii.Error as error:
            raise ImproperlyConfigured(f"PSI_VAULT_KEYS: {name!r} is not base64.") from error
        if len(key) != 32 or not name:
            raise ImproperlyConfigured("PSI_VAULT_KEYS: each key is name:base64 of 32 bytes.")
        keys[name] = key
    if not keys:
        raise ImproperlyConfigured("PSI_VAULT_KEYS is missing: the vault has no master key.")
    return keys


@lru_cache(maxsize=4)
def _keys(text: str) -> dict[str, bytes]:
    return parse_keys(text)


def _master() -> tuple[str, dict[str, bytes]]:
    keys = _keys(settings.PSI_VAULT_KEYS)
    return next(iter(keys)), keys


def _bound(kind: str, object_id: int) -> bytes:
    return f"{current_site_id()}|{kind}|{object_id}".encode()


def _encrypt(key: bytes, plain: bytes, bound: bytes) -> bytes:
    nonce = os.urandom(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plain, bound)


def _decrypt(key: bytes, blob: bytes, bound: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(blob[:NONCE], blob[NONCE:], bound)
    except InvalidTag as error:
        raise Sealed("This record does not open here.") from error


def seal(kind: str, object_id: int, record: Mapping[str, Any]) -> bytes:
    """Encrypt `record` for the row (current site, kind, object_id) and keep its new key in the vault.

    Sealing again replaces the key. The caller stores the returned blob on the row.

    Args:
        kind: code of the table, such as `REFERRAL`.
        object_id: primary key of the row, known beforehand (`tenancy.next_id`).
        record: what json can hold.
    """
    bound, key = _bound(kind, object_id), AESGCM.generate_key(bit_length=256)
    name, masters = _master()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO vault.key (site_id, kind, object_id, master, wrapped)"
            " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (site_id, kind, object_id)"
            " DO UPDATE SET master = excluded.master, wrapped = excluded.wrapped",
            [current_site_id(), kind, object_id, name, _encrypt(masters[name], key, bound)],
        )
    return _encrypt(key, json.dumps(record).encode(), bound)


def open_sealed(kind: str, object_id: int, blob: bytes | memoryview) -> dict[str, Any]:
    """Return the record sealed for this row.

    Raises:
        Sealed: the key is gone, or the blob was sealed for another row or site.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT master, wrapped FROM vault.key WHERE kind = %s AND object_id = %s",
            [kind, object_id],
        )
        row = cursor.fetchone()
    if row is None:
        raise Sealed("The key of this record was destroyed.")
    return _open(kind, object_id, bytes(blob), row[0], bytes(row[1]))


def open_many(kind: str, blobs: Mapping[int, bytes | memoryview]) -> dict[int, dict[str, Any]]:
    """Return the records of several rows with one query; rows whose key is gone are left out.

    Args:
        kind: code of the table.
        blobs: object id → blob.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT object_id, master, wrapped FROM vault.key WHERE kind = %s AND object_id = ANY(%s)",
            [kind, list(blobs)],
        )
        rows = cursor.fetchall()
    return {i: _open(kind, i, bytes(blobs[i]), master, bytes(wrapped)) for i, master, wrapped in rows}


def _open(kind: str, object_id: int, blob: bytes, master: str, wrapped: bytes) -> dict[str, Any]:
    masters = _master()[1]
    if master not in masters:
        raise Sealed(f"The master key {master!r} is not among PSI_VAULT_KEYS.")
    bound = _bound(kind, object_id)
    values: dict[str, Any] = json.loads(_decrypt(_decrypt(masters[master], wrapped, bound), blob, bound))
    return values


def shred(kind: str, object_ids: Iterable[int]) -> None:
    """Destroy the keys and blind indexes of these rows: what was sealed under them is gone."""
    ids = list(object_ids)
    with connection.cursor() as cursor:
        for table in ("vault.key", "vault.blind"):
            cursor.execute(f"DELETE FROM {table} WHERE kind = %s AND object_id = ANY(%s)", [kind, ids])


def rewrap() -> int:
    """Wrap the current site's keys anew under the first master key; return how many were changed."""
    name, masters = _master()
    with connection.cursor() as cursor:
        cursor.execute("SELECT kind, object_id, master, wrapped FROM vault.key WHERE master <> %s FOR UPDATE", [name])
        rows = cursor.fetchall()
        for kind, object_id, master, wrapped in rows:
            if master not in masters:
                raise Sealed(f"The master key {master!r} is not among PSI_VAULT_KEYS.")
            bound = _bound(kind, object_id)
            key = _decrypt(masters[master], bytes(wrapped), bound)
            cursor.execute(
                "UPDATE vault.key SET master = %s, wrapped = %s WHERE kind = %s AND object_id = %s",
                [name, _encrypt(masters[name], key, bound), kind, object_id],
            )
    return len(rows)


def digest(purpose: str, *parts: str | int) -> bytes:
    """Return HMAC-SHA-256 of `parts` under a key of its own per purpose (32 bytes).

    The keys come from PSI_INDEX_KEY alone: what is stored is still found after the secret key was changed.
    """
    key = hmac.digest(settings.PSI_INDEX_KEY.encode(), purpose.encode(), hashlib.sha256)
    return hmac.digest(key, "|".join(map(str, parts)).encode(), hashlib.sha256)


def digits(purpose: str, *parts: str | int) -> str:
    """Return sixteen digits as `1234 5678 9012 3456`: a code that is worked out again and never stored."""
    text = f"{int.from_bytes(digest(purpose, *parts)[:16]) % 10**16:016d}"
    return " ".join(text[i : i + 4] for i in range(0, 16, 4))


def blind(name: str, value: str) -> bytes:
    """Return the current site's blind index of a value: it can be compared, never read."""
    site_id = current_site_id()
    return digest("blind", site_id, name, normal(name, value))


def remember(kind: str, object_id: int, values: Mapping[str, str]) -> None:
    """Keep blind indexes of `values` (`email`, `phone`), to know the same person again.

    They stand beside the key and are destroyed with it; empty values leave none.
    """
    known = {name: value for name, value in values.items() if normal(name, value)}
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO vault.blind (site_id, kind, object_id, name, digest)"
            " SELECT %s, %s, %s, unnest(%s::text[]), unnest(%s::bytea[]) ON CONFLICT DO NOTHING",
            [
                current_site_id(),
                kind,
                object_id,
                list(known),
                [blind(name, value) for name, value in known.items()],
            ],
        )


def blinds(kind: str, object_id: int) -> dict[str, bytes]:
    """Return name → blind index kept for this row."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, digest FROM vault.blind WHERE kind = %s AND object_id = %s", [kind, object_id])
        return {name: bytes(value) for name, value in cursor.fetchall()}


def same_person(kind: str, object_id: int) -> list[int]:
    """Return ids of other rows of `kind` in this site that share a blind index with this one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT other.object_id FROM vault.blind AS own JOIN vault.blind AS other"
            " ON other.site_id = own.site_id AND other.kind = own.kind AND other.name = own.name"
            " AND other.digest = own.digest AND other.object_id <> own.object_id"
            " WHERE own.kind = %s AND own.object_id = %s ORDER BY 1",
            [kind, object_id],
        )
        return [row[0] for row in cursor.fetchall()]


def find(kind: str, values: Mapping[str, str]) -> list[int]:
    """Return ids of the current site's rows of `kind` that were remembered with one of `values`, newest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT object_id FROM vault.blind WHERE kind = %s AND (name, digest) IN"
            " (SELECT * FROM unnest(%s::text[], %s::bytea[])) ORDER BY 1 DESC",
            [kind, list(values), [blind(name, value) for name, value in values.items()]],
        )
        return [row[0] for row in cursor.fetchall()]


def normal(name: str, value: str) -> str:
    """Return the form of a value under which two spellings are the same (last ten digits of a phone)."""
    if name == "phone":
        return "".join(filter(str.isdigit, value))[-10:]
    return value.strip().casefold()


# Loaded by the first migration of `sites`: the vault is a schema of its own, so that long-lived
# backups can leave it out.
SCHEMA_SQL = [
    "CREATE SCHEMA IF NOT EXISTS vault",
    """CREATE TABLE vault.key (
        site_id bigint NOT NULL REFERENCES sites_site (id),
        kind text NOT NULL CHECK (kind ~ '^[A-Z0-9_-]{1,12}$'),
        object_id bigint NOT NULL,
        master text NOT NULL,
        wrapped bytea NOT NULL,
        PRIMARY KEY (site_id, kind, object_id)
    )""",
    """CREATE TABLE vault.blind (
        site_id bigint NOT NULL REFERENCES sites_site (id),
        kind text NOT NULL CHECK (kind ~ '^[A-Z0-9_-]{1,12}$'),
        object_id bigint NOT NULL,
        name text NOT NULL CHECK (name IN ('email', 'phone')),
        digest bytea NOT NULL,
        PRIMARY KEY (site_id, kind, object_id, name)
    )""",
    # Serves same_person().
    "CREATE INDEX blind_digest ON vault.blind (site_id, kind, name, digest)",
    *wall_sql("vault.key"),
    *wall_sql("vault.blind"),
]
