"""A supporter is on the public page by their own word alone, and off it at once."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.timezone import localdate
from PIL import Image

from psi import tenancy
from psi.tenancy import site_scope
from sites.engine import agenda
from sites.engine.audit import SYSTEM, Actor
from sites.engine.models import AuditEntry
from sites.engine.moves import Refused
from sites.people import transitions as people
from sites.tenants.models import Membership, Role, Site
from tests import people as cast
from tests.markup import flat
from tests.people import World
from training.supporters import photos, public_page, transitions
from training.supporters.forms import SupporterForm
from training.supporters.models import PeerSupporter, Photo
from training.supporters.queries import FEW, PAGE, few

SignIn = Callable[[Any], Client]
BIO = "I work nights. <b>Call me</b> & we talk."


def picture(colour: str = "teal", kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (400, 400), colour).save(out, kind)
    return out.getvalue()


def file(body: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("Dr Secret at home.php", body, content_type="text/html")


def show(supporter: PeerSupporter, colour: str = "teal", **said: Any) -> str:
    """Let a supporter agree; return the address of the photo."""
    by = Actor(supporter.user_id, Role.SUPPORTER.value)
    with site_scope(supporter.site_id):
        public_page.save_page(supporter.pk, **{"bio": BIO, "bio_fr": "", "shown": True} | said, by=by)
        sent = picture(colour)
        public_page.put_photo(supporter.pk, photos.redrawn(io.BytesIO(sent), len(sent)), by=by)
        digest = Photo.objects.values_list("digest", flat=True).get(supporter=supporter)
        slug = Site.objects.get(pk=supporter.site_id).slug
    return f"/{slug}/peers/{digest}.jpg"


def trail(world: World) -> list[tuple[str, str]]:
    with site_scope(world.north.pk):
        return list(AuditEntry.objects.order_by("number").values_list("action", "role"))


def shown(path: str = "/north/") -> bool:
    return "Dr Sam North" in Client().get(path).text


def test_a_supporter_agrees_and_is_shown_with_words_and_photo(world: World, sign_in: SignIn) -> None:
    browser = sign_in(world["north supporter"])
    assert 'href="/north/my/page/">Show yourself on the public page' in browser.get("/north/my/").text
    before = len(trail(world))
    said = {"bio": BIO, "bio_fr": "", "shown": "on", "photo": file(picture())}
    answer = browser.post("/north/my/page/", said, follow=True)
    assert "You are on the public page" in answer.text
    assert 'src="data:image/jpeg;base64,' in answer.text
    assert trail(world)[before:] == [("PHOTO", "supporter"), ("BIO", "supporter"), ("SHOWN", "supporter")]
    with site_scope(world.north.pk):
        digest = Photo.objects.get().digest
    for path in ("/north/", "/north/peers/", "/north/?lang=fr"):
        page = flat(Client().get(path).text)
        assert "Dr Sam North" in page
        assert "I work nights. &lt;b&gt;Call me&lt;/b&gt; &amp; we talk." in page
        image = f'<img src="/north/peers/{digest}.jpg" width="96" height="96" alt="Dr Sam North" loading="lazy">'
        assert image in page
        assert ('<div lang="en"><p>I work nights' in page) is ("fr" in path)
        assert "Secret" not in page
    picture_ = Client().get(f"/north/peers/{digest}.jpg")
    assert (picture_.status_code, picture_["Content-Type"]) == (200, "image/jpeg")
    assert picture_["X-Content-Type-Options"] == "nosniff"
    assert picture_["Cache-Control"] == "max-age=86400, private, immutable"
    assert picture_.cookies == {}


def test_not_agreed_nothing_is_shown_and_the_photo_has_no_address(world: World, sign_in: SignIn) -> None:
    browser = sign_in(world["north supporter"])
    browser.post("/north/my/page/", {"bio": BIO, "bio_fr": "", "photo": file(picture())})
    with site_scope(world.north.pk):
        digest = Photo.objects.get().digest
    assert not shown() and not shown("/north/peers/")
    assert Client().get(f"/north/peers/{digest}.jpg").status_code == 404
    assert browser.get(f"/north/peers/{digest}.jpg").status_code == 404


def _unchecked(world: World, browser: Client) -> None:
    browser.post("/north/my/page/", {"bio": BIO, "bio_fr": ""})


def _taken_off(world: World, browser: Client) -> None:
    path = f"/north/supporters/{world['north supporter'].pk}/"
    assert "Take them off the page" in browser.get(path).text
    browser.post(path, {"do": "take_off"})
    assert "Take them off the page" not in browser.get(path).text
    # The administrator's own form cannot put anybody on it.
    browser.post(path, {"state": "ACTIVE", "cap_year": 7, "cap_live": 2, "published": "on", "shown": "on"})


def _left(world: World, browser: Client) -> None:
    with site_scope(world.north.pk):
        today = localdate(tenancy.now())
    browser.post(f"/north/supporters/{world['north supporter'].pk}/", {"do": "leaves", "on": f"{today:%Y-%m-%d}"})
    agenda.sweep()


def _ended(world: World, browser: Client) -> None:
    with site_scope(world.north.pk):
        held = Membership.objects.get(site=world.north, user=world["north supporter"], role=Role.SUPPORTER)
        people.end_role(held, by=SYSTEM)


@pytest.mark.parametrize(
    ("way", "who"),
    [(_unchecked, "supporter"), (_taken_off, "administrator"), (_left, "administrator"), (_ended, "administrator")],
)
def test_every_way_off_the_page_is_at_once_and_deletes_the_photo(
    world: World, sign_in: SignIn, way: Any, who: str
) -> None:
    path = show(world.supporters["north"])
    assert (shown(), Client().get(path).status_code) == (True, 200)
    way(world, sign_in(world[f"north {who}"]))
    assert not shown() and not shown("/north/peers/")
    assert Client().get(path).status_code == 404
    with site_scope(world.north.pk):
        assert not Photo.objects.exists()
        assert PeerSupporter.objects.get(pk=world.supporters["north"].pk).published is False
    assert [action for action, _role in trail(world)].count("UNSHOWN") == 1


def test_a_role_that_ended_can_agree_to_nothing_and_its_agreement_does_not_come_back(world: World) -> None:
    show(world.supporters["north"])
    _ended(world, Client())
    with site_scope(world.north.pk), pytest.raises(Refused):
        public_page.save_page(world.supporters["north"].pk, bio="", bio_fr="", shown=True, by=SYSTEM)
    cast.member(world.north, Role.SUPPORTER, "Dr Sam North", world["north supporter"])
    assert not shown()


def test_who_is_not_active_yet_is_not_shown(world: World) -> None:
    path = show(world.supporters["north"])
    with site_scope(world.north.pk):
        PeerSupporter.objects.update(state=PeerSupporter.State.PREPARING)
    assert (shown(), Client().get(path).status_code) == (False, 404)


@pytest.mark.parametrize("closing", [{"is_open": False}, {"privacy_officer": ""}])
def test_a_site_that_takes_no_requests_shows_nobody(world: World, closing: dict[str, Any]) -> None:
    path = show(world.supporters["north"])
    Site.objects.filter(pk=world.north.pk).update(**closing)
    for at in ("/north/", "/north/peers/"):
        page = Client().get(at).text
        assert "not taking requests yet" in page and "Ask the provincial team" in page
        assert "Dr Sam North" not in page
    assert "Who sees my name?" not in Client().get("/north/").text
    assert Client().get(path).status_code == 404


def test_a_photo_is_at_its_own_site_alone(world: World) -> None:
    there = show(world.supporters["south"])
    home = show(cast.supporter(world.province, "Dr Pia Province"), "navy")
    for path in (there, home):
        assert Client().get(path).status_code == 200
        name = path.rsplit("/", 1)[1]
        others = {"north", "south", "province"} - {path.split("/")[1]}
        assert {Client().get(f"/{other}/peers/{name}").status_code for other in others} == {404}


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"photo": b"<svg/>"}, "This is not a photo we can read"),
        ({"photo": b""}, "This is not a photo we can read"),
        ({"bio_fr": "x" * 401}, "Keep this to 400 characters; it has 401."),
    ],
)
def test_on_an_error_everything_typed_stays(world: World, sign_in: SignIn, said: dict[str, Any], sentence: str) -> None:
    sent = {"bio": "Typed & kept", "bio_fr": "Tapé", "shown": "on"} | said
    if "photo" in said:
        sent["photo"] = file(said["photo"])
    answer = sign_in(world["north supporter"]).post("/north/my/page/", sent)
    assert answer.status_code == 422
    assert sentence in answer.text and "Typed &amp; kept" in answer.text and "checked" in answer.text
    assert not shown()


def test_a_good_photo_is_kept_although_the_words_are_too_long(world: World, sign_in: SignIn) -> None:
    browser = sign_in(world["north supporter"])
    answer = browser.post("/north/my/page/", {"bio": "x" * 401, "bio_fr": "", "photo": file(picture())})
    assert (answer.status_code, 'src="data:image/jpeg' in answer.text) == (422, True)
    gone = browser.post("/north/my/page/", {"bio": "Still here", "bio_fr": "", "do": "remove_photo"})
    assert (gone.status_code, "data:image" in gone.text, "Still here" in gone.text) == (200, False, True)


def test_who_is_leaving_the_page_puts_no_photo_on_it(world: World, sign_in: SignIn) -> None:
    path = show(world.supporters["north"])
    browser = sign_in(world["north supporter"])
    browser.post("/north/my/page/", {"bio": "x" * 401, "bio_fr": "", "photo": file(picture("red"))})
    assert Client().get(path).status_code == 200
    browser.post("/north/my/page/", {"bio": "", "bio_fr": "", "photo": file(picture("red"))})
    with site_scope(world.north.pk):
        assert not Photo.objects.exists()


def test_what_the_supporter_said_survives_the_administrators_form(world: World) -> None:
    """Both stand on one row; the form writes its own columns alone."""
    mine = world.supporters["north"]
    with site_scope(world.north.pk):
        stale = PeerSupporter.objects.get(pk=mine.pk)
        data = {
            "state": "ACTIVE",
            "practice": "UNSAID",
            "stage": "MID",
            "gender": "UNSAID",
            "cap_year": 5,
            "cap_live": 2,
        }
        form = SupporterForm(data, instance=stale)
        assert form.is_valid()
        show(mine)
        transitions.save_line(mine.user_id, form.columns(), departments=[], state=form.chosen_state(), by=SYSTEM)
        now = PeerSupporter.objects.get(pk=mine.pk)
        assert (now.bio, now.published, now.cap_year) == (BIO, True, 5)


def test_forty_supporters_take_turns_and_have_a_page(world: World) -> None:
    for i in range(40):
        cast.supporter(world.north, f"Dr Number {i:02}", published=True, bio=f"Words {i:02}.")
    page = Client().get("/north/").text
    assert page.count("<b>Dr Number") == FEW
    assert "All 40 peer supporters" in page
    first, second = (Client().get(f"/north/peers/?page={number}").text for number in (1, 2))
    assert (first.count("<b>Dr Number"), second.count("<b>Dr Number")) == (PAGE, 40 - PAGE)
    assert "?page=2" in first and "Dr Number 00" in first and "Dr Number 39" in second


def test_from_day_to_day_others_are_first(world: World) -> None:
    for i in range(5):
        cast.supporter(world.north, f"Dr Number {i}", published=True)
    with site_scope(world.north.pk):
        days = [[face.name[-1] for face in few("en", day)[0]] for day in range(5)]
    assert sorted("".join(map("".join, days))) == sorted("01234" * FEW)
