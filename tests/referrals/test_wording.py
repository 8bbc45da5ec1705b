"""What the public page says is a site's own: written, previewed, published, brought back; else the province's."""

import random
import re
import string
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from psi.tenancy import site_scope
from referrals.wording import texts as wording
from referrals.wording.models import Wording
from referrals.wording_editor.forms import MAX_QUESTIONS, WordingForm
from sites.engine.audit import SYSTEM
from sites.engine.models import AuditEntry
from sites.tenants.models import Site
from tests import people as cast
from tests.markup import flat
from tests.people import World
from tests.test_budgets import BUDGET, compressed_size

SignIn = Callable[[Any], Client]
AT = "/north/settings/wording/"


def filled(browser: Client, language: str = "en", at: str = AT) -> dict[str, str]:
    """Return what the form holds when it is opened."""
    form: WordingForm = browser.get(f"{at}{language}/").context["form"]
    return {name: form[name].value() or "" for name in form.fields}


def write(browser: Client, language: str = "en", at: str = AT, **texts: str) -> Any:
    return browser.post(f"{at}{language}/", filled(browser, language, at) | texts)


def publish(browser: Client, at: str = AT, seen: str | None = None) -> Any:
    page = browser.get(f"{at}preview/").text
    return browser.post(f"{at}preview/", {"seen": seen or re.findall(r'name="seen" value="([^"]+)"', page)[0]})


def public(language: str = "en", site: str = "north") -> str:
    return Client().get(f"/{site}/?lang={language}").text


def own(world: World, at: str = "north") -> Any:
    with site_scope(getattr(world, at).pk):
        return wording._latest_published()


@pytest.fixture
def ada(world: World, sign_in: SignIn) -> Client:
    return sign_in(world["north administrator"])


def test_a_draft_is_previewed_in_both_languages_and_public_only_once_published(world: World, ada: Client) -> None:
    was = {language: public(language) for language in ("en", "fr")}
    answer = write(
        ada, hours="Mail is read on Mondays.", question_9="And then?", answer_9="One.\n\nTwo <i>&</i> three."
    )
    assert (answer.status_code, answer["Location"]) == (302, f"{AT}preview/?lang=en")
    write(ada, "fr", hours="Le lundi.")
    previews = {language: ada.get(f"{AT}preview/?lang={language}").text for language in ("en", "fr")}
    assert (
        "Mail is read on Mondays." in previews["en"]
        and "<p>One.</p>\n\n<p>Two &lt;i&gt;&amp;&lt;/i&gt;" in previews["en"]
    )
    assert "Le lundi." in previews["fr"] and "Questions fréquentes" in previews["fr"]
    assert {language: public(language) for language in ("en", "fr")} == was
    assert publish(ada)["Location"] == AT
    for language, preview in previews.items():
        # Exactly as it was seen, but for the note with its button.
        seen = re.sub(r'<section class="note".*?</section>', "", preview, count=1, flags=re.DOTALL)
        assert _body(public(language)) == _body(seen)
    with site_scope(world.north.pk):
        version = Wording.objects.get()
        entry = AuditEntry.objects.order_by("number").last()
        assert (version.published, version.by_id) == (True, world["north administrator"].pk)
        assert (entry.action, entry.object_kind, entry.object_id) == ("WORDING", "WORDING", version.pk)  # type: ignore[union-attr]
    assert "Published the wording of the public page" in ada.get("/north/settings/audit/").text
    assert set(own(world)["en"]) == {"hours", "faq"}


def _body(page: str) -> str:
    return " ".join(page.split("<main")[1].split("</main>")[0].split())


def test_what_is_left_as_it_is_follows_the_province_and_what_is_written_stays(
    world: World, sign_in: SignIn, ada: Client
) -> None:
    write(ada, promise="We promise tea.")
    publish(ada)
    cora, at = sign_in(world["coordinator"]), "/province/settings/wording/"
    write(cora, at=at, promise="The province promises.", intro="What the province says it is.")
    publish(cora, at)
    page = public()
    assert "We promise tea." in page and "What the province says it is." in page
    assert "The province promises." not in page
    assert "The province promises." in public(site="south") and "The province promises." in public(site="province")
    # The site's form starts with the province's words.
    assert filled(ada)["intro"] == "What the province says it is."
    write(ada, promise="")
    publish(ada)
    assert "The province promises." in public()
    assert own(world) == {"en": {}}


def test_a_site_that_wrote_only_english_says_that_on_its_french_page(world: World, ada: Client) -> None:
    write(ada, hours="Mail is read on Mondays.")
    publish(ada)
    page = public("fr")
    assert '<div lang="en"><p>Mail is read on Mondays.</p></div>' in flat(page)
    assert wording.SHIPPED["fr"]["promise"] in page
    assert filled(ada, "fr")["hours"] == ""
    assert "Where a field is empty and you wrote your own text in English" in ada.get(f"{AT}fr/").text
    # There even the provincial French is a choice of one's own.
    write(ada, "fr", hours=str(wording.SHIPPED["fr"]["hours"]))
    publish(ada)
    assert 'lang="en"' not in _body(public("fr"))


