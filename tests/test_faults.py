"""When the ground gives way: a clear answer soon, and nothing acknowledged is lost."""

import threading
import time
from typing import Any

import psycopg2
import pytest
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import OperationalError, connection
from django.db.backends.postgresql.base import DatabaseWrapper
from django.test import Client, RequestFactory

from matching.matches.models import Match
from psi.tenancy import site_scope
from referrals.requests import receiving
from referrals.requests.models import FormKey, Referral
from sites.engine import references
from tests import line
from tests.people import World

pytestmark = pytest.mark.xdist_group("races")

FORM = {"peer_from": "HERE", "name": "Robin", "phone": "604 555 0100", "agree_match": "on"}


def superuser() -> Any:
    database = settings.DATABASES["default"]
    made = psycopg2.connect(
        dbname=database["NAME"], user="postgres", host=database["HOST"], port=database["PORT"] or None
    )
    made.autocommit = True
    return made


def cut_all_connections() -> int:
    """End every session of the application's role, as a server that restarts does."""
    with superuser() as power, power.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND usename = 'psi_app'"
        )
        return int(cursor.fetchone()[0])


@pytest.mark.expects_error_log
def test_a_row_that_somebody_holds_is_503_within_five_seconds(committed_world: World, sign_in: Any) -> None:
    world = committed_world
    match = line.accepted(world)
    ref = line.fresh(match).referral.ref
    release, taken = threading.Event(), threading.Event()

    def hold() -> None:
        with site_scope(world.north.pk):
            Referral.objects.select_for_update().get(pk=match.referral_id)
            taken.set()
            release.wait(20)

    def press() -> tuple[int, str, float]:
        client = sign_in(world["north administrator"])
        client.raise_request_exception = False
        taken.wait(20)
        began = time.monotonic()
        answer = client.post(f"/north/requests/{ref}/confirm/")
        release.set()
        return answer.status_code, answer.get("Retry-After", ""), time.monotonic() - began

    _, (status, retry, took) = line.together(hold, press)
    assert (status, retry) == (503, "5")
    assert took < 5
    assert line.fresh(match).state == Match.State.ACCEPTED
    client = sign_in(world["north administrator"])
    assert client.post(f"/north/requests/{ref}/confirm/").status_code == 302
    assert line.fresh(match).state == Match.State.CONFIRMED


def test_after_the_database_was_away_the_next_request_is_served(committed_world: World) -> None:
    """Through the server's own handler, for the test client does not look after connections."""
    handler = WSGIHandler()

    def get(path: str) -> int:
        answer = handler(RequestFactory().get(path).environ, lambda status, headers: None)
        answer.close()
        return answer.status_code  # type: ignore[attr-defined]

    assert get("/north/request/") == 200
    connection.ensure_connection()
    assert cut_all_connections() >= 1
    assert [get("/north/request/"), get("/readyz")] == [200, 200]


@pytest.mark.expects_error_log
def test_a_form_whose_answer_was_lost_is_sent_again_and_stored_once(
    committed_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection breaks at the commit; whichever way it went, the second press makes it one."""
    said = FORM | line.opened("/north/request/")
    client = Client(raise_request_exception=False)
    real = DatabaseWrapper._commit
    broken: list[int] = []

    def commit_then_break(self: Any) -> None:
        real(self)
        if not broken:
            broken.append(1)
            raise OperationalError("server closed the connection unexpectedly")

    with monkeypatch.context() as patched:
        patched.setattr(DatabaseWrapper, "_commit", commit_then_break)
        first = client.post("/north/request/", said)
    connection.close()
    assert (first.status_code, broken) == (503, [1])
    assert client.post("/north/request/", said).status_code == 302
    with site_scope(committed_world.north.pk):
        assert (Referral.objects.count(), FormKey.objects.count()) == (1, 1)


@pytest.mark.expects_error_log
def test_a_connection_cut_in_the_middle_stores_nothing_and_says_try_again(
    committed_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = references.reference

    def cut(number: int) -> str:
        cut_all_connections()
        return real(number)

    said = FORM | line.opened("/north/request/")
    client = Client(raise_request_exception=False)
    with monkeypatch.context() as patched:
        patched.setattr(receiving, "reference", cut)
        answer = client.post("/north/request/", said)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    connection.close()
    with site_scope(committed_world.north.pk):
        assert (Referral.objects.count(), FormKey.objects.count()) == (0, 0)
    assert client.post("/north/request/", said).status_code == 302
    with site_scope(committed_world.north.pk):
        assert Referral.objects.count() == 1
