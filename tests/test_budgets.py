"""What a physician on a bad connection pays for, and what their browser keeps: nothing more than is needed."""

import re
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.utils import timezone

from psi import tenancy
from psi.sealed import Carrier
from psi.tenancy import site_scope
from referrals.requests.receipts import receipt_of
from tests import line
from tests.people import World, supporter
from training.supporters.models import Department

BUDGET = 14 * 1024  # bytes on the wire: one round trip of TCP's first window (experience.md)
DEPARTMENTS = ("Anesthesiology", "Emergency", "Family practice", "Internal medicine", "Obstetrics", "Psychiatry")
FORM_FREE = ("/", "/north/", "/north/peers/", "/north/colleague/", "/province/")
PAGES = (
    *FORM_FREE,
    "/north/request/",
    "/north/request/sent/",
    "/north/colleague/tell/?agreed=yes",
    "/north/colleague/thanks/",
    "/north/nominate/",
    "/north/nominate/thanks/",
    "/north/status/",
    "/accounts/login/",
    "/nowhere/at/all/",
)
CSP = {
    "default-src": "'none'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "script-src": "'self'",
    "connect-src": "'self'",
    "font-src": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
}


@dataclass
class Page(HTMLParser):
    """What a browser would do with a page: what it loads, what it would run, where it could go."""

    loads: list[str] = field(default_factory=list)
    sheets: list[str] = field(default_factory=list)
    leads: list[str] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "link" and given["rel"] == "stylesheet":
            self.sheets.append(given["href"])
        self.loads += [given[name] for name in ("src", "srcset", "poster", "data") if name in given]
        self.loads += [given["href"]] if tag in ("link", "use", "image") and "href" in given else []
        self.leads += [given[name] for name in ("href", "action", "formaction") if name in given and tag != "link"]
        self.runs += [tag] if tag in ("script", "iframe", "object", "embed") else []
        self.runs += [name for name in given if name.startswith("on")]
        self.runs += [value for value in given.values() if value.strip().lower().startswith("javascript:")]
        self.styles += [tag] if tag == "style" else ["style"] if "style" in given else []


def read(answer: Any) -> Page:
    page = Page()
    page.feed(answer.content.decode())
    page.close()
    return page


@pytest.fixture
def site(world: World) -> Any:
    """A site with everything on: its pages are the heaviest."""
    with site_scope(world.north.pk):
        Department.objects.bulk_create(Department(name=name) for name in DEPARTMENTS)
    for number in range(12):
        supporter(world.north, f"Dr Quite Differently-Named{chr(65 + number)}", published=True)
    return world.north


def compressed_size(client: Client, answer: Any) -> int:
    """Return the bytes of a page and of every style sheet it links, as they are sent."""
    sent = [answer, *(client.get(sheet, headers={"Accept-Encoding": "gzip"}) for sheet in _sheets(client, answer))]
    assert [one.headers.get("Content-Encoding") for one in sent] == ["gzip"] * len(sent)
    return sum(len(b"".join(one) if one.streaming else one.content) for one in sent)


def _sheets(client: Client, answer: Any) -> list[str]:
    plain = client.generic(answer.request["REQUEST_METHOD"], answer.request["PATH_INFO"])
    sheets = read(plain).sheets
    assert [sheet for sheet in sheets if not re.fullmatch(r"/static/css/\w+\.[0-9a-f]{12}\.css", sheet)] == []
    assert sheets
    return sheets


@pytest.mark.parametrize("path", [path for path in PAGES if "login" not in path])
def test_a_public_page_with_its_style_sheet_fits_one_round_trip(site: Any, client: Client, path: str) -> None:
    answer = client.get(path, headers={"Accept-Encoding": "gzip"})
    size = compressed_size(client, answer)
    assert size <= BUDGET, f"{path}: {size} bytes"


def test_the_request_form_with_every_error_fits_too(site: Any, client: Client) -> None:
    answer = client.post("/north/request/", {"phone": "x", "email": "x"}, headers={"Accept-Encoding": "gzip"})
    assert answer.status_code == 422
    size = compressed_size(client, answer)
    assert size <= BUDGET, f"{size} bytes"


def test_the_page_of_a_wait_and_the_form_it_gives_back_fit_too(site: Any, client: Client) -> None:
    full = said(reasons=["LIFE", "OTHER"], avoid_names="x" * 120, times=["EVENING"], departments=[], ready="")
    for answer, status in (
        (client.post("/north/request/", full, headers={"Accept-Encoding": "gzip"}), 429),
        (client.get("/north/request/", headers={"Accept-Encoding": "gzip"}), 200),
    ):
        assert answer.status_code == status
        size = compressed_size(client, answer)
        assert size <= BUDGET, f"{status}: {size} bytes"


@pytest.mark.parametrize("path", PAGES)
def test_no_public_page_runs_anything_or_asks_another_host(site: Any, client: Client, path: str) -> None:
    page = read(client.get(path))
    # The one script outside the staff's pages is the passkey's.
    assert page.runs == (["script"] if path == "/accounts/login/" else [])
    assert page.styles == []
    assert page.loads
    assert [url for url in page.loads if not url.startswith("/static/")] == []
    assert [
        url for url in page.leads if not re.match(r"/(?!/)|\?(agreed=\w+&)?lang=(en|fr)$|#|tel:\d+$|sms:\d+$", url)
    ] == []


