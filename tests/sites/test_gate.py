"""The access middleware: how long a session lasts, what a second factor opens, and that no view is without a level."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from psi import tenancy
from psi.tenancy import OutsideScope, site_scope
from sites.engine import audit
from sites.engine.models import AuditEntry
from sites.engine.moves import Refused
from sites.gate.middleware import AccessMiddleware, limits
from sites.gate.permissions import for_roles, public, signed_in
from sites.tenants.models import Membership, Role
from tests.people import World, member
from training.supporters.models import Department

SignIn = Callable[[Any], Client]
START = datetime(2027, 5, 4, 17, tzinfo=UTC)
MINUTES = timedelta(minutes=1)
ROOM = {
    "administrator": "/north/today/",
    "lead": "/north/figures/",
    "supporter": "/north/my/",
}


def opened(client: Client, path: str) -> bool:
    """Say whether a page opened, or the sign-in page came instead."""
    answer = client.get(path)
    if answer.status_code == 302:
        assert answer["Location"].startswith("/accounts/login/?next=")
        return False
    assert answer.status_code == 200, answer
    return True


# How long


@pytest.mark.parametrize(("role", "idle"), [("administrator", 15), ("lead", 15), ("supporter", 30)])
def test_an_idle_session_ends(world: World, sign_in: SignIn, role: str, idle: int) -> None:
    with time_machine.travel(START, tick=False) as clock:
        client = sign_in(world[f"north {role}"])
        assert opened(client, ROOM[role])
        clock.shift(idle * MINUTES)
        assert opened(client, ROOM[role])
        clock.shift(idle * MINUTES + timedelta(seconds=1))
        assert not opened(client, ROOM[role])
        # Ended is ended, not asleep.
        assert not opened(client, ROOM[role])


@pytest.mark.parametrize(("role", "hours"), [("administrator", 8), ("lead", 8), ("supporter", 12)])
def test_a_session_ends_after_the_day_however_busy(world: World, sign_in: SignIn, role: str, hours: int) -> None:
    with time_machine.travel(START, tick=False) as clock:
        client = sign_in(world[f"north {role}"])
        for _ in range(40):
            assert opened(client, ROOM[role])
            clock.shift(hours * 60 / 40 * MINUTES)
        assert opened(client, ROOM[role])
        clock.shift(timedelta(seconds=1))
        assert not opened(client, ROOM[role])


def test_with_several_roles_the_stricter_limit_holds(world: World, sign_in: SignIn) -> None:
    both = member(world.south, Role.ADMINISTRATOR, "Dr Sam North", user=world["north supporter"])
    with time_machine.travel(START, tick=False) as clock:
        client = sign_in(both)
        assert opened(client, ROOM["supporter"])
        clock.shift(16 * MINUTES)
        assert not opened(client, ROOM["supporter"])
        # With the other role ended, the wider limit is back.
        Membership.objects.filter(user=both, role=Role.ADMINISTRATOR).update(ended_at=tenancy.now())
        client = sign_in(both)
        assert opened(client, ROOM["supporter"])
        clock.shift(29 * MINUTES)
        assert opened(client, ROOM["supporter"])


@pytest.mark.parametrize(
    ("roles", "minutes", "hours"),
    [
        ({"supporter"}, 30, 12),
        ({"administrator"}, 15, 8),
        ({"lead"}, 15, 8),
        ({"advisor"}, 15, 8),
        ({"supporter", "lead"}, 15, 8),
        (set(), 15, 8),
    ],
)
def test_limits(roles: set[str], minutes: int, hours: int) -> None:
    assert limits(roles) == (minutes * 60, hours * 3600)


def test_a_public_page_neither_ends_nor_prolongs_a_session(world: World, sign_in: SignIn) -> None:
    with time_machine.travel(START, tick=False) as clock:
        client = sign_in(world["north lead"])
        assert opened(client, ROOM["lead"])
        clock.shift(10 * MINUTES)
        assert client.get("/north/").status_code == 200
        clock.shift(10 * MINUTES)
        assert client.get("/north/").status_code == 200
        assert not opened(client, ROOM["lead"])


def test_a_role_that_ended_opens_nothing_from_the_next_click(world: World, sign_in: SignIn) -> None:
    client = sign_in(world["north administrator"])
    assert opened(client, ROOM["administrator"])
    Membership.objects.filter(user=world["north administrator"]).update(ended_at=tenancy.now())
    assert client.get(ROOM["administrator"]).status_code == 404


# The second factor


def test_without_a_second_factor_no_room_opens(world: World) -> None:
    client = Client()
    client.force_login(world["north administrator"], backend=settings.AUTHENTICATION_BACKENDS[0])
    for path in ("/north/today/", "/north/requests/", "/start/"):
        answer = client.get(path)
        assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/accounts/second-factor/")
    assert client.get("/north/").status_code == 200


def test_a_factor_shown_by_someone_else_in_this_browser_does_not_count(world: World, sign_in: SignIn) -> None:
    client = sign_in(world["north supporter"])
    assert opened(client, ROOM["supporter"])
    client.force_login(world["north administrator"], backend=settings.AUTHENTICATION_BACKENDS[0])
    answer = client.get("/north/today/")
    assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/accounts/second-factor/")


def test_a_demonstration_session_counts_in_the_local_run_alone(world: World, settings: Any) -> None:
    client = Client()
    client.force_login(world["north administrator"], backend=settings.AUTHENTICATION_BACKENDS[0])
    session = client.session
    session["demonstration"] = True
    session.save()
    assert client.get("/north/today/").status_code == 200
    settings.PSI_LOCAL = False
    assert client.get("/north/today/").status_code == 302


# Marks


@pytest.fixture
def gate(world: World) -> Callable[..., Any]:
    """Send a request for a view through the access middleware, as somebody."""
    middleware = AccessMiddleware(lambda request: HttpResponse())

    def sent(view: Callable[..., HttpResponse], who: str | None = None, **kwargs: Any) -> Any:
        request: Any = RequestFactory().get("/somewhere/")
        request.session = {"account_authentication_methods": [{"method": "mfa", "at": 1.0}]}
        if who:
            request.session["account_authentication_methods_user"] = str(world[who].pk)
            request.user = world[who]
        else:
            request.user = AnonymousUser()
        request._messages = Messages()
        middleware(request)
        return middleware.process_view(request, view, (), kwargs)

    return sent


class Messages:
    """Collects what the middleware says to a person."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def add(self, level: int, message: str, extra_tags: str = "") -> None:
        self.said.append(message)


