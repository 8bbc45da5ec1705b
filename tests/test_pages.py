"""What people type wrong is said in a clear sentence and kept; what nobody should type breaks nothing."""

import re
import tomllib
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.conf import settings
from django.db import OperationalError, transaction
from django.test import Client, RequestFactory

from psi.tenancy import site_scope
from referrals.requests.models import Referral
from referrals.requests.receipts import receipt_of
from sites.landing.errors import csrf_failure, trouble
from sites.tenants.models import Site
from tests import line, rows
from tests import people as cast
from tests.markup import flat
from tests.test_walk import Place, Walk, addresses, walked  # noqa: F401  the furnished world
from tracker.conversations.models import Interaction
from training.supporters.models import Department

World = cast.World
SignIn = Callable[[Any], Client]
LINES = tomllib.loads((Path(settings.BASE_DIR) / "sites/reference/reference.toml").read_text())["crisis"]


@dataclass
class Page(HTMLParser):
    """A page as read: what is said is wrong, where, and what the fields hold."""

    ids: set[str] = field(default_factory=set)
    values: dict[str, list[str]] = field(default_factory=dict)
    offered: dict[str, set[str]] = field(default_factory=dict)
    summary: list[tuple[str, str]] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    described: dict[str, str] = field(default_factory=dict)
    text: str = ""
    _open: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    VOID = ("input", "br", "link", "meta", "img", "hr", "rect", "path")

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag not in self.VOID:
            self._open.append((tag, given))
        self.ids |= {given["id"]} if "id" in given else set()
        if "aria-invalid" in given and "aria-describedby" in given:
            self.described[given.get("name", "")] = given["aria-describedby"]
        if tag == "input" and "name" in given:
            ticked = given.get("type") in ("radio", "checkbox")
            if ticked:
                self.offered.setdefault(given["name"], set()).add(given.get("value", "on"))
            if not ticked or "checked" in given:
                self.values.setdefault(given["name"], []).append(given.get("value", "on" if ticked else ""))
        if tag == "option":
            select = next(values["name"] for name, values in reversed(self._open) if name == "select")
            self.offered.setdefault(select, set()).add(given["value"])
            if "selected" in given:
                self.values.setdefault(select, []).append(given["value"])
        if tag == "br":
            self.handle_data("\n")

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        self.text += data
        inside = [(tag, given) for tag, given in self._open]
        if any(given.get("class") == "summary" for _, given in inside) and any(tag == "li" for tag, _ in inside):
            link = next((given["href"] for tag, given in inside if tag == "a"), "")
            if data.strip():
                self.summary.append((data.strip(), link))
        for _, given in inside:
            if given.get("class") == "error" and given.get("id", "").endswith("_error"):
                name = given["id"].removeprefix("id_").removesuffix("_error")
                self.errors[name] = self.errors.get(name, "") + data


def read(answer: Any) -> Page:
    page = Page()
    page.feed(answer.content.decode())
    page.close()
    return page