@pytest.mark.parametrize("path", FORM_FREE)
def test_no_cookie_before_the_form_is_opened(site: Any, client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert dict(answer.cookies) == {}
    assert "Cookie" not in answer.headers.get("Vary", "")


def test_the_form_sets_the_one_cookie_it_needs(site: Any, client: Client) -> None:
    answer = client.get("/north/request/")
    assert list(answer.cookies) == [settings.CSRF_COOKIE_NAME]
    assert answer.cookies[settings.CSRF_COOKIE_NAME]["httponly"] is True
    assert answer.cookies[settings.CSRF_COOKIE_NAME]["samesite"] == "Lax"


@pytest.mark.parametrize("path", PAGES)
def test_the_headers_allow_nothing_from_elsewhere(site: Any, client: Client, path: str) -> None:
    headers = client.get(path).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
    assert policy == CSP
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def said(**more: Any) -> dict[str, Any]:
    """Return a complete form."""
    return (
        {
            "peer_from": "HERE",
            "name": "Robin Quiet",
            "phone": "604 555 0177",
            "agree_match": "on",
        }
        | line.opened("/north/request/")
        | more
    )


def test_forms_and_confirmations_are_not_kept_by_the_browser(site: Any, client: Client) -> None:
    answers = [
        client.get("/north/request/"),
        client.post("/north/request/", {}),
        client.post("/north/request/", said()),
        client.get("/north/request/sent/"),
        client.get("/north/status/"),
        client.post("/north/status/", {"receipt": "1"}),
    ]
    assert [answer.status_code for answer in answers] == [200, 422, 302, 200, 200, 422]
    assert [
        answer.headers["Cache-Control"] for answer in answers if "no-store" not in answer.headers["Cache-Control"]
    ] == []


@pytest.mark.parametrize(
    ("who", "path"),
    [
        ("north administrator", "/north/today/"),
        ("north administrator", "/north/requests/"),
        ("north administrator", "/north/requests/{ref}/"),
        ("north administrator", "/north/requests/{ref}/choose/"),
        ("north administrator", "/north/supporters/"),
        ("north administrator", "/north/settings/"),
        ("north administrator", "/north/settings/people/"),
        ("north administrator", "/north/settings/audit/"),
        ("north administrator", "/north/settings/wording/en/"),
        ("north supporter", "/north/my/page/"),
        ("north supporter", "/north/my/"),
        ("north supporter", "/north/my/training/"),
        ("north administrator", "/north/training/"),
        ("north lead", "/north/figures/"),
        ("coordinator", "/province/sites/"),
        ("coordinator", "/start/"),
    ],
)
def test_signed_in_pages_are_not_kept_by_the_browser(world: World, sign_in: Any, who: str, path: str) -> None:
    """After signing out at a shared computer, Back shows nothing."""
    ref = line.request(world.north).ref
    answer = sign_in(world[who]).get(path.format(ref=ref), follow=True)
    assert answer.status_code == 200
    assert "no-store" in answer.headers.get("Cache-Control", "")


def test_leaving_forgets_everything_and_goes_somewhere_neutral(site: Any, client: Client) -> None:
    answer = client.get("/leave/")
    assert (answer.status_code, answer.headers["Location"]) == (302, settings.PSI_LEAVE_URL)
    assert answer.headers["Clear-Site-Data"] == '"cache", "cookies"'
    assert "no-store" in answer.headers["Cache-Control"]
    for path in ("/north/request/", "/north/status/", "/north/", "/"):
        assert "/leave/" in read(client.get(path)).leads


def test_the_receipt_travels_sealed_and_to_the_form_alone(site: Any, client: Client) -> None:
    form = said()
    answer = client.post("/north/request/", form)
    cookie = answer.cookies["receipt"]
    receipt = receipt_of(site.pk, uuid.UUID(form["key"]))
    assert (cookie["path"], cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (
        "/north/request/",
        True,
        "Strict",
        600,
    )
    assert bool(cookie["secure"]) is not settings.PSI_LOCAL
    digits = receipt.replace(" ", "")
    assert digits not in cookie.value
    assert receipt not in cookie.value
    assert list(answer.cookies) == ["receipt"]
    shown = client.get("/north/request/sent/").content.decode()
    assert re.sub(r"</?span>|\s", "", shown).count(digits) == 1
    assert shown.count("Check my request") == 1


def test_after_ten_minutes_or_in_another_browser_the_receipt_is_not_shown(site: Any, client: Client) -> None:
    form = said()
    client.post("/north/request/", form)
    first_group = receipt_of(site.pk, uuid.UUID(form["key"]))[:4]
    sealed = client.cookies["receipt"].value
    with time_machine.travel(timezone.now() + timedelta(seconds=601), tick=False):
        late = client.get("/north/request/sent/", headers={"Cookie": f"receipt={sealed}"})
    for answer in (late, Client().get("/north/request/sent/")):
        assert answer.status_code == 200
        assert f"<span>{first_group} " not in answer.content.decode()
        assert "no longer on this page" in answer.content.decode()


def test_a_receipt_of_somebodys_own_making_is_not_shown(site: Any, client: Client) -> None:
    for value in ("1234567890123456", Carrier("other").seal("1234 5678 9012 3456"), "é" * 9):
        client.cookies["receipt"] = value
        answer = client.get("/north/request/sent/")
        assert (answer.status_code, "1234" in answer.content.decode()) == (200, False)


def test_nothing_is_stored_before_the_form_is_sent(site: Any, client: Client) -> None:
    client.get("/north/request/")
    client.post("/north/request/", said(name=""))
    with tenancy.site_scope(site.pk):
        assert not line.Referral.objects.exists()
