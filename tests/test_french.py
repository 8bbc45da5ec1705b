"""What the public reads, in French: chosen in the address, kept along the way, with everything typed."""

import gettext
import re
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import settings
from django.template.loader import render_to_string
from django.test import Client
from django.utils import translation
from django.utils.translation import trans_real

from psi.tenancy import site_scope
from referrals.requests.identity import open_for_rules
from referrals.requests.models import Referral, ReferralConsent
from referrals.requests.receipts import receipt_of
from sites.engine.audit import SYSTEM
from sites.tenants.models import Site
from tests import line
from tests import people as cast
from tests.people import World
from tests.referrals.test_requests import GOOD
from tests.tracker.published import release as released
from tests.tracker.test_survey import agree
from training.supporters.queries import PAGE

CATALOGUE = settings.BASE_DIR / "locale" / "fr" / "LC_MESSAGES"
PAGES = (
    "/",
    "/north/",
    "/north/peers/",
    "/north/request/",
    "/north/colleague/",
    "/north/colleague/thanks/",
    "/north/colleague/tell/?agreed=yes",
    "/north/nominate/",
    "/north/nominate/thanks/",
    "/north/status/",
    "/north/request/sent/",
    "/nowhere/",
)


class Asked(gettext.NullTranslations):
    """Notes what the catalogue does not have."""

    def __init__(self) -> None:
        super().__init__()
        self.missing: set[str] = set()

    def gettext(self, message: str) -> str:
        self.missing.add(message)
        return message

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        self.missing.add(msgid1)
        return msgid1


@pytest.fixture
def missing() -> Any:
    """What French pages asked for in vain."""
    catalogue, asked = trans_real.translation("fr"), Asked()
    before, catalogue._fallback = catalogue._fallback, asked
    # Django's own English stands behind every language; here nothing does.
    yield asked.missing
    catalogue._fallback = before


def test_every_public_page_is_french_throughout(world: World, missing: set[str]) -> None:
    world.north.reach_out = True
    world.north.save()
    key, other = uuid.uuid4(), uuid.uuid4()
    match = line.confirmed(world, key=key)
    line.request(world.north, key=other)
    browser = Client(headers={"Accept-Language": "fr-CA,fr;q=0.9,en;q=0.5"})
    for i in range(PAGE + 1):
        cast.supporter(world.north, f"Dr Shown {i}", published=True)
    for number in (1, 2):
        assert "Qui pourrait vous écouter" in browser.get(f"/north/peers/?page={number}").text
    for path in PAGES:
        page = browser.get(path)
        assert 'lang="fr"' in page.text, path
        assert "9-8-8" in page.text and "Ligne d’aide" in page.text, path
    assert "D’où votre pair devrait-il venir?" in browser.get("/north/request/").text
    wrong = browser.post("/north/request/", {"key": str(key), "phone": "x", "email": "x", "wishes": ["1"]})
    assert "Vérifiez vos réponses" in wrong.text
    between = browser.post("/north/request/", GOOD | line.opened("/north/request/") | {"looking_for": "TREATMENT"})
    assert "Envoyer ma demande quand même" in between.text
    assert "Nous ne trouvons pas ce reçu" in browser.post("/north/status/", {"receipt": "1" * 16}).text
    status = browser.post("/north/status/", {"receipt": receipt_of(world.north.pk, key)}).text
    assert "Un pair a accepté" in status
    with site_scope(world.north.pk):
        line.transitions.close(match.referral_id, "ONWARD", by=SYSTEM)
        agree(match.referral_id)
    answers = {"receipt": receipt_of(world.north.pk, key), "do": "send"}
    assert "Répondre à cinq questions" in browser.post("/north/status/", answers).text
    for said, words in (({}, "Répondez à au moins une"), ({"safe": "YES"}, "Merci"), ({}, "déjà répondu")):
        assert words in browser.post("/north/status/survey/", answers | said).text
    assert "Vous avez répondu" in browser.post("/north/status/", answers).text
    assert (
        "Il n’y a pas"
        in browser.post("/north/status/survey/", answers | {"receipt": receipt_of(world.north.pk, other)}).text
    )
    sent = browser.post("/north/request/", GOOD | line.opened("/north/request/"), follow=True)
    assert "Nous avons votre demande" in sent.text
    for doors in ({"reach_in": False}, {"reach_out": False}, {"is_open": False}):
        Site.objects.filter(pk=match.site_id).update(reach_in=True, reach_out=True, is_open=True)
        Site.objects.filter(pk=match.site_id).update(**doors)
        for path in ("/north/", "/north/request/", "/north/colleague/"):
            browser.get(path)
    released(world, public=True)
    for path in ("", "2026-q1/", "methods/"):
        page = browser.get(f"/province/published/{path}").text
        assert 'lang="fr"' in page and "Comment ces données sont établies" in page, path
        assert "Soutien provincial par les pairs" in page and "Provincial peer support" not in page, path
    assert missing == set()