KEY = str(uuid.UUID(int=7))
# Who sends what where, and what they are told: field → sentence; "" is about the form as a whole.
BAD_INPUT: list[tuple[str, str, dict[str, Any], dict[str, str]]] = [
    (
        "nobody",
        "/north/request/",
        {
            "key": KEY,
            "name": "",
            "phone": "call me",
            "email": "robin at home",
            "avoid_names": "z" * 301,
            "times": ["EVENING", "WEEKEND"],
            "looking_for": "TREATMENT",
            "reasons": ["EVENT", "BURNOUT"],
            "wishes": ["WOMAN", "FRENCH", "STAGE", "SPECIALTY"],
            "stage": "LATE",
            "specialty": "SURGERY",
            "agree_survey": "on",
        },
        {
            "name": "Enter a name. It may be one you made up.",
            "phone": "Enter a phone number, such as 604 555 0123.",
            "email": "Enter an email address such as name@example.ca.",
            "avoid_names": "Keep this to 300 characters.",
            "wishes": "Choose at most three wishes.",
            "peer_from": "Choose where your peer should come from.",
            "agree_match": "Tick the box to agree to be matched and contacted.",
        },
    ),
    (
        "nobody",
        "/north/request/",
        {
            "key": KEY,
            "name": "Robin",
            "phone": "",
            "email": "",
            "peer_from": "OUTSIDE",
            "agree_match": "on",
            "departments": ["{department}"],
        },
        {"phone": "Enter a phone number or an email address, so that your peer can reach you."},
    ),
    (
        "nobody",
        "/north/request/",
        {
            "key": KEY,
            "name": "Robin",
            "phone": "555 12",
            "peer_from": "HERE",
            "agree_match": "on",
            "practice": "FAMILY",
        },
        {"phone": "This phone number is too short. Enter all its digits."},
    ),
    (
        "nobody",
        "/province/request/",
        {"key": KEY, "name": "Robin", "email": "robin@", "agree_match": "on"},
        {"email": "Enter an email address such as name@example.ca."},
    ),
    ("nobody", "/north/status/", {"receipt": ""}, {"receipt": "Enter the sixteen digits of your receipt."}),
    (
        "nobody",
        "/north/status/",
        {"receipt": "1234 5678 9012"},
        {"receipt": "We do not find this receipt. Please check its sixteen digits."},
    ),
    (
        "nobody",
        "/north/status/",
        {"receipt": "1234 5678 9012 3456"},
        {"receipt": "We do not find this receipt. Please check its sixteen digits."},
    ),
    (
        "north administrator",
        "/north/settings/",
        {"is_open": "on", "reach_out": "on", "privacy_officer": "", "time_zone": "America/Creston"},
        {"privacy_officer": "Name who answers for privacy before you open."},
    ),
    (
        "north administrator",
        "/north/settings/people/",
        {"name": "", "email": "sam at work", "role": "lead"},
        {"name": "Enter the name they go by here.", "email": "Enter an email address such as name@example.ca."},
    ),
    (
        "north administrator",
        "/north/settings/people/",
        {"name": "Ada Again", "email": "ADA.north@north.example.org", "role": "administrator"},
        {"": "This person has this role here already."},
    ),
    (
        "north administrator",
        "/north/settings/departments/",
        {"name": "obstetrics"},
        {"name": "This department is on the list already."},
    ),
    ("north administrator", "/north/settings/departments/", {"name": " "}, {"name": "Enter the name of a department."}),
    (
        "north administrator",
        "/north/supporters/{user}/",
        {
            "state": "ACTIVE",
            "trained_on": "last spring",
            "agreement_until": "2026-02-31",
            "paused_until": "soon",
            "practice": "FAMILY",
            "stage": "MID",
            "gender": "UNSAID",
            "speaks_french": "on",
            "cap_year": "seven",
            "cap_live": "",
            "evaluates": ["{department}"],
        },
        {
            "trained_on": "Enter a date such as 2026-09-17.",
            "agreement_until": "Enter a date such as 2026-09-17.",
            "paused_until": "Enter a date such as 2026-09-17.",
            "cap_year": "Enter a whole number.",
            "cap_live": "Enter a number, at least 1.",
        },
    ),
    (
        "north administrator",
        "/north/training/new/",
        {"kind": "PRACTICE", "day": "soon", "minutes": "5", "place": "", "link": "zoom", "capacity": "many"},
        {
            "day": "Enter a date such as 2026-09-17.",
            "time": "Enter a time such as 18:30.",
            "minutes": "Enter a whole number, 15 to 600.",
            "place": "Say where, or “Online”.",
            "link": "Enter a whole address, such as https://example.org/room.",
            "capacity": "Enter a whole number, 1 to 500.",
        },
    ),
    ("north administrator", "/north/requests/{ref}/close/", {"outcome": ""}, {"outcome": "Choose how it ended."}),
    (
        "north supporter",
        "/north/my/{talking}/conversation/",
        {"key": KEY, "number": "2", "ease": "4", "resources": ["PHP", "CMPA"], "wants_debrief": "on"},
        {
            "way": "Choose how you talked.",
            "minutes": "Choose about how long it was.",
            "strain": "Choose a number for how hard it was on you.",
            "safety_steps": "Say whether you followed the safety steps.",
        },
    ),
    (
        "coordinator",
        "/province/sites/",
        {
            "name": "",
            "slug": "accounts",
            "kind": "MSA",
            "cohort": "first",
            "funding": "EXISTING",
            "law": "FIPPA",
            "reach_in": "on",
            "privacy_officer": "Somebody",
            "time_zone": "America/Creston",
            "first_name": "",
            "first_email": "first at site",
        },
        {
            "name": "Enter the name of the organization.",
            "slug": "“accounts” is an address of the program itself. Please choose another.",
            "cohort": "Enter a whole number.",
            "first_name": "Enter the name of the first administrator.",
            "first_email": "Enter an email address such as name@example.ca.",
        },
    ),
    (
        "coordinator",
        "/province/sites/",
        {
            "name": "Second North",
            "slug": "north",
            "kind": "MSA",
            "cohort": "",
            "funding": "FUNDED",
            "law": "PIPA",
            "time_zone": "America/Creston",
            "first_name": "F",
            "first_email": "f@example.org",
        },
        {"slug": "Another site has this short name already.", "cohort": "Enter the number of the cohort."},
    ),
    (
        "coordinator",
        "/province/sites/",
        {
            "name": "Big",
            "slug": "Big North",
            "kind": "MSA",
            "cohort": "2",
            "funding": "FUNDED",
            "law": "PIPA",
            "time_zone": "America/Creston",
            "first_name": "F",
            "first_email": "f@example.org",
        },
        {"slug": "Use small letters, digits and hyphens, such as north-shore."},
    ),
    (
        "coordinator",
        "/province/sites/north/",
        {
            "name": "",
            "kind": "SECTION",
            "cohort": "-",
            "funding": "EXISTING",
            "law": "FIPPA",
            "privacy_officer": "Kept",
            "time_zone": "America/Creston",
        },
        {"name": "Enter the name of the organization.", "cohort": "Enter a whole number."},
    ),
    (
        "nobody",
        "/north/nominate/",
        {"key": KEY, "name": "", "email": "wren at work", "nominator": "Kept"},
        {"name": "Enter the name of your colleague.", "email": "Enter an email address such as name@example.ca."},
    ),
    ("north administrator", "/north/supporters/import/", {"file": ""}, {"file": "Choose a file."}),
    ("nobody", "/accounts/login/", {"login": ""}, {"login": "Please type your email address."}),
    (
        "nobody",
        "/accounts/login/",
        {"login": "me at home"},
        {"login": "Please type an email address, such as name@example.ca."},
    ),
]


