"""What stands in the log of a request: which page and what came of it, not whose."""

import io
import logging
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from sites.tenants.models import User
from tests import line
from tests.people import World


@pytest.fixture
def written() -> Any:
    """What the program's own handler writes."""
    (handler,) = [one for one in logging.getLogger().handlers if one.formatter and "asctime" in str(one.formatter._fmt)]
    assert isinstance(handler, logging.StreamHandler)
    text = io.StringIO()
    before = handler.setStream(text)
    yield text
    handler.setStream(before)


def test_a_denied_access_is_one_line_without_the_address(world: World, sign_in: Any, written: io.StringIO) -> None:
    ref = line.request(world.north).ref
    assert sign_in(world["north lead"]).get(f"/north/requests/{ref}/").status_code == 403
    assert sign_in(world["stranger"]).get(f"/north/requests/{ref}/").status_code == 404
    assert Client(enforce_csrf_checks=True).post("/north/status/").status_code == 403
    assert Client().get("/robin-example/604-555-0100/").status_code == 404
    said = [one.split(" WARNING ")[1] for one in written.getvalue().splitlines()]
    assert said == [
        "django.request Forbidden (Permission denied): <slug:site>/requests/<ref:ref>/",
        "django.request Not Found: <slug:site>/requests/<ref:ref>/",
        "django.security.csrf Forbidden (CSRF cookie not set.): <slug:site>/status/",
        "django.request Not Found: no address of ours",
    ]


@pytest.mark.expects_error_log
def test_a_fault_of_ours_keeps_its_traceback(
    world: World, monkeypatch: pytest.MonkeyPatch, written: io.StringIO
) -> None:
    monkeypatch.setattr("referrals.requests.receiving.reference", lambda number: 1 / 0)
    client = Client(raise_request_exception=False)
    said = {"peer_from": "HERE", "name": "Robin", "phone": "604 555 0100", "agree_match": "on"}
    assert client.post("/north/request/", said | line.opened("/north/request/")).status_code == 500
    assert "ERROR django.request Internal Server Error: <slug:site>/request/\nTraceback" in written.getvalue()
    assert "ZeroDivisionError" in written.getvalue()


@pytest.mark.expects_error_log
def test_a_refusal_of_the_database_tells_no_row(world: World, written: io.StringIO) -> None:
    # Behind the wall PostgreSQL itself holds its tongue; an account stands outside it.
    try:
        with transaction.atomic():
            User.objects.create(email=world["stranger"].email)
    except IntegrityError:
        logging.getLogger("psi").exception("Refused.")
    said = written.getvalue()
    assert "DETAIL: left out" in said
    assert "stranger@" not in said
