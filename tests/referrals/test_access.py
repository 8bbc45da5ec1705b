"""Access points: each step is counted once, for the site that hung the code, and nothing else is kept."""

import io
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any

import pytest
import zxingcpp
from django.test import Client
from django.utils.timezone import localdate
from PIL import Image

from psi import tenancy
from psi.tenancy import site_scope
from referrals.promotion import access_points, printing
from referrals.promotion.models import AccessPoint, AccessWeek, Promotion
from sites.engine.audit import SYSTEM
from sites.tenants.palettes import PALETTES, Palette
from tests import line, printed
from tests.markup import flat
from tests.people import World
from tests.referrals.test_requests import GOOD

SignIn = Callable[[Any], Client]
DPI = 200


def point(world: World, at: str = "north", name: str = "Lounge, 3 East") -> AccessPoint:
    with site_scope(getattr(world, at).pk):
        return access_points.make(name, by=SYSTEM)


def steps(world: World, at: str = "north") -> list[tuple[int, int, int]]:
    with site_scope(getattr(world, at).pk):
        return list(AccessWeek.objects.values_list("opened", "started", "sent"))


def send(path: str, key: uuid.UUID, **said: Any) -> int:
    return Client().post(path, GOOD | line.opened(path.split("?")[0], key) | said).status_code


def test_a_code_counts_opened_started_and_sent(world: World) -> None:
    code = point(world).code
    browser = Client()
    page = browser.get(f"/north/q/{code.lower()}/")
    assert page.status_code == 200
    assert f'href="/north/request/?from={code}"' in page.text
    assert page.cookies == {}
    browser.head(f"/north/q/{code}/")
    browser.get(f"/north/q/{code}/", headers={"Sec-Purpose": "prefetch;prerender"})
    path = f"/north/request/?from={code}"
    browser.get(path)
    key = uuid.uuid4()
    assert send(path, key, name="") == 422
    assert [send(path, key), send(path, key)] == [302, 302]
    assert steps(world) == [(1, 1, 1)]
    assert steps(world, "south") == []


def test_a_request_for_outside_the_region_leaves_no_count_behind(world: World) -> None:
    code = point(world).code
    send(f"/north/request/?from={code}", uuid.uuid4(), peer_from="OUTSIDE")
    assert steps(world) == []


@pytest.mark.parametrize("typed", ["ZZZZ", "%00", "x" * 300, "a b", "é"])
def test_a_code_nobody_knows_opens_the_page_all_the_same(world: World, typed: str) -> None:
    point(world)
    assert Client().get(f"/north/q/{typed}/").status_code == 200
    assert Client().get("/north/request/", {"from": typed}).status_code == 200
    assert send(f"/north/request/?from={typed}", uuid.uuid4()) == 302
    assert steps(world) == []


def test_another_sites_code_counts_nothing_here(world: World) -> None:
    code = point(world, "south").code
    Client().get(f"/north/q/{code}/")
    assert (steps(world), steps(world, "south")) == ([], [])


def test_scans_at_once_are_all_counted(committed_world: World) -> None:
    code = point(committed_world).code
    answers = line.together(*[lambda: Client().get(f"/north/q/{code}/").status_code] * 20)
    assert set(answers) == {200}
    assert steps(committed_world) == [(20, 0, 0)]


def test_the_week_is_that_of_the_site(world: World) -> None:
    code = point(world).code
    # Monday in Greenwich, Sunday evening in Vancouver.
    with site_scope(world.north.pk, now=datetime(2026, 9, 14, 3, 0, tzinfo=UTC)):
        access_points.count(code, "opened")
    with site_scope(world.north.pk):
        assert list(AccessWeek.objects.values_list("week", flat=True)) == [date(2026, 9, 7)]


def test_the_chart_shows_half_a_year_on_one_scale(world: World) -> None:
    busy, quiet = point(world), point(world, name="AGM")
    for made, weeks_ago, times in ((busy, 0, 4), (busy, 30, 9), (quiet, 1, 2)):
        with site_scope(world.north.pk, now=tenancy.now() - timedelta(weeks=weeks_ago)):
            for _ in range(times):
                access_points.count(made.code, "opened")
    with site_scope(world.north.pk) as scope:
        Promotion.objects.create(on=localdate(scope.now) - timedelta(weeks=2), kind="AGM", audience=80)
        Promotion.objects.create(on=localdate(scope.now) - timedelta(weeks=60), kind="EMAIL")
        chart = access_points.chart(AccessPoint.objects.order_by("pk"))
    assert [line.steps for line in chart.lines] == [(4, 0, 0), (2, 0, 0)]
    assert [[bar.opened for bar in bars] for _, bars in chart.drawn()] == [[72.0], [36.0]]
    assert [mark.label for mark in chart.marks] == ["Annual general meeting"]


