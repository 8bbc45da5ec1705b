"""A flooded form lets everyone through, some after twenty seconds, and remembers nobody's address."""

import re
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.handlers.wsgi import WSGIRequest
from django.test import Client, RequestFactory

from psi import tenancy
from psi.tenancy import site_scope
from referrals.requests.models import FormKey, Referral
from sites.gate import slowdown
from tests import line
from tests.markup import flat
from tests.people import World

NORTH, SOUTH = "/north/request/", "/south/request/"
GOOD = {"peer_from": "HERE", "name": "Robin Example", "phone": "604 555 0100", "agree_match": "on"}
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
ADDRESS = "203.0.113.77"


def post(path: str = NORTH, client: Client | None = None, at: str = ADDRESS, **said: Any) -> Any:
    return (client or Client()).post(path, GOOD | line.opened(path) | said, REMOTE_ADDR=at)


def rows(site: Any) -> tuple[int, int]:
    with site_scope(site.pk):
        return Referral.objects.count(), FormKey.objects.count()


def crowd(world: World, at: str = ADDRESS, site: str = "north", size: int = slowdown.MOST) -> None:
    """Let as many as pass unslowed come from one network, now and in the window after it."""
    for now in (tenancy.now(), tenancy.now() + slowdown.WINDOW):
        with site_scope(getattr(world, site).pk, now=now):
            assert [asked(at, path=f"/{site}/request/") for _ in range(size)] == [None] * size


def asked(at: str = ADDRESS, *, path: str = NORTH, headers: Any = None, **said: str) -> slowdown.Wait | None:
    """Ask the limiter alone about one more form, in the scope and at the time of the caller."""
    key = uuid.uuid4()
    request: WSGIRequest = RequestFactory().post(path, line.opened(path, key) | said, REMOTE_ADDR=at, headers=headers)
    return slowdown.wait(request, key)


def hidden(page: Any) -> dict[str, str]:
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', flat(page.content.decode())))


# The crowd before a poster


@pytest.mark.parametrize("minutes", [60, 10, 0])
def test_a_crowd_behind_one_address_gets_through(world: World, minutes: int) -> None:
    """Two hundred are not slowed, however they come; whoever is slowed after them is let in after twenty seconds."""
    slowed = 0
    for number in range(250):
        key, at = uuid.uuid4(), NOON + timedelta(minutes=minutes) * number / 250
        form = line.opened(NORTH, key)
        with site_scope(world.north.pk, now=at):
            wait = slowdown.wait(RequestFactory().post(NORTH, form, REMOTE_ADDR=ADDRESS), key)
        if wait:
            slowed += 1
            assert (wait.seconds, wait.crowd) == (20, True)
            form |= {slowdown.TICKET: wait.ticket}
            with site_scope(world.north.pk, now=at + slowdown.WAIT):
                assert slowdown.wait(RequestFactory().post(NORTH, form, REMOTE_ADDR=ADDRESS), key) is None
    assert slowed == {60: 0, 10: 50, 0: 50}[minutes]