@pytest.fixture
def furnished(world: World) -> dict[str, str]:
    """What stands in the addresses of the table."""
    with site_scope(world.north.pk):
        department = Department.objects.create(name="Obstetrics")
    waiting, talking = line.request(world.north), line.contacted(world)
    return {
        "ref": waiting.ref,
        "talking": line.fresh(talking).referral.ref,
        "user": str(world["north supporter"].pk),
        "department": str(department.pk),
    }


def browser(world: World, sign_in: SignIn, who: str) -> Client:
    return Client() if who == "nobody" else sign_in(world[who])


@pytest.mark.parametrize(
    ("who", "path", "typed", "told"), BAD_INPUT, ids=[f"{row[1]}-{i}" for i, row in enumerate(BAD_INPUT)]
)
def test_bad_input_gets_a_sentence_and_is_kept(
    world: World,
    furnished: dict[str, str],
    sign_in: SignIn,
    who: str,
    path: str,
    typed: dict[str, Any],
    told: dict[str, str],
) -> None:
    typed = {
        name: [v.format(**furnished) for v in value] if isinstance(value, list) else value
        for name, value in typed.items()
    }
    answer = browser(world, sign_in, who).post(path.format(**furnished), typed)
    page = read(answer)
    # The sentences, in the summary and again at each field, reached from the summary.
    assert answer.status_code in (200, 422)
    assert sorted(sentence for sentence, _ in page.summary) == sorted(told.values())
    assert {name: page.errors[name].strip() for name in page.errors} == {k: v for k, v in told.items() if k}
    at_fields = [link for sentence, link in page.summary if sentence != told.get("")]
    assert [link for link in at_fields if link.removeprefix("#") not in page.ids] == []
    for name in set(told) - {""}:
        assert f"id_{name}_error" in page.described.get(name, "") or page.offered.get(name), name
    # What was typed is there, closed lists and switches included.
    for name, value in typed.items():
        expected = sorted(value if isinstance(value, list) else [value])
        if name in page.offered:
            expected = [one for one in expected if one in page.offered[name]]
        assert sorted(page.values.get(name, [])) == expected, name
    switches = {name for name, values in page.offered.items() if values == {"on"}}
    assert {name for name in switches if name in page.values} == {name for name in switches if name in typed}


