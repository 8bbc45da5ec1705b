"""Values that a browser carries for us: they show nothing, and open for one purpose, one owner, some minutes."""

from datetime import timedelta

import pytest
import time_machine
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils import timezone

from psi.sealed import Carrier, CookieCarrier

CARRIER = Carrier("test", seconds=60)


def test_a_sealed_value_shows_nothing_and_opens_for_what_it_was_bound_to() -> None:
    text = CARRIER.seal({"receipt": "1234 5678", "many": [1, 2]}, 7, "/north/")
    assert "1234" not in text
    assert CARRIER.open(text, 7, "/north/") == {"receipt": "1234 5678", "many": [1, 2]}


@pytest.mark.parametrize(
    ("carrier", "bound"),
    [(CARRIER, (7, "/south/")), (CARRIER, (8, "/north/")), (CARRIER, ()), (Carrier("other", 60), (7, "/north/"))],
    ids=["another address", "another person", "nothing", "another purpose"],
)
def test_it_opens_for_nothing_else(carrier: Carrier, bound: tuple[str | int, ...]) -> None:
    assert carrier.open(CARRIER.seal("words", 7, "/north/"), *bound) is None


def test_it_opens_for_its_time_alone() -> None:
    text = CARRIER.seal("words")
    with time_machine.travel(timezone.now() + timedelta(seconds=59), tick=False):
        assert CARRIER.open(text) == "words"
    with time_machine.travel(timezone.now() + timedelta(seconds=62), tick=False):
        assert CARRIER.open(text) is None


@pytest.mark.parametrize("text", ["", "é", "AAAA", "1234567890123456", "=" * 40])
def test_what_is_not_ours_does_not_open(text: str) -> None:
    assert CARRIER.open(text) is None


def test_a_cookie_is_for_our_pages_below_its_path_and_is_cleared_there(rf: RequestFactory) -> None:
    carrier = CookieCarrier("test", seconds=60, name="carried")
    response = carrier.put(HttpResponse(), carrier.seal("words", 7), path="/north/")
    cookie = response.cookies["carried"]
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"], cookie["path"]) == (
        True,
        "Strict",
        60,
        "/north/",
    )
    request = rf.get("/north/")
    assert carrier.read(request, 7) is None
    assert "carried" not in carrier.clear(request, HttpResponse(), path="/north/").cookies
    request.COOKIES["carried"] = cookie.value
    assert carrier.read(request, 7) == "words"
    cleared = carrier.clear(request, HttpResponse(), path="/north/").cookies["carried"]
    assert (cleared["max-age"], cleared["path"]) == (0, "/north/")
