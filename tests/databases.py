"""Databases that are made once in a run of the tests and then copied, for copying takes a fiftieth of migrating."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import urlsplit

import psycopg2
from django.conf import settings

from psi.local.home import BASE

MIGRATED, DEMO = "psi_test_migrated", "psi_test_demo"
# Whoever runs the tests beside us is of the same run. The next run migrates anew.
RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID") or f"process {os.getpid()}"
SETUP = "import django; django.setup(); from django.core.management import call_command\n"
# The crisis lines were called today: three months after the day in the file, coordinators are asked to call again.
CALLED = (
    "from django.utils.timezone import localdate; from sites.reference.models import CrisisLine;"
    " CrisisLine.objects.update(verified_on=localdate())"
)
MAKE = {
    MIGRATED: f"call_command('migrate', verbosity=0); call_command('load_reference'); {CALLED}",
    DEMO: "call_command('load_demo')",
}


def addresses(name: str) -> dict[str, str]:
    """Return the two addresses that lead to a database, as variables of an environment."""
    given = {"DATABASE_URL": os.environ["DATABASE_URL"], "DATABASE_OWNER_URL": _owner()}
    return {key: urlsplit(url)._replace(path=f"/{name}").geturl() for key, url in given.items()}


def _owner() -> str:
    return os.environ.get("DATABASE_OWNER_URL") or os.environ["DATABASE_URL"]


@contextmanager
def owner() -> Iterator[Any]:
    """Have a cursor of the owner, who may make databases; each statement is committed."""
    with closing(psycopg2.connect(_owner())) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            yield cursor


def create(cursor: Any, name: str, *, demo: bool = False) -> None:
    """Make a database that is migrated and has the reference data, over one of this name that nobody uses.

    Args:
        cursor: of `owner`.
        demo: with the demonstration data.
    """
    template = _template(cursor, DEMO if demo else MIGRATED)
    cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')


def _template(cursor: Any, name: str) -> str:
    with (settings.PSI_HOME / f"{name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        cursor.execute("SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [name])
        if cursor.fetchone() != (RUN,):
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            below = _template(cursor, MIGRATED) if name == DEMO else "template1"
            cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{below}"')
            command, env = [sys.executable, "-c", SETUP + MAKE[name]], os.environ | addresses(name)
            made = subprocess.run(command, cwd=BASE, env=env, capture_output=True, text=True)
            assert made.returncode == 0, made.stderr[-2000:]
            cursor.execute(f'COMMENT ON DATABASE "{name}" IS %s', [RUN])
    return name