def test_everything_typed_is_escaped(world: World, client: Client) -> None:
    nasty = "\"><script>alert(1)</script>'"
    for path, name in (("/north/request/", "name"), ("/north/request/", "avoid_names"), ("/north/status/", "receipt")):
        answer = client.post(path, {name: nasty, "email": "x"})
        assert nasty not in answer.content.decode()
        assert read(answer).values[name] == [nasty]


@pytest.mark.parametrize(
    ("who", "path", "typed", "sentence"),
    [
        (
            "north administrator",
            "/north/requests/{ref}/choose/",
            {"supporter": "{away}"},
            "Please say why, to invite this",
        ),
        ("north administrator", "/north/requests/{ref}/confirm/", {}, "This has moved on in the meantime."),
        ("north administrator", "/north/requests/{ref}/revoke/", {}, "This has moved on in the meantime."),
        ("north administrator", "/north/requests/{ref}/reassign/", {}, "This has moved on in the meantime."),
        ("north supporter", "/north/my/{talking}/accept/", {}, "This has moved on in the meantime."),
        ("north supporter", "/north/my/{talking}/decline/", {"why": "KNOWN"}, "This has moved on in the meantime."),
        ("north supporter", "/north/my/{talking}/contacted/", {}, "This has moved on in the meantime."),
        ("north administrator", "/north/settings/people/{me}/", {"do": "end"}, "A site needs an administrator."),
        (
            "north administrator",
            "/north/settings/people/{me}/",
            {"do": "change", "role": "king"},
            "There is no such role",
        ),
    ],
)
def test_a_refused_move_comes_back_as_a_sentence_on_the_page_it_was_made_from(
    world: World, furnished: dict[str, str], sign_in: SignIn, who: str, path: str, typed: dict[str, str], sentence: str
) -> None:
    paused = rows.supporter(world.north, "Dr Paused", paused_until="2099-01-01")
    me = world["north administrator"].memberships.get().pk
    known = furnished | {"away": str(paused.pk), "me": str(me)}
    path = path.format(**known)
    page = re.sub(r"(confirm|revoke|reassign|accept|decline|contacted)/$", "", path)
    data = {name: value.format(**known) for name, value in typed.items()}
    answer = browser(world, sign_in, who).post(path, data, follow=True, headers={"Referer": f"http://testserver{page}"})
    assert (answer.status_code, answer.request["PATH_INFO"]) == (200, page)
    assert sentence in answer.content.decode()


NASTY = {
    "nul": "a\x00b",
    "long": "9" * 5000,
    "words": "w " * 3000,
    "emoji": "👩‍⚕️🇨🇦",
    "minus": "-1",
    "big": "9" * 19,
    "bigger": "99999999999999999999",
    "digits": "٣",
    "power": "²",
    "percent": "%00%s{0}",
    "quote": "';--\"<x>",
    "surrogate": b"\xed\xa0\x80",
    "latin": b"\xff\xfe",
    "uuid": "00000000-0000-0000-0000-00000000000g",
    "json": '{"a":[1]}',
    "none": "None",
    "line": "a\r\nX-Injected: 1",
}


def may_open(world: Walk, slug: str, address: Any) -> Client:
    """Return the browser of somebody for whom this address is meant."""
    roles = address.access.roles
    inside = world.insiders(slug)
    return next((inside[role] for role in sorted(roles) if role in inside), inside["administrator"])


def knock(client: Client, method: str, url: str, data: Any = None) -> int:
    """Return the status; everything is taken back afterwards, the session too."""
    kept = {name: morsel.value for name, morsel in client.cookies.items()}
    with transaction.atomic():
        answer = getattr(client, method)(url, data)
        if answer.streaming:
            list(answer)
        transaction.set_rollback(True)
    client.cookies.clear()
    for name, value in kept.items():
        client.cookies[name] = value
    return answer.status_code