def test_the_chosen_language_is_kept_along_the_links_and_no_cookie_holds_it(world: World) -> None:
    browser = Client()
    page = browser.get("/north/?lang=fr")
    assert 'href="/north/request/?lang=fr"' in page.text
    assert 'href="/north/status/?lang=fr"' in page.text
    assert 'href="?lang=en" lang="en"' in page.text
    assert browser.cookies == {}
    assert page["Content-Language"] == "fr"
    assert "Accept-Language" in page["Vary"]
    # What is chosen goes before what the browser asks for; what cannot be one is not looked at.
    french = Client(headers={"Accept-Language": "fr"})
    assert 'lang="en' in french.get("/north/?lang=en").text.split("<head>")[0]
    assert 'lang="fr"' in french.get("/north/?lang=<b>").text.split("<head>")[0]
    assert 'lang="en' in Client().get("/north/?lang=%00").text.split("<head>")[0]


def test_the_switch_carries_everything_typed_and_sends_nothing(world: World) -> None:
    browser = Client()
    page = browser.get("/north/request/?from=ABCD").text
    button = re.search(r'<button[^>]*name="lang"[^>]*>', page)
    assert button is not None
    assert 'formaction="?from=ABCD&amp;lang=fr"' in button[0]
    key = str(uuid.uuid4())
    typed = {"lang": "fr", "key": key, "name": "Zoé & Co", "phone": "not a number", "reasons": ["LIFE"]}
    switched = browser.post("/north/request/?from=ABCD&lang=fr", typed | {"wishes": ["WOMAN"], "agree_match": "on"})
    assert switched.status_code == 200
    assert 'value="Zoé &amp; Co"' in switched.text and 'value="not a number"' in switched.text
    assert switched.text.count(" checked") == 3
    assert key in switched.text
    assert "Vérifiez vos réponses" not in switched.text
    assert 'formaction="?from=ABCD&amp;lang=en"' in switched.text
    with site_scope(world.north.pk):
        assert not Referral.objects.exists()


def test_the_consent_is_kept_in_the_words_that_were_agreed_to(world: World) -> None:
    answer = Client().post("/north/request/?lang=fr", GOOD | line.opened("/north/request/"))
    assert answer["Location"] == "/north/request/sent/?lang=fr"
    with site_scope(world.north.pk):
        consent = ReferralConsent.objects.select_related("text").get()
        assert (consent.text.language, consent.text.text[:9]) == ("fr", "J’accepte")
        assert open_for_rules(Referral.objects.get()).language == "fr"


def test_pages_of_staff_stay_in_one_language(world: World, sign_in: Any) -> None:
    browser = sign_in(world["north administrator"])
    browser.defaults["HTTP_ACCEPT_LANGUAGE"] = "fr"
    line.request(world.north)
    page = browser.get("/north/requests/?lang=fr")
    assert "Looking for a peer" in page.text and 'lang="en' in page.text.split("<head>")[0]
    assert "Sign in" in Client(headers={"Accept-Language": "fr"}).get("/accounts/login/").text


@pytest.mark.parametrize("folder", ["mail", "account/email", "mfa/email"])
def test_every_mail_is_french_throughout(folder: str, missing: set[str]) -> None:
    names = [f"{folder}/{file.name}" for file in (settings.BASE_DIR / "templates" / folder).glob("[!_]*.txt")]
    context = {"link": "", "until": datetime(2027, 1, 5, 20, 30, tzinfo=UTC), "code": "123456", "n": 2}
    for name in names:
        with translation.override("fr"):
            french = render_to_string(name, context)
        with translation.override("en"):
            assert french != render_to_string(name, context), name
    assert len(names) > 1 and missing == set()


SOURCES = (
    "matching/physician/views.py",
    "referrals/public/forms.py",
    "referrals/reach_out/forms.py",
    "referrals/reach_out/views.py",
    "templates/referrals/answered.html",
    "templates/referrals/offer.html",
    "templates/referrals/tell.html",
    "templates/matching/status.html",
    "templates/referrals/sent.html",
)


@pytest.mark.parametrize("source", SOURCES)
def test_nothing_said_on_a_rare_path_was_forgotten(source: str) -> None:
    text = (settings.BASE_DIR / source).read_text()
    words = re.findall(r'(?:_\(|translate )"([^"]{3,})"', text) + _blocks(text)
    assert len(words) > 5
    with translation.override("fr"):
        assert [word for word in words if translation.gettext(word) == word] == []


def _blocks(text: str) -> list[str]:
    """Return what stands in blocks without a plural, as the catalogue has it."""
    found = re.findall(r"{% blocktranslate[^%]*%}([^%]*){% endblocktranslate %}", text)
    return [re.sub(r"{{ (\w+) }}", r"%(\1)s", " ".join(block.split())) for block in found]


def test_the_compiled_catalogue_is_the_written_one() -> None:
    """Servers read the compiled file; both stand in the repository."""
    with (CATALOGUE / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    text = (CATALOGUE / "django.po").read_text()
    said = re.findall(r'^msgid "(.+)"\nmsgstr "(.+)"$', text, re.MULTILINE)
    assert len(said) > 170
    assert {_plain(key): _plain(value) for key, value in said} == {
        key: value for key, value in compiled.items() if key and isinstance(key, str)
    }
    assert "#~" not in text
    assert len(re.findall(r"^#: \w+/", text, re.MULTILINE)) >= text.count("\nmsgid ") - 1
    with translation.override("fr"):
        assert translation.gettext("Send my request") == "Envoyer ma demande"


def _plain(quoted: str) -> str:
    return quoted.replace('\\"', '"').replace("\\n", "\n")
