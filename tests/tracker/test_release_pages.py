"""The pages of a release: prepared, previewed and published by coordinators, read by advisors, and by all if shown."""

import uuid
from datetime import date
from typing import Any

import pytest
from django.test import Client

from psi.tenancy import site_scope
from sites.engine import agenda, facts
from tests.people import World
from tests.tracker import crawl
from tests.tracker.releasing import happen, prepared, released
from tests.tracker.test_releases import APRIL, AUGUST_1, refusable
from tracker.releases import check as release_check
from tracker.releases import status
from tracker.releases import transitions as releases
from tracker.releases.forms import PrepareForm
from tracker.releases.models import Release
from tracker.releases.options import PART_OF_TABLE

LIST = "/province/figures/releases/"
PUBLIC = "/province/published/2025-q2/"


@pytest.fixture
def busy(world: World) -> World:
    for month, number in ((APRIL, 27), (date(2025, 5, 1), 7), (date(2025, 6, 1), 31)):
        happen(world.north, month, number)
    agenda.sweep()
    return world


def form(client: Client, **ticked: str) -> dict[str, Any]:
    answer = client.get(LIST)
    return {"key": answer.context["form"].initial["key"], **ticked}


def test_a_quarter_is_prepared_checked_previewed_and_published(busy: World, sign_in: Any) -> None:
    client = sign_in(busy["coordinator"])
    everything = dict.fromkeys(("months", "by_month", "reasons", "pathways", "sites", "process"), "on")
    sent = form(client, **everything)
    answer = client.post(LIST, sent)
    again = client.post(LIST, sent)
    assert answer.status_code == 302 and answer.url == again.url
    page = client.get(answer.url).content.decode()
    assert "Being checked" in page and '<meta http-equiv="refresh" content="5">' in page
    with site_scope(busy.province.pk):
        (release,) = Release.objects.all()
        release_check.check(release.pk)
    page = client.get(answer.url).content.decode()
    words = crawl.visible(page)
    # First that it passed, then what it would tell, and last what cannot be undone.
    order = ("It passed", "lies between 1 and 9.", " 65 ", "Solver", "cannot be taken back", "Publish Set it")
    assert sorted(order, key=words.index) == list(order)
    advisor = sign_in(busy["advisor"])
    assert "Nothing is published yet" in advisor.get("/province/figures/").content.decode()
    assert advisor.get(LIST).status_code == 403
    assert client.post(answer.url, {"do": "publish", "public": "on"}).status_code == 302
    page = advisor.get("/province/figures/").content.decode()
    # Two of its months cannot be told, so none is: the quarter stands by itself.
    assert ">65<" in page and "hidden-cell" not in page
    # What is hidden is on no page, in no picture and in no title.
    for text in (page, client.get(answer.url).content.decode(), Client().get(PUBLIC).content.decode()):
        assert [small for small in ("27", "31", "34", "58", "38") if f">{small}<" in text or f": {small}" in text] == []
    assert client.post(answer.url, {"do": "drop"}, follow=True).content.decode().count("stays as it is") == 1


def test_a_quarter_that_tells_nothing_does_not_say_why(world: World, sign_in: Any) -> None:
    happen(world.north, APRIL, 4)
    agenda.sweep()
    release = released(world, APRIL, AUGUST_1, public=True)
    pages = [sign_in(world["coordinator"]).get(f"{LIST}{release.pk}/"), Client().get(PUBLIC)]
    for words in (crawl.visible(page.text) for page in pages):
        assert "Nothing can be told of this quarter by itself yet. It will be told together with later ones." in words
        assert "All numbers" not in words and "All its numbers" not in words
    assert "Rien ne peut encore être dit de ce trimestre seul." in Client().get(f"{PUBLIC}?lang=fr").text