# Fields of each form that are tried alone, among good ones; all other pages are sent a few things at once.
FIELDS = {
    "request": (
        "key",
        "reasons",
        "peer_from",
        "name",
        "phone",
        "email",
        "ways",
        "times",
        "voicemail",
        "talk_in",
        "looking_for",
        "stage",
        "practice",
        "specialty",
        "source",
        "departments",
        "wishes",
        "avoid",
        "avoid_names",
    ),
    "about_me": ("gender", "traits", "languages", "evaluated"),
    "nominate": ("key", "name", "email", "nominator"),
    "recruit": ("do", "why"),
    "interest": ("do", "practice", "specialty", "evaluated", "bio"),
    "roster_import": ("sealed", "file"),
    "status": ("receipt", "sealed", "do"),
    "survey": ("receipt", "sealed", "do", "lang", "in_time", "again"),
    "choose": ("supporter", "override", "instead_of", "seen"),
    "people": ("revoke", "role", "email", "name"),
    "member": ("do", "role"),
    "decline": ("why", "seen"),
    "reassign": ("instead_of", "seen"),
    "close": ("outcome",),
    "conversation": ("key", "number", "way", "minutes", "ease", "strain", "resources"),
    "supporter": ("trained_on", "cap_year", "cap_live", "specialty", "evaluates", "state"),
    "settings": ("privacy_officer", "time_zone"),
    "departments": ("name",),
    "wording": ("back", "do"),
    "wording_text": ("intro", "promise", "hours", "question_0", "answer_0"),
    "wording_preview": ("seen",),
    "new_session": ("kind", "day", "time", "minutes", "place", "link", "capacity", "approval"),
    "sessions": ("at", "session"),
    "my_training": ("at", "session"),
    "my_page": ("bio", "bio_fr", "photo", "shown", "do"),
    "province_sites": ("name", "slug", "kind", "cohort", "privacy_officer", "first_name", "first_email"),
    "province_site": ("name", "cohort"),
    "demo": ("part",),
    "account_login": ("login", "next"),
    "account_logout": ("next",),
    "join": ("email",),
}


ALONE = ("nul", "long", "power", "surrogate")


def test_nothing_that_can_be_typed_breaks_a_form(walked: Walk) -> None:  # noqa: F811
    broken = []
    for address in addresses():
        slug = address.fixed.get("site", "north")
        place, client = walked.places[slug], may_open(walked, slug, address)
        url, good = place.url(address), place.posted(address)
        for what, nasty in NASTY.items():
            tries = []
            if address.name in FIELDS:
                alone = FIELDS[address.name] if what in ALONE else ()
                tries = [good | {name: nasty} for name in alone]
                tries.append({name: [nasty, nasty] for name in (*good, *FIELDS[address.name])})
            elif what in ("nul", "long", "surrogate"):
                tries = [dict.fromkeys(good, nasty)]
            broken += [(url, what, status) for data in tries if (status := knock(client, "post", url, data)) >= 500]
    assert broken == []


def test_nothing_that_can_stand_in_an_address_breaks_a_page(walked: Walk) -> None:  # noqa: F811
    broken = []
    for address in addresses():
        slug = address.fixed.get("site", "north")
        place, client = walked.places[slug], may_open(walked, slug, address)
        for what in ("nul", "long", "emoji", "minus", "big", "bigger", "digits", "power", "percent", "line"):
            asked = [_with(place, address, argument, NASTY[what]) for argument in address.takes]
            if address.name in ("requests", "audit", "account_login", "home", "second_factor"):
                asked.append(f"{place.url(address)}?{urlencode(dict.fromkeys(('before', 'next'), NASTY[what]))}")
            broken += [(url[:90], status) for url in asked if (status := knock(client, "get", url)) >= 500]
    assert broken == []


def test_a_form_without_its_key_says_what_to_do(world: World, sign_in: SignIn) -> None:
    ref = line.fresh(line.contacted(world)).referral.ref
    for client, path in (
        (Client(), "/north/request/"),
        (sign_in(world["north supporter"]), f"/north/my/{ref}/conversation/"),
    ):
        for key in ("", "broken"):
            page = read(client.post(path, {"key": key, "name": "Robin"}))
            assert ("Please load this page anew, and send it again.", "") in page.summary


