"""What programs read: published tables, under a token that holds, as the description says."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils.timezone import localdate
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from psi import tenancy
from psi.tenancy import site_scope
from sites.consumers import transitions as consumers
from sites.engine.audit import SYSTEM
from sites.gate import slowdown
from sites.gate.models import Consumer
from sites.gate.permissions import TOKEN
from tests.people import World
from tests.test_queries import exactly
from tests.test_walk import addresses
from tests.tracker.published import release

LIST, ONE = "/api/v1/releases/", "/api/v1/releases/2026-q1/"
DESCRIPTION = json.loads((Path(settings.BASE_DIR) / "tracker/releases/openapi.json").read_text())
Ask = Callable[..., Any]


def described(name: str, body: Any) -> list[str]:
    """Return in what a body differs from a schema of the description."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": DESCRIPTION["components"]}
    return [error.message for error in Draft202012Validator(schema).iter_errors(body)]


@pytest.fixture
def token(world: World) -> str:
    with site_scope(world.province.pk):
        return consumers.issue("Ministry of Health", by=SYSTEM)


def ask(path: str, token: str, **more: str) -> Any:
    return Client().get(path, headers={"Authorization": f"Bearer {token}"} | more)


def test_the_description_is_openapi_and_names_every_address(client: Client) -> None:
    validate(DESCRIPTION)
    answer = client.get("/api/v1/openapi.json")
    assert (answer.json(), answer["Content-Type"]) == (DESCRIPTION, "application/json")
    ours = {"/" + address.route for address in addresses() if address.route.startswith("api/")}
    ours.remove("/api/v1/<rest:rest>")  # where nothing is
    assert {path.replace("{quarter}", "<quarter:quarter>") for path in DESCRIPTION["paths"]} == ours
    assert {address.name for address in addresses() if address.access == TOKEN} == {"api_releases", "api_release"}


def test_a_token_reads_what_is_published_and_nothing_else(world: World, token: str) -> None:
    assert ask(LIST, token).json() == {"releases": []}
    found = release(world)
    assert found.published_at is not None
    (head,) = ask(LIST, token).json()["releases"]
    at = found.published_at.isoformat(timespec="seconds")
    assert head == {"quarter": "2026-q1", "published_at": at, "url": ONE}
    body = ask(ONE, token).json()
    assert described("Releases", ask(LIST, token).json()) + described("Release", body) == []
    assert [table["code"] for table in body["tables"]] == ["P1", "P2", "P3", "P4", "P5"]
    assert [row["value"] for row in body["tables"][0]["rows"]] == [31, None, None, 84]
    answer = ask("/api/v1/releases/2025-q4/", token)
    assert answer.status_code == 404
    assert described("Error", answer.json()) == []


@pytest.mark.parametrize(
    "wrong", [{"value": 7, "unit": "count"}, {"value": "hidden"}, {"count": 12}, {"unit": "people"}]
)
def test_the_description_would_notice(world: World, token: str, wrong: dict[str, Any]) -> None:
    release(world)
    body = ask(ONE, token).json()
    body["tables"][0]["rows"][0] |= wrong
    assert len(described("Release", body)) > 0


def test_without_a_token_that_holds_there_is_nothing(world: World, token: str, client: Client) -> None:
    release(world)
    for header in ("", "Bearer", "Bearer ", f"Basic {token}", token):
        answer = client.get(ONE, headers={"Authorization": header})
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Bearer realm="releases"')
    with site_scope(world.province.pk):
        consumers.end(Consumer.objects.get().pk, by=SYSTEM)
    for wrong in (token, "psi_unknown", "\u2603"):
        answer = ask(ONE, wrong)
        assert (answer.status_code, answer["WWW-Authenticate"][-21:]) == (401, 'error="invalid_token"')
        assert (described("Error", answer.json()), dict(answer.cookies)) == ([], {})
    for method in ("post", "put", "delete"):
        assert getattr(client, method)(ONE).status_code == 401


ODD = (
    "",
    "releases",
    "releases/9999-q9/",
    "releases/0000-q1/",
    "releases/2026-q1",
    "releases/2026-Q1/",
    "releases/2026-q1/p1.csv",
    "releases/2026-q1%0A/",
    "releases/%00/",
    "releases/%ff/",
    "releases/\u2603/",
    "openapi.json/",
    "../v1/x",
)
METHODS = ("get", "post", "put", "patch", "delete", "options", "trace")


