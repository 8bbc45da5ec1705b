"""Released tables as files: the same numbers in each, and where one is hidden, nothing in its place."""

import csv
import io
import re
from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
import tablib
from django.test import Client

from psi.tenancy import now, site_scope
from tests.people import World
from tests.tracker import crawl
from tests.tracker.published import release
from tracker.releases import exports
from tracker.releases.models import Release

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


def test_each_file_says_what_it_is_and_a_quarter_without_any_says_so(world: World, sign_in: SignIn) -> None:
    release(world)
    with site_scope(world.province.pk):
        bare = {"quarter": date(2025, 10, 1), "state": Release.State.PUBLISHED, "published_at": now()}
        Release.objects.create(key=uuid4(), asked_at=now(), **bare)
    words = crawl.visible(sign_in(world["advisor"]).get("/province/figures/").text)
    files = words[words.index("Each release as it was published") :]
    named = ("Requests by period", "Requests by reason", "Requests by pathway", "Requests by site")
    for number, title in enumerate((*named, "How the program works"), 1):
        assert f"{title} CSV (P{number}) January to March 2026" in files
    assert "nothing can be told of them by themselves: October to December 2025." in files


def test_every_picture_of_the_page_is_a_file_for_those_who_may_read_it(world: World, sign_in: SignIn) -> None:
    release(world)
    for who in ("coordinator", "advisor"):
        client = sign_in(world[who])
        page = client.get("/province/figures/").text
        found = re.findall(r'href="/province/figures/all/([^"]+)"', page)
        drawn = [f"p{number}.{kind}" for number in range(1, 5) for kind in ("png", "svg", "csv")]
        assert found == [*drawn, "p5.csv"]
        for name in found:
            answer = client.get(f"/province/figures/all/{name}")
            assert answer["Content-Disposition"] == f'attachment; filename="figures-all-{name}"'
            if name.endswith("svg"):
                # The very drawing that stands on the page.
                assert answer["Content-Type"] == "image/svg+xml" and answer.text in page
        for wrong in ("p5.svg", "p6.csv", "p1.gif", "dictionary.csv"):
            assert client.get(f"/province/figures/all/{wrong}").status_code == 404
    for who, status in (("north lead", 404), ("north administrator", 404)):
        assert sign_in(world[who]).get("/province/figures/all/p1.svg").status_code == status
    assert Client().get("/province/figures/all/p1.svg").status_code == 302


def test_what_everybody_may_read_is_a_file_for_everybody(world: World) -> None:
    found = release(world, public=True)
    nobody = Client()
    page = nobody.get("/province/published/2026-q1/").text
    paths = re.findall(r'href="(/province/published/2026-q1/[^"]+)"', page)
    assert paths == [f"/province/published/2026-q1/p{number}.csv" for number in range(1, 6)]
    assert nobody.get(paths[0]).text.splitlines()[1].endswith("31,count,no")
    french = nobody.get("/province/published/2026-q1/?lang=fr").text
    assert f'href="{paths[0]}?lang=fr"' in french
    assert "janvier 2026" in nobody.get(f"{paths[0]}?lang=fr").text
    with site_scope(world.province.pk):
        Release.objects.filter(pk=found.pk).update(public=False)
    assert {nobody.get(path).status_code for path in paths} == {404}


def test_what_is_not_published_has_no_file(world: World, sign_in: SignIn) -> None:
    release(world, state="READY")
    client = sign_in(world["coordinator"])
    assert FOLDER not in client.get("/province/figures/").text
    for name in ("tables.xlsx", "p1.csv", "p1.svg", "p1.png", "dictionary.csv"):
        assert client.get(FOLDER + name).status_code == 404
        assert client.get(f"/province/figures/all/{name}").status_code == 404
        assert Client().get(f"/province/published/2026-q1/{name}").status_code == 404
    assert client.get("/province/figures/2026-q1/p6.csv").status_code == 404
    assert client.get("/province/figures/0000-q1/p1.csv").status_code == 404