def _with(place: Place, address: Any, argument: str, value: str) -> str:
    """Return the address with one argument replaced, percent-encoded as a browser would."""
    filled = place.fill(address) | {argument: value}
    return "/" + re.sub(r"<(?:[^:>]+:)?([^>]+)>", lambda found: quote(str(filled[found[1]]), safe=""), address.route)


def test_a_double_press_sends_one_request_and_shows_one_receipt(world: World) -> None:
    client, key = Client(), uuid.uuid4()
    form = {"peer_from": "HERE", "name": "Robin", "phone": "604 555 0177", "agree_match": "on"}
    form |= line.opened("/north/request/", key)
    shown = []
    for _ in range(2):
        assert client.post("/north/request/", form).status_code == 302
        text = flat(client.get("/north/request/sent/").content.decode())
        shown.append(re.sub(r"\D", "", re.findall(r'class="receipt.*?</p>', text)[0]))
    assert shown == [receipt_of(world.north.pk, key).replace(" ", "")] * 2
    with site_scope(world.north.pk):
        assert Referral.objects.count() == 1


def test_eight_presses_at_the_same_moment_send_one_request(committed_world: World) -> None:
    form = {"peer_from": "OUTSIDE", "name": "R", "phone": "604 555 0177", "agree_match": "on"}
    form |= line.opened("/north/request/")
    answers = line.together(*[lambda: Client().post("/north/request/", form).status_code] * 8)
    assert answers == [302] * 8
    with site_scope(committed_world.province.pk):
        assert Referral.objects.count() == 1
    with site_scope(committed_world.north.pk):
        assert Referral.objects.count() == 0


def test_a_double_press_of_the_tracker_records_one_conversation(world: World, sign_in: SignIn) -> None:
    match = line.contacted(world)
    path = f"/north/my/{line.fresh(match).referral.ref}/conversation/"
    said = {"key": str(uuid.uuid4()), "number": "1", "way": "PHONE", "minutes": "UNDER_15", "ease": "3", "strain": "3"}
    said["safety_steps"] = "no"
    client = sign_in(world["north supporter"])
    assert [client.post(path, said).status_code for _ in range(2)] == [302, 302]
    with site_scope(world.north.pk):
        assert Interaction.objects.count() == 1


# Who is told what when a door is closed: fields of the site → (page, heading, where to go).
PROVINCE = "/province/request/"
DOORS: list[tuple[dict[str, Any], str, str, str]] = [
    ({"is_open": False}, "/north/", "This program is not taking requests yet", PROVINCE),
    ({"is_open": False}, "/north/request/", "This program is not taking requests yet", PROVINCE),
    ({"is_open": False}, "/north/colleague/", "This program is not taking requests yet", PROVINCE),
    ({"privacy_officer": ""}, "/north/", "This program is not taking requests yet", PROVINCE),
    ({"privacy_officer": ""}, "/north/request/", "This program is not taking requests yet", PROVINCE),
    ({"reach_in": False}, "/north/", "This program does not take requests on its own page.", PROVINCE),
    ({"reach_in": False}, "/north/request/", "This program does not take requests here", PROVINCE),
    ({"reach_out": False}, "/north/colleague/", "You can help all the same", "/north/"),
    ({"reach_out": False, "reach_in": False}, "/north/colleague/", "You can help all the same", "/province/"),
    ({"reach_in": False}, "/north/colleague/", "Offer to ask the provincial team together.", PROVINCE),
]


@pytest.mark.parametrize(("fields", "path", "words", "leads"), DOORS)
def test_a_closed_door_says_where_to_go(
    world: World, client: Client, fields: dict[str, Any], path: str, words: str, leads: str
) -> None:
    Site.objects.filter(slug="north").update(**fields)
    answer = client.get(path)
    text = answer.content.decode()
    assert answer.status_code == 200
    assert words in text
    assert f'href="{leads}"' in text.split("<main")[1]
    if path != "/north/colleague/" and "reach_out" not in fields:
        assert 'href="/north/request/"' not in text
    assert client.post("/north/request/", {"key": str(uuid.uuid4())}).status_code == (
        422 if fields == {"reach_out": False} else 200
    )


