"""Real PostgreSQL, one database per test process, migrated by the owner and used by the application's role."""

import logging
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from typing import Any

import psycopg2
import pytest
from django.conf import settings
from django.db import connections
from django.test import Client
from xdist.scheduler import LoadScopeScheduling

from psi.tenancy import site_scope
from tests import databases
from tests import people as cast
from tests.house import chrome, collected, demo_house, house, person  # noqa: F401  fixtures of the browser tests

# Tests of these files stay in one process, for they share what is slow to start; the first that fits counts.
# The long ones come first, so that short ones are left to share out at the end.
TOGETHER = (
    ("tests/test_accessibility.py", "tests/journeys/test_recruitment.py"),
    ("tests/journeys/test_sign_in.py",),
    ("tests/journeys/",),
    ("tests/test_local.py",),
    ("tests/test_workers.py",),
    ("tests/psi/test_startup.py",),
    ("tests/demo/test_seed.py",),
)
# Reference data stays between tests; everything else is emptied after a test that commits.
KEPT = {
    "django_migrations",
    "django_content_type",
    "auth_permission",
    "sites_site",
    "sites_crisisline",
    "sites_specialty",
    "sites_textversion",
    "sites_rate",
}


class ByHouse(LoadScopeScheduling):
    """Tests of files that belong together stay together; all others are spread.

    What `--dist loadgroup` is for, which with pytest 9.2 and xdist 3.8 quietly groups nothing.
    """

    def _split_scope(self, nodeid: str) -> str:
        place = _place(nodeid)
        return nodeid if place == len(TOGETHER) else f"together {place}"


def _place(nodeid: str) -> int:
    """Return which of `TOGETHER` a test belongs to; their number when it belongs to none."""
    return next((place for place, files in enumerate(TOGETHER) if nodeid.startswith(files)), len(TOGETHER))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    config.option.loadscopereorder = False  # the order is ours
    return ByHouse(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _place(item.nodeid))


@pytest.fixture(scope="session", autouse=True)
def static_files(django_test_environment: None) -> None:
    """Collect the style sheets under the names pages know them by."""
    collected()


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: Any) -> Iterator[None]:
    """Give this process its own database as the owner; the tests then work as the application's role."""
    name = f"psi_test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    with databases.owner() as cursor:
        _drop(cursor, name)
        databases.create(cursor, name)
        with django_db_blocker.unblock():
            for alias in connections:
                connections[alias].close()
                connections[alias].settings_dict["NAME"] = name
                settings.DATABASES[alias]["NAME"] = name
        yield
        with django_db_blocker.unblock():
            connections.close_all()
        _drop(cursor, name)


def _drop(cursor: Any, name: str) -> None:
    """Drop a database although a server thread may have left a connection to it; only its own role may end that."""
    app = settings.DATABASES["default"]
    ending = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s AND usename = %s"
    with closing(_connect(app, cursor.connection.info.dbname)) as same_role, same_role.cursor() as ender:
        for _ in range(20):
            # A process that is just leaving has no role any more, and may not be told to.
            with suppress(psycopg2.errors.InsufficientPrivilege):
                ender.execute(ending, [name, app["USER"]])
                break
            time.sleep(0.1)
    for last in [False] * 20 + [True]:
        try:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            break
        except psycopg2.errors.InsufficientPrivilege:
            # PostgreSQL's own housekeeping is at it: it leaves by itself.
            if last:
                raise
            time.sleep(0.25)


def _connect(database: dict[str, Any], name: str) -> Any:
    made = psycopg2.connect(
        dbname=name,
        user=database["USER"],
        password=database["PASSWORD"],
        host=database["HOST"],
        port=database["PORT"] or None,
    )
    made.autocommit = True
    return made


@pytest.fixture
def owner(django_db_setup: None) -> Iterator[Any]:
    """A connection of the tables' owner, committing each statement."""
    alias = settings.DATABASES.get("owner") or settings.DATABASES["default"]
    made = _connect(alias, alias["NAME"])
    yield made
    made.close()


@pytest.fixture
def committed_db(django_db_setup: None, django_db_blocker: Any, owner: Any) -> Iterator[None]:
    """Real commits, for threads, workers and on_commit; emptied by the owner afterwards."""
    with django_db_blocker.unblock():
        yield
        connections.close_all()
        with owner.cursor() as cursor:
            cursor.execute(
                "SELECT schemaname || '.' || tablename, tablename FROM pg_tables"
                " WHERE schemaname IN ('public', 'vault')"
            )
            tables = [full for full, name in cursor.fetchall() if name not in KEPT]
            cursor.execute(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY")
            cursor.execute("DELETE FROM sites_site WHERE slug <> 'province'")


@pytest.fixture
def world(db: None) -> cast.World:
    """Two local sites and the province, with people in every role (rolled back after the test)."""
    return cast.build()


@pytest.fixture
def committed_world(committed_db: None) -> cast.World:
    """The same, committed."""
    return cast.build()


@pytest.fixture
def province(world: cast.World) -> Any:
    return world.province


@pytest.fixture
def north(world: cast.World) -> Any:
    return world.north


@pytest.fixture
def south(world: cast.World) -> Any:
    return world.south


@pytest.fixture
def sign_in() -> Callable[[Any], Client]:
    """Return a browser in which a person is signed in with a passkey."""

    def signed_in(user: Any) -> Client:
        client = Client()
        cast.sign_in(client, user)
        return client

    return signed_in


@pytest.fixture
def in_north(world: cast.World) -> Iterator[Any]:
    """The rest of the test runs in the scope of the northern site."""
    with site_scope(world.north.pk):
        yield world.north


@pytest.fixture
def forget(settings: Any) -> Callable[[], None]:
    """Return what empties the cache for this test alone: other processes use the same server."""

    def empty() -> None:
        settings.CACHES = {"default": settings.CACHES["default"] | {"KEY_PREFIX": secrets.token_hex(8)}}

    return empty


@pytest.fixture(autouse=True)
def own_tries(forget: Callable[[], None]) -> None:
    """Count the tries to sign in of this test alone; all tests come from the same address."""
    forget()


@pytest.fixture(autouse=True)
def nothing_at_error(caplog: pytest.LogCaptureFixture, request: pytest.FixtureRequest) -> Iterator[None]:
    """Anything logged at ERROR fails the test, unless it is marked `expects_error_log`."""
    yield
    if request.node.get_closest_marker("expects_error_log"):
        return
    errors = [r for when in ("setup", "call") for r in caplog.get_records(when) if r.levelno >= logging.ERROR]
    assert [record.getMessage() for record in errors] == []