def test_a_slowed_form_keeps_everything_and_is_sent_after_the_wait(world: World) -> None:
    crowd(world)
    browser, nasty = Client(), '"><script>alert(1)</script>'
    typed = line.opened(NORTH) | {"wishes": ["WOMAN", "FRENCH"], "avoid_names": nasty}
    page = post(client=browser, **typed)
    text = flat(page.content.decode())
    assert (page.status_code, page["Refresh"], page["Retry-After"]) == (429, "20", "20")
    assert "no-store" in page["Cache-Control"]
    assert "This form is not for emergencies and is not watched around the clock." in text
    sentence = "Wait 20 seconds, then press “Send my request” again; everything is still here."
    assert f"Many requests are coming from this network. {sentence}" in text
    assert (nasty in text, re.findall(r'name="wishes" value="(\w+)"', text)) == (False, ["WOMAN", "FRENCH"])
    assert rows(world.north) == (0, 0)
    form = hidden(page) | {"wishes": ["WOMAN", "FRENCH"], "avoid_names": nasty}
    assert {name: form[name] for name in GOOD} == GOOD
    # Too early once more: the same ticket, and what is left of the wait.
    again = browser.post(NORTH, form, REMOTE_ADDR=ADDRESS)
    assert (again.status_code, hidden(again)[slowdown.TICKET]) == (429, form[slowdown.TICKET])
    assert int(again["Refresh"]) <= 20

    # What the Refresh loads: the form, filled, with the ticket.
    shown = browser.get(NORTH)
    assert "Thank you for waiting." in shown.content.decode()
    assert shown.context["form"].data["avoid_names"] == nasty
    assert hidden(shown)[slowdown.TICKET] == form[slowdown.TICKET]
    cookie = browser.cookies[slowdown.CARRIER.name]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (NORTH, True, "Strict", 600)
    assert "Robin" not in cookie.value

    waited = slowdown.sign_ticket(NORTH, uuid.UUID(form["key"]), slowdown.CROWD, NOON - timedelta(days=100))
    sent = browser.post(NORTH, form | {slowdown.TICKET: waited}, REMOTE_ADDR=ADDRESS)
    assert (sent.status_code, sent.cookies[slowdown.CARRIER.name].value) == (302, "")
    assert rows(world.north) == (1, 1)
    assert "Thank you for waiting." not in browser.get(NORTH).content.decode()


def test_another_site_and_another_network_pass_at_once(world: World) -> None:
    crowd(world)
    assert [post().status_code, post(at="203.0.113.78").status_code, post(SOUTH).status_code] == [429, 302, 302]
    assert (rows(world.north), rows(world.south)) == ((1, 1), (1, 1))


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        ("203.0.113.77", "203.0.113.78", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:203.0.113.77", "203.0.113.77", True),
        ("fe80::1%eth0", "fe80::2", True),
    ],
)
def test_a_network_is_one_old_address_or_half_of_a_new_one(
    world: World, first: str, second: str, together: bool
) -> None:
    crowd(world, first)
    with site_scope(world.north.pk):
        assert bool(asked(second)) is together


def test_the_address_a_proxy_reports_counts_only_where_there_is_one(world: World, settings: Any) -> None:
    said = {"X-Forwarded-For": "198.51.100.9, 203.0.113.50"}
    crowd(world, "203.0.113.50")
    with site_scope(world.north.pk):
        settings.ALLAUTH_TRUSTED_PROXY_COUNT = 0
        assert asked("10.0.0.1", headers=said) is None
        settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
        assert asked("10.0.0.1", headers=said) is not None
        # Fewer proxies than said, or no address: nobody is kept out for that.
        settings.ALLAUTH_TRUSTED_PROXY_COUNT = 3
        assert asked("203.0.113.50", headers=said) is None
        settings.ALLAUTH_TRUSTED_PROXY_COUNT = 0
        assert asked("") is None


def test_a_form_with_errors_is_told_at_once_and_not_counted(world: World) -> None:
    crowd(world, size=slowdown.MOST - 1)
    assert [post(name="").status_code for _ in range(5)] == [422] * 5
    assert post().status_code == 302
    # That was the last place. Another window may have begun meanwhile, with one place of its own.
    assert 429 in [post().status_code for _ in range(2)]


def test_valkey_knows_no_address_and_forgets_in_ten_minutes(world: World) -> None:
    for address in (ADDRESS, "2001:db8:1:2::1"):
        post(at=address)
    keys = list(cache.iter_keys("*"))  # type: ignore[attr-defined]
    assert len(keys) == 2
    for key in keys:
        assert re.fullmatch(r"flood:\d+:[0-9a-f]{64}", key)
        assert 0 < cache.ttl(key) <= 600  # type: ignore[attr-defined]
        assert cache.get(key) == 1
    told = "".join(key.split(":")[2] for key in keys)
    assert [one for one in (ADDRESS, "cb00714d", "20010db8", "Robin") if one in told] == []