@pytest.mark.parametrize("fields", [{"is_open": False}, {"privacy_officer": ""}, {"reach_in": False}])
def test_a_form_sent_to_a_closed_door_stores_nothing(world: World, client: Client, fields: dict[str, Any]) -> None:
    """The site closed while somebody was typing: they are told where to go."""
    Site.objects.filter(slug="north").update(**fields)
    form = {"key": str(uuid.uuid4()), "peer_from": "HERE", "name": "R", "phone": "604 555 0177", "agree_match": "on"}
    answer = client.post("/north/request/", form)
    assert f'action="{PROVINCE}"' in answer.content.decode()
    with site_scope(world.north.pk):
        assert not Referral.objects.exists()


def test_the_province_closed_sends_people_to_the_telephone(world: World, client: Client) -> None:
    Site.objects.filter(slug="province").update(is_open=False)
    text = client.get("/province/request/").content.decode()
    assert "Please call the Physician Health Program. Someone answers at any time." in text
    assert PROVINCE not in text.split("<main")[1]


def test_a_site_that_closed_is_paused_and_promises_nothing_of_its_own(world: World, client: Client) -> None:
    line.request(world.north)
    Site.objects.filter(slug="north").update(is_open=False)
    for path in ("/north/", "/north/request/", "/north/colleague/"):
        text = client.get(path).content.decode()
        assert "This program is not taking requests at the moment" in text, path
        assert ("requests yet" in text, "You ask" in text, "Offer to" in text) == (False, False, False), path
    Site.objects.filter(slug="province").update(is_open=False)
    assert f'href="{PROVINCE}"' not in client.get("/province/").content.decode()


PHP = "1-800-663-6729"


@pytest.mark.parametrize("path", ["/north/status/", "/north/request/sent/"])
def test_a_lost_receipt_is_asked_about_where_somebody_knows(world: World, client: Client, path: str) -> None:
    text = client.get(path).content.decode()
    assert "To ask how it stands: Privacy officer, 250 555 0100." in text
    assert f"If you chose “Outside my region”, ask the Physician Health Program instead: {PHP}." in text
    assert "We have your request" not in text
    Site.objects.filter(slug="north").update(privacy_officer="The privacy officer")
    assert f"The Physician Health Program can tell you whom to ask: {PHP}." in client.get(path).content.decode()


def test_the_provinces_page_gives_a_way_to_reach_its_privacy_officer(world: World, client: Client) -> None:
    def card() -> str:
        text = flat(client.get("/province/").content.decode())
        return text.split("Questions about your information: ")[1].split("<")[0]

    assert card() == f"Privacy Officer, Physician Health Program, {PHP}"
    Site.objects.filter(slug="province").update(privacy_officer="Pat, pat@example.ca")
    assert card() == "Pat, pat@example.ca"


def test_after_outside_my_region_the_provincial_team_looks(world: World, client: Client) -> None:
    form = {"name": "Robin", "phone": "604 555 0177", "agree_match": "on"}
    for where, words in (("HERE", "An administrator looks for a peer"), ("OUTSIDE", "The provincial team looks")):
        client.post("/north/request/", form | line.opened("/north/request/") | {"peer_from": where})
        assert words in client.get("/north/request/sent/").content.decode()


def test_closed_sites_are_not_offered_at_the_front_door(world: World, client: Client) -> None:
    Site.objects.filter(slug="north").update(is_open=False)
    text = client.get("/").content.decode()
    assert ('href="/north/"' in text, 'href="/south/"' in text) == (False, True)