def test_everybody_reads_what_the_province_shows_and_nothing_more(busy: World, sign_in: Any) -> None:
    release = released(busy, APRIL, AUGUST_1)
    assert Client().get(PUBLIC).status_code == 404
    coordinator = sign_in(busy["coordinator"])
    coordinator.post(f"{LIST}{release.pk}/", {"do": "show"})
    page = Client().get(PUBLIC)
    assert page.status_code == 200 and "April to June 2025" in page.content.decode()
    assert "April to June 2025" in Client().get("/province/published/").content.decode()
    french = Client().get(PUBLIC + "?lang=fr", headers={"accept-language": "fr"}).content.decode()
    assert "avril" in french.lower()
    coordinator.post(f"{LIST}{release.pk}/", {"do": "hide"})
    assert Client().get(PUBLIC).status_code == 404
    assert Client().get("/province/published/2025-q3/").status_code == 404


def test_a_refusal_says_what_to_coarsen_and_the_form_takes_it(world: World, sign_in: Any) -> None:
    refusable(world)
    agenda.sweep()
    release = prepared(world, APRIL, AUGUST_1)
    client = sign_in(world["coordinator"])
    page = client.get(f"{LIST}{release.pk}/").content.decode()
    assert "somebody could work out how many requests gave the very same reasons, a number between 1 and 9" in page
    assert "Untick “Reasons” and prepare the quarter again." in page
    kept = ("months", "by_month", "pathways", "sites", "process")
    answer = client.post(LIST, form(client, **dict.fromkeys(kept, "on")))
    with site_scope(world.province.pk):
        again = Release.objects.get(state="CHECKING")
        assert not again.with_reasons and again.with_pathways
        release_check.check(again.pk)
        again.refresh_from_db()
        assert again.state == Release.State.READY
    assert "It passed" in client.get(answer.url).content.decode()
    assert "A release is on its way" in client.get(LIST).content.decode()
    assert client.post(LIST, typed()).status_code == 422


def typed() -> dict[str, Any]:
    return {"key": "00000000-0000-4000-8000-000000000000", "months": "on"}


def test_every_reason_to_refuse_has_words(world: World) -> None:
    for found in ("ALL", "SITE", "SITE_PATH", "R_EVENT", "SR_EVENT", "CONTACT", "TALK", "SV_TIME"):
        for remedy in (None, *PART_OF_TABLE):
            said = status.refusal_sentence(Release(site=world.province, state="REFUSED", found=found, remedy=remedy))
            assert said.endswith(("again.", "longer period.")) and "%" not in said
    for found in (releases.NOTHING, releases.CONTRADICTS, releases.FAILED):
        assert status.refusal_sentence(Release(site=world.province, state="REFUSED", found=found))
    assert status.refusal_sentence(Release(site=world.province, state="READY")) == ""


def test_pictures_of_a_release_are_what_the_page_shows(busy: World, sign_in: Any) -> None:
    released(busy, APRIL, AUGUST_1)
    client = sign_in(busy["advisor"])
    svg = client.get("/province/figures/2025-q2/p1.svg")
    assert svg["Content-Type"] == "image/svg+xml" and b">65<" in svg.content
    assert [small for small in (b"27", b">7<", b"31") if small + b"<" in svg.content] == []
    png = client.get("/province/figures/2025-q2/p1.png")
    assert png.content.startswith(b"\x89PNG")
    for path in ("p9.svg", "p5.svg", "p1.gif"):
        assert client.get(f"/province/figures/2025-q2/{path}").status_code == 404
    assert client.get("/province/figures/2025-q3/p1.svg").status_code == 404


def test_before_its_time_the_form_is_not_there(world: World, sign_in: Any) -> None:
    client = sign_in(world["coordinator"])
    assert "There is nothing to release yet" in client.get(LIST).content.decode()
    with site_scope(world.north.pk):
        facts.count(*[("REQUEST", "ALL")] * 20)
    agenda.sweep()
    assert "It can be prepared from" in client.get(LIST).content.decode()
    assert client.post(LIST, typed()).status_code == 422


def test_a_release_has_a_table_and_the_form_leaves_out_what_did_harm() -> None:
    assert not PrepareForm({"key": str(uuid.uuid4()), "by_month": "on"}).is_valid()
    assert PrepareForm({"key": str(uuid.uuid4()), "pathways": "on"}).is_valid()
    form = PrepareForm(without="P2")
    assert (form.initial["reasons"], form.initial["months"]) == (False, True)