def test_an_earlier_version_is_brought_back_and_a_draft_stays(world: World, ada: Client) -> None:
    for hours in ("First.", "Second."):
        write(ada, hours=hours)
        publish(ada)
    write(ada, hours="Third, a draft.")
    with site_scope(world.north.pk):
        first = Wording.objects.filter(published=True).earliest("pk").pk
    ada.post(AT, {"back": first})
    assert "First." in public()
    assert filled(ada)["hours"] == "Third, a draft."
    publish(ada)
    assert "Third, a draft." in public()
    with site_scope(world.north.pk):
        actions = AuditEntry.objects.filter(object_kind="WORDING").order_by("number").values_list("action", flat=True)
        assert list(actions) == ["WORDING", "WORDING", "WORDING_BACK", "WORDING"]
    page = ada.get(AT).text
    assert page.count("Bring back") == 3 and "Ada North" in page
    write(ada, hours="Fourth.")
    ada.post(AT, {"do": "forget"})
    assert "Fourth." not in ada.get(f"{AT}preview/", follow=True).text
    assert "Third, a draft." in public()


def test_only_what_was_previewed_is_published(world: World, ada: Client) -> None:
    write(ada, hours="Seen.")
    seen = re.findall(r'name="seen" value="([^"]+)"', ada.get(f"{AT}preview/").text)[0]
    write(ada, hours="Changed by somebody else.")
    for stale in (seen, "", "soon", "2026-13-45T00:00"):
        refused = ada.post(f"{AT}preview/", {"seen": stale}, follow=True)
        assert refused.status_code == 200
        assert "Changed by somebody else." in refused.text
        assert own(world) == {}
    publish(ada)
    assert "no draft any more" in ada.post(f"{AT}preview/", {"seen": seen}, follow=True).text


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"intro": "x" * 401}, "Keep this to 400 characters; it has 401."),
        ({"question_8": "Why?"}, "Write the answer, or clear the question."),
        ({"answer_8": "Because."}, "Write the question, or clear the answer."),
        (
            {"hours": "言" + "".join(map(chr, random.Random(72).sample(range(0x4E00, 0x9F00), 159)))},
            "too long for a page on a bad connection",
        ),
    ],
)
def test_on_an_error_everything_typed_stays(ada: Client, typed: dict[str, str], sentence: str) -> None:
    answer = write(ada, **{"promise": "Typed & kept"} | typed)
    assert answer.status_code == 422
    assert sentence in answer.text and "Typed &amp; kept" in answer.text
    assert next(iter(typed.values()))[:90] in answer.text


def test_another_sites_version_cannot_be_brought_back(world: World, ada: Client) -> None:
    with site_scope(world.south.pk):
        theirs = wording.publish(wording.save_draft("en", {"hours": "Theirs."}, by=SYSTEM).at, by=SYSTEM)
    assert ada.post(AT, {"back": theirs.pk}).status_code == 404
    assert "Theirs." not in public()


def test_a_site_not_open_yet_can_preview_its_page(world: World, ada: Client) -> None:
    Site.objects.filter(pk=world.north.pk).update(is_open=False)
    write(ada, hours="Soon.")
    preview = ada.get(f"{AT}preview/").text
    assert "once your doors are open" in preview and "Soon." in preview and "Ask for peer support" in preview
    publish(ada)
    assert "Soon." not in public() and "not taking requests yet" in public()


def test_marks_that_cannot_be_seen_or_turn_the_writing_are_taken_out(world: World, ada: Client) -> None:
    write(ada, hours="Mon\u202eday\x0b\u200b, 9 to 5\r\n\r\n\r\n\r\nand later")
    publish(ada)
    assert own(world)["en"] == {"hours": "Monday, 9 to 5\n\nand later"}


@pytest.mark.parametrize("language", ["en", "fr"])
def test_with_every_text_at_its_limit_the_page_still_fits(world: World, ada: Client, language: str) -> None:
    """Letters at random compress worse than any words."""
    noise = random.Random(72)

    def text(length: int) -> str:
        return (
            "".join(noise.choices(string.ascii_letters + string.digits + " .,é", k=length)).strip().ljust(length, "x")
        )

    texts = {"intro": text(400), "promise": text(300), "hours": text(160)}
    for number in range(MAX_QUESTIONS):
        texts |= {f"question_{number}": text(90), f"answer_{number}": text(400)}
    assert write(ada, language, **texts).status_code == 302
    publish(ada)
    for number in range(40):
        cast.supporter(world.north, f"Dr {text(60)} {number}", published=True, bio=text(400), bio_fr=text(400))
    for path in ("/north/", "/north/peers/"):
        answer = Client().get(f"{path}?lang={language}", headers={"Accept-Encoding": "gzip"})
        size = compressed_size(Client(), answer)
        assert size <= BUDGET, f"{path}: {size} bytes"