def page(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    return HttpResponse(f"site {tenancy.current_site_id()}")


def test_a_view_without_a_mark_is_not_there(gate: Callable[..., Any]) -> None:
    for who in (None, "north administrator"):
        with pytest.raises(Http404, match="no access level"):
            gate(page, who, site="north")
    assert gate(public(lambda r: page(r)), None, site="north").status_code == 200


def test_a_view_runs_in_the_scope_of_its_site(gate: Callable[..., Any], world: World) -> None:
    view = for_roles(Role.LEAD)(lambda r: page(r))
    assert gate(view, "north lead", site="north").content == f"site {world.north.pk}".encode()
    with pytest.raises(Http404):
        gate(view, "north lead", site="south")
    with pytest.raises(Http404, match="No such site"):
        gate(view, "north lead", site="nowhere")
    with pytest.raises(OutsideScope):
        tenancy.current_site_id()


def test_a_page_of_no_site_has_no_scope(gate: Callable[..., Any]) -> None:
    assert gate(signed_in(lambda r: page(r)), "stranger") is None
    assert gate(signed_in(lambda r: page(r)), None).status_code == 302


def test_a_refused_move_takes_everything_back_and_says_why(gate: Callable[..., Any], world: World) -> None:
    def refuse(request: Any) -> HttpResponse:
        Department.objects.create(name="Half done")
        audit.record("HALF_DONE", "PAGE", None, by=request.actor)
        raise Refused("NOT_NOW", "Not now.")

    answer = gate(for_roles(Role.LEAD)(refuse), "north lead", site="north")
    assert (answer.status_code, answer["Location"]) == (302, "/somewhere/")
    with site_scope(world.north.pk):
        assert not Department.objects.exists()
        assert not AuditEntry.objects.exists()


def test_an_accident_takes_everything_back(gate: Callable[..., Any], world: World) -> None:
    def stumble(request: Any) -> HttpResponse:
        Department.objects.create(name="Half done")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        gate(for_roles(Role.LEAD)(stumble), "north lead", site="north")
    with site_scope(world.north.pk):
        assert not Department.objects.exists()


def test_an_act_is_recorded_under_the_role_that_allowed_it(gate: Callable[..., Any], world: World) -> None:
    member(world.north, Role.ADMINISTRATOR, "Dr Lea North", user=world["north lead"])
    seen: list[str] = []

    def view(request: Any) -> HttpResponse:
        seen.append(request.actor.role)
        return HttpResponse()

    gate(for_roles(Role.LEAD)(view), "north lead", site="north")
    gate(for_roles(Role.LEAD, Role.ADMINISTRATOR)(view), "north lead", site="north")
    assert seen == ["lead", "administrator"]


def test_a_wrong_role_is_told_whose_page_it_is_and_led_to_its_own(world: World, sign_in: SignIn) -> None:
    text = sign_in(world["north lead"]).get("/north/today/").content.decode()
    assert "It is for: Program administrator." in text
    assert [path in text for path in ("/north/figures/", "/north/supporters/", "/north/my/")] == [True, True, False]