class Crisis(HTMLParser):
    """The links one can call or write to on a page, in order: (address, words)."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self._at: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        target = dict(attrs).get("href") or ""
        if tag == "a" and target.startswith(("tel:", "sms:")):
            self._at = target
            self.found.append((target, ""))

    def handle_endtag(self, tag: str) -> None:
        self._at = None if tag == "a" else self._at

    def handle_data(self, data: str) -> None:
        if self._at:
            target, words = self.found[-1]
            self.found[-1] = (target, " ".join(f"{words}{data}".split()) + (" " if data[-1:].isspace() else ""))


def crisis_of(html: str) -> list[tuple[str, str]]:
    parser = Crisis()
    parser.feed(html)
    return [(target, words.strip()) for target, words in parser.found]


def full(text: str) -> list[tuple[str, str]]:
    links = []
    for entry in LINES:
        links += [(entry["tel"], entry["number"])]
        links += [(entry["sms"], text.format(entry["number"]))] if "sms" in entry else []
    return links


def one_line(label: str) -> list[tuple[str, str]]:
    return [(entry["tel"], f"{entry['number']} {entry[label]}") for entry in LINES if entry["code"] != "BC"]


FULL, FULL_FR = full("text {}"), full("textez le {}")
LINE, LINE_FR = one_line("label"), one_line("label_fr")


def test_the_reference_list_is_the_one_of_the_rules() -> None:
    assert [(entry["number"], entry["tel"]) for entry in LINES] == [
        ("9-1-1", "tel:911"),
        ("9-8-8", "tel:988"),
        ("1-800-663-6729", "tel:18006636729"),
        ("310-6789", "tel:3106789"),
    ]


@pytest.mark.parametrize(
    ("path", "method", "fields"),
    [
        ("/north/", "get", {}),
        ("/north/request/", "get", {}),
        ("/north/request/", "post", {}),
        ("/north/request/sent/", "get", {}),
        ("/north/request/", "get", {"is_open": False}),
        ("/north/", "get", {"is_open": False}),
        ("/north/request/", "get", {"reach_in": False}),
        ("/north/colleague/", "get", {}),
        ("/north/colleague/", "get", {"reach_out": False}),
        ("/province/", "get", {}),
        ("/nowhere/", "get", {}),
        ("/north/nowhere/", "get", {}),
    ],
)
def test_the_full_block_of_numbers_stands_where_it_must(
    world: World, client: Client, path: str, method: str, fields: dict[str, Any]
) -> None:
    if fields:
        Site.objects.filter(slug="north").update(**fields)
    text = getattr(client, method)(path).content.decode()
    assert crisis_of(text) == FULL
    assert "This form is not for emergencies and is not watched around the clock." in text
    french = getattr(client, method)(f"{path}?lang=fr").content.decode()
    assert crisis_of(french) == FULL_FR
    assert [entry["label_fr"] for entry in LINES if entry["label_fr"] not in french] == []


@pytest.mark.parametrize("path", ["/", "/north/status/", "/accounts/login/"])
def test_one_line_of_numbers_stands_on_other_public_pages(world: World, client: Client, path: str) -> None:
    assert crisis_of(client.get(path).content.decode()) == LINE
    # Signing in is in English.
    french = LINE if path.startswith("/accounts/") else LINE_FR
    assert crisis_of(client.get(f"{path}?lang=fr").content.decode()) == french


def test_supporters_have_the_line_too(world: World, sign_in: SignIn) -> None:
    match = line.contacted(world)
    ref, client = line.fresh(match).referral.ref, sign_in(world["north supporter"])
    for path in ("/north/my/", f"/north/my/{ref}/", f"/north/my/{ref}/conversation/"):
        page = client.get(path).content.decode().split("<main")[0]
        assert crisis_of(page) == LINE


def failing(error: type[Exception]) -> Any:
    """Return what the house says while `error` is being handled."""
    try:
        raise error
    except error:
        return trouble(RequestFactory().get("/north/request/"))


def test_the_numbers_stand_when_nothing_else_works(db: None) -> None:
    broken, away = failing(ZeroDivisionError), failing(OperationalError)
    stale = csrf_failure(RequestFactory().post("/north/request/"))
    assert (broken.status_code, away.status_code, away["Retry-After"], stale.status_code) == (500, 503, "5", 403)
    assert crisis_of(stale.text) == FULL
    # These know neither a language nor the list: both languages, word for word what the list begins with.
    for answer in (broken, away):
        assert crisis_of(answer.text) == FULL + FULL_FR
        for entry in LINES:
            for words in (("label", "note"), ("label_fr", "note_fr")):
                assert ", ".join(entry[word] for word in words if word in entry) in answer.text


def test_a_page_closed_to_a_role_shows_them_too(world: World, sign_in: SignIn) -> None:
    answer = sign_in(world["north lead"]).get("/north/today/")
    assert answer.status_code == 403
    assert crisis_of(answer.content.decode()) == FULL