# Too fast, and forged


@pytest.mark.parametrize("given", ["", "opened-0.000:x", "opened", ":", "crowd-1:é"])
def test_a_form_without_its_own_ticket_waits(world: World, given: str) -> None:
    answer = post(**{slowdown.TICKET: given})
    assert "A short wait keeps automatic messages out." in answer.content.decode()
    assert (answer.status_code, answer["Refresh"], rows(world.north)) == (429, "20", (0, 0))


def test_a_form_sent_within_a_second_waits_and_one_read_for_longer_does_not(world: World) -> None:
    browser = Client()
    form = GOOD | hidden(browser.get(NORTH))
    answer = browser.post(NORTH, form)
    assert (answer.status_code, hidden(answer)["name"], rows(world.north)) == (429, "Robin Example", (0, 0))
    key = uuid.UUID(form["key"])
    for seconds, waits in ((0.9, True), (1.1, False)):
        with site_scope(world.north.pk, now=NOON):
            request: Any = RequestFactory().get(NORTH)
            given = slowdown.ticket_for(request, key)
        with site_scope(world.north.pk, now=NOON + timedelta(seconds=seconds)):
            request = RequestFactory().post(NORTH, {slowdown.TICKET: given})
            assert bool(slowdown.wait(request, key)) is waits


def test_a_ticket_is_good_for_one_form_at_one_address(world: World, settings: Any) -> None:
    key = uuid.uuid4()
    ready = NOON - timedelta(days=100)
    good = slowdown.sign_ticket(NORTH, key, slowdown.CROWD, ready)
    others = [
        slowdown.sign_ticket(SOUTH, key, slowdown.CROWD, ready),
        slowdown.sign_ticket("/north/colleague/", key, slowdown.CROWD, ready),
        slowdown.sign_ticket(NORTH, uuid.uuid4(), slowdown.CROWD, ready),
        good.replace("crowd", "opened"),
        good[:-1],
    ]
    statuses = [post(key=str(key), **{slowdown.TICKET: given}).status_code for given in others]
    settings.SECRET_KEY = "another"
    statuses.append(post(key=str(key), **{slowdown.TICKET: good}).status_code)
    assert statuses == [429] * 6
    assert rows(world.north) == (0, 0)


def test_what_is_kept_for_the_wait_opens_at_its_own_form_alone(world: World) -> None:
    browser = Client()
    post(client=browser, **{slowdown.TICKET: ""})
    for path in (SOUTH, NORTH):
        browser.cookies[slowdown.CARRIER.name]["path"] = path
        assert ("Thank you for waiting." in browser.get(path).content.decode()) is (path == NORTH)
    browser.cookies[slowdown.CARRIER.name] = "é" * 9
    assert browser.get(NORTH).status_code == 200


# The trap


def test_whoever_fills_the_field_that_nobody_sees_is_thanked_and_forgotten(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    answer = post(**{slowdown.HONEYPOT: "buy now"})
    honest = post()
    assert (answer.status_code, answer["Location"]) == (honest.status_code, honest["Location"])
    assert dict(answer.cookies) == {}
    assert rows(world.north) == (1, 1)
    assert "buy now" not in caplog.text


def test_the_field_is_seen_by_no_one_and_filled_by_no_browser(world: World) -> None:
    page = flat(Client().get(NORTH).content.decode())
    trap = re.findall(r'<div class="vh" aria-hidden="true"><label>Leave this empty<input ([^>]*)>', page)
    assert trap == ['name="comment" tabindex="-1" autocomplete="off"']


# Without Valkey


def test_with_valkey_away_nobody_waits(world: World, settings: Any, tmp_path: Path) -> None:
    crowd(world)
    assert post().status_code == 429
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": f"unix://{tmp_path}/no.sock"}}
    crowd(world)
    assert post().status_code == 302
