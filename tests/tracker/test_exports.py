"""Released tables as files: the same numbers in each, and where one is hidden, nothing in its place."""

import csv
import io
import re
from collections.abc import Callable
from typing import Any

import pytest
import tablib
from django.test import Client

from tests.people import World
from tests.tracker.published import release
from tracker import exports

SignIn = Callable[[Any], Client]
FOLDER = "/province/figures/2026-q1/"


def lines(client: Client, name: str) -> list[list[str]]:
    answer = client.get(f"{FOLDER}{name}.csv")
    assert answer["Content-Disposition"] == f'attachment; filename="figures-2026-q1-{name}.csv"'
    return list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))


@pytest.mark.parametrize("who", ["coordinator", "advisor"])
def test_a_table_as_csv(world: World, sign_in: SignIn, who: str) -> None:
    release(world)
    client = sign_in(world[who])
    assert lines(client, "p1") == [
        exports.HEADERS,
        ["P1", "2026-01", "2026-01", "January 2026", "ALL", "Requests", "", "31", "count", "no"],
        ["P1", "2026-02", "2026-02", "February 2026", "ALL", "Requests", "", "", "count", "yes"],
        ["P1", "2026-03", "2026-03", "March 2026", "ALL", "Requests", "", "", "count", "yes"],
        ["P1", "2026-01", "2026-03", "January to March 2026", "ALL", "Requests", "", "84", "count", "no"],
    ]
    values = {line[4]: line[7:] for line in lines(client, "p5")}
    assert values["CONTACT_Y"] == ["95", "percent", "no"]
    assert values["PER_MATCH"] == ["2.3", "average", "no"]
    assert values["TO_MATCH"] == ["", "hours", "yes"]
    assert [line[6] for line in lines(client, "p2") if line[4] == "GROUPED"] != [""]


def test_the_book_holds_every_table_after_its_dictionary(world: World, sign_in: SignIn) -> None:
    release(world)
    client = sign_in(world["advisor"])
    book = tablib.Databook().load(client.get(f"{FOLDER}tables.xlsx").content, "xlsx")
    assert [sheet.title for sheet in book.sheets()] == ["Dictionary", "P1", "P2", "P3", "P4", "P5"]
    dictionary, *tables = book.sheets()
    assert dictionary[0][:2] == ("release", "2026-q1")
    assert [list(map(str, line)) for line in dictionary] == lines(client, "dictionary")[1:]
    explained = [line[1] for line in dictionary if line[0] == "column"]
    assert [sheet.headers for sheet in tables] == [explained] * 5
    # Every word of the last columns is explained, and a number is a number.
    assert {line[8] for sheet in tables for line in sheet} <= {line[1] for line in dictionary if line[0] == "unit"}
    for sheet in tables:
        same = [["" if cell is None else str(cell) for cell in line] for line in sheet]
        assert same == lines(client, sheet.title.lower())[1:]
        assert {type(line[7]) for line in sheet} <= {int, float, type(None)}


def test_the_page_of_figures_leads_to_every_file(world: World, sign_in: SignIn) -> None:
    release(world)
    client = sign_in(world["advisor"])
    found = re.findall(rf'href="({FOLDER}[^"]+)"', client.get("/province/figures/").text)
    assert [path.removeprefix(FOLDER) for path in found] == [
        "report.pdf",
        "tables.xlsx",
        *(f"p{number}.csv" for number in range(1, 6)),
        "dictionary.csv",
    ]
    assert {client.get(path).status_code for path in found} == {200}


def test_what_is_not_published_has_no_file(world: World, sign_in: SignIn) -> None:
    release(world, state="READY")
    client = sign_in(world["coordinator"])
    assert FOLDER not in client.get("/province/figures/").text
    for name in ("tables.xlsx", "p1.csv", "dictionary.csv"):
        assert client.get(FOLDER + name).status_code == 404
    assert client.get("/province/figures/2026-q1/p6.csv").status_code == 404
    assert client.get("/province/figures/0000-q1/p1.csv").status_code == 404