def test_every_error_is_json_with_one_sentence(world: World, token: str) -> None:
    release(world)
    # A browser that checks forms, as the one in use does.
    shown, hidden = (
        Client(enforce_csrf_checks=True, headers=headers) for headers in ({"Authorization": f"Bearer {token}"}, {})
    )
    odd = [(f"/api/v1/{path}", method, {404}) for path in ODD for method in METHODS]
    wrong = [(path, method, {405}) for path in (LIST, ONE) for method in METHODS if method != "get"]
    wrong += [("/api/v1/openapi.json", method, {405}) for method in METHODS if method != "get"]
    unknown = [(path, method, {401}) for path in (LIST, ONE, "/api/v1/releases/2031-q1/") for method in METHODS]
    unknown += odd + wrong[-6:]
    for client, asked in ((shown, odd + wrong), (hidden, unknown)):
        for path, method, expected in asked:
            answer = getattr(client, method)(path)
            found = ({answer.status_code}, answer["Content-Type"], described("Error", answer.json()))
            assert found == (expected, "application/json", []), (path, method)
            assert (dict(answer.cookies), answer.get("Allow", "")) == ({}, "GET, HEAD" if expected == {405} else "")


def test_an_answer_is_kept_by_its_tag_and_sets_no_cookie(world: World, token: str) -> None:
    release(world)
    answer = ask(ONE, token)
    assert (dict(answer.cookies), answer["Cache-Control"], answer["Vary"]) == (
        {},
        "private, no-cache",
        "Authorization, Accept-Encoding",
    )
    again = ask(ONE, token, **{"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", answer["ETag"])
    assert Client().post(ONE, headers={"Authorization": f"Bearer {token}"}).status_code == 405


def test_the_day_of_use_is_noted_once_and_too_many_are_told_to_wait(
    world: World, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with site_scope(world.province.pk):
        Consumer.objects.update(last_used_on=localdate(tenancy.now()) - timedelta(days=3))
    ask(LIST, token)
    with site_scope(world.province.pk):
        assert abs((localdate(tenancy.now()) - Consumer.objects.get().last_used_on).days) <= 1
    with exactly(5):
        assert ask(LIST, token).status_code == 200
    monkeypatch.setattr(slowdown, "MOST", 2)
    # Should ten minutes be over just now, they are counted anew.
    refused = [answer for answer in (ask(LIST, token) for _ in range(4)) if answer.status_code == 429]
    assert {answer["Retry-After"] for answer in refused} == {"600"}


def test_what_the_description_promises_is_answered_and_nothing_else(
    world: World, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each status of each address, with the headers and the body that stand in the description."""
    release(world)
    old = "/api/v1/releases/2025-q4/"
    tried = [(LIST, ask(LIST, token)), (ONE, ask(ONE, token)), (ONE, ask(old, token))]
    tried += [(path, ask(path, "psi_unknown")) for path in (LIST, ONE)]
    tried += [(path, ask(path, token, **{"If-None-Match": ask(path, token)["ETag"]})) for path in (LIST, ONE)]
    tried += [("/api/v1/openapi.json", Client().get("/api/v1/openapi.json"))]
    monkeypatch.setattr(slowdown, "MOST", 0)
    tried += [(path, ask(path, token)) for path in (LIST, ONE)]
    answered: dict[str, set[str]] = {}
    for path, answer in tried:
        named = path.replace("2026-q1", "{quarter}")
        said = DESCRIPTION["paths"][named]["get"]["responses"][str(answer.status_code)]
        if "$ref" in said:
            said = DESCRIPTION["components"]["responses"][said["$ref"].rpartition("/")[2]]
        assert [name for name in said.get("headers", {}) if name not in answer.headers] == []
        if schema := said.get("content", {}).get("application/json", {}).get("schema", {}).get("$ref"):
            assert described(schema.rpartition("/")[2], answer.json()) == []
        answered.setdefault(named, set()).add(str(answer.status_code))
    assert answered == {path: set(way["get"]["responses"]) for path, way in DESCRIPTION["paths"].items()}