def test_a_code_is_named_and_a_promotion_noted_on_one_page(world: World, sign_in: SignIn) -> None:
    browser = sign_in(world["north lead"])
    made = browser.post("/north/settings/codes/", {"do": "name", "name": "Lounge, 3 East"})
    with site_scope(world.north.pk):
        code = AccessPoint.objects.get().code
    assert (made.status_code, made["Location"]) == (302, f"/north/settings/codes/{code}/")
    again = browser.post("/north/settings/codes/", {"do": "name", "name": "lounge, 3 east"})
    assert again.status_code == 422
    assert "has a code already" in again.text
    bad = browser.post("/north/settings/codes/", {"do": "note", "promotion-on": "soon", "promotion-kind": "AGM"})
    assert (bad.status_code, "Enter a date such as" in bad.text, 'value="soon"' in bad.text) == (422, True, True)
    good = {"do": "note", "promotion-on": "2026-11-02", "promotion-kind": "AGM", "promotion-audience": "80"}
    assert browser.post("/north/settings/codes/", good).status_code == 302
    assert browser.post("/north/settings/codes/", {"do": "colour", "palette": "PINK"}).status_code == 422
    assert browser.post("/north/settings/codes/", {"do": "colour", "palette": "OCEAN"}).status_code == 302
    world.north.refresh_from_db()
    assert world.north.palette == Palette.OCEAN
    page = browser.get("/north/settings/codes/")
    assert "Annual general meeting" in page.text
    assert browser.get(f"/north/settings/codes/{code}/").status_code == 200
    assert sign_in(world["north supporter"]).get("/north/settings/codes/").status_code == 403


def test_what_is_pasted_elsewhere_has_no_script_and_counts(world: World, sign_in: SignIn) -> None:
    made = point(world)
    page = flat(unescape(sign_in(world["north administrator"]).get(f"/north/settings/codes/{made.code}/").text))
    card = page.split('aria-label="Card for your own page">')[1].split("</textarea>")[0]
    assert f'href="{access_points.address(world.north, made)}"' in unescape(card)
    assert not {"<script", "<iframe", "javascript:", "onclick"} & set(card.lower().split())
    assert "<script" not in unescape(card)


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize(("name", "codes"), [("poster", 1), ("pagers", 4), ("cards", 10), ("slide", 1)])
def test_every_printed_code_reads_in_grey_and_is_large_enough(
    world: World, sign_in: SignIn, name: str, codes: int, language: str
) -> None:
    made = point(world)
    world.north.slug = "a-short-name-as-long-as-they-may-ever-be"
    world.north.save()
    path = f"/{world.north.slug}/settings/codes/{made.code}/{name}.pdf?lang={language}"
    response = sign_in(world["north administrator"]).get(path)
    assert (response.status_code, response["Content-Type"]) == (200, "application/pdf")
    sheets = printed.pages(response.content, DPI)
    assert len(sheets) == 1
    # As a tired printer gives it: no colour, and washed out.
    grey = sheets[0].convert("L").point(lambda tone: 60 + tone * 150 // 255)
    found = zxingcpp.read_barcodes(grey)
    assert [code.text for code in found] == [access_points.address(world.north, made)] * codes
    for code in found:
        corners = (code.position.top_left, code.position.top_right)
        centimetres = abs(corners[1].x - corners[0].x) / DPI * 2.54
        assert centimetres >= 3
        # The quiet zone is four modules of white on every side.
        module = abs(corners[1].x - corners[0].x) / 49
        for dx, dy in ((-3, 0), (0, -3)):
            x, y = corners[0].x + dx * module, corners[0].y + dy * module
            assert grey.getpixel((int(x), int(y))) == grey.getpixel((0, 0)) or grey.getpixel((int(x), int(y))) == 210


@pytest.mark.parametrize(("kind", "media"), [("svg", "image/svg+xml"), ("png", "image/png")])
def test_the_code_is_a_picture_too(world: World, sign_in: SignIn, kind: str, media: str) -> None:
    made = point(world)
    browser = sign_in(world["north administrator"])
    response = browser.get(f"/north/settings/codes/{made.code}/qr.{kind}")
    assert (response.status_code, response["Content-Type"]) == (200, media)
    if kind == "png":
        found = zxingcpp.read_barcodes(Image.open(io.BytesIO(response.content)))
        assert [code.text for code in found] == [access_points.address(world.north, made)]
    assert browser.get(f"/north/settings/codes/{made.code}/qr.gif").status_code == 404
    assert browser.get(f"/north/settings/codes/{made.code}/other.pdf").status_code == 404


def test_a_poster_names_the_site_and_the_numbers(world: World) -> None:
    made = point(world)
    body = printing.pdf("poster", world.north, access_points.address(world.north, made), "en")
    text = printed.words(body)
    for word in ("North Division", "9-1-1", "9-8-8", "1-800-663-6729", "310-6789"):
        assert word in text


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("palette", Palette)
def test_every_palette_reads_in_colour_and_in_grey(palette: Palette) -> None:
    colours = PALETTES[palette]
    for over in ("#ffffff", colours.paper):
        assert (luminance(over) + 0.05) / (luminance(colours.ink) + 0.05) >= 7
    assert (luminance(colours.paper) + 0.05) / 0.05 >= 15
