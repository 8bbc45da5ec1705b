"""What every measure leans on: a database of its own, interleaved rounds, one table."""

import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg2
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections

ROUNDS = 7


@dataclass(frozen=True)
class Line:
    """A line of the table. `ok` is None for what is told and not gated."""

    measure: str
    ours: str
    floor: str
    ratio: str
    aim: str
    ok: bool | None


@contextmanager
def database(name: str) -> Iterator[None]:
    """Have an empty, migrated database inside the block; processes started there find it too."""
    owner = settings.DATABASES["owner"]
    maker = psycopg2.connect(dbname=owner["NAME"], user=owner["USER"], host=owner["HOST"], password=owner["PASSWORD"])
    maker.autocommit = True
    with maker.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{name}"')
    for alias in connections:
        connections[alias].close()
        connections[alias].settings_dict["NAME"] = settings.DATABASES[alias]["NAME"] = name
    for variable in ("DATABASE_URL", "DATABASE_OWNER_URL"):
        os.environ[variable] = f"{os.environ[variable].rsplit('/', 1)[0]}/{name}"
    call_command("migrate", verbosity=0)
    call_command("load_reference")
    try:
        yield
    finally:
        connections.close_all()
        maker.close()


def analyze() -> None:
    """Let the planner know what is there, as a server that has run for a while does."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")


def interleaved(*jobs: Callable[[], Any], rounds: int = ROUNDS) -> list[float]:
    """Return the median seconds of each job; every round runs all of them, after one that warms up."""
    taken: list[list[float]] = [[] for _ in jobs]
    for number in range(rounds + 1):
        for job, times in zip(jobs, taken, strict=True):
            began = time.perf_counter()
            job()
            if number:
                times.append(time.perf_counter() - began)
    return [statistics.median(times) for times in taken]


def ask(statement: str, given: Any = None) -> list[Any]:
    """Run a bare statement and read all it returns."""
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        return cursor.fetchall()


def compared(measure: str, ours: float, floor: float, aim: float) -> Line:
    """Return a line about two medians in seconds."""
    ratio = ours / floor
    return Line(measure, ms(ours), ms(floor), f"{ratio:.2f}", f"≤ {aim:g}", ratio <= aim)


def ms(seconds: float) -> str:
    return f"{seconds * 1000:.2f} ms"


def table(lines: list[Line]) -> str:
    """Return the lines as a table in Markdown, its columns aligned."""
    rows = [("measure", "ours", "floor", "ratio", "aim", "ok")]
    said = {True: "yes", False: "NO", None: ""}
    rows += [(line.measure, line.ours, line.floor, line.ratio, line.aim, said[line.ok]) for line in lines]
    widths = [max(len(row[i]) for row in rows) for i in range(6)]
    text = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    return "\n".join([text[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *text[1:]])
