"""What a lower room must know of a higher one is registered by the higher one, and never written down below."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.test import RequestFactory
from django.urls import get_resolver
from django.urls.resolvers import URLPattern, URLResolver
from django.utils.translation import gettext_lazy as _

from sites.engine import audit_words
from sites.gate import navigation
from sites.gate.navigation import Entry
from sites.tenants.models import Role, Site
from tests.people import World

BASE = Path(settings.BASE_DIR)
HIGHER = ("training", "referrals", "matching", "tracker", "demo")
# The address list and the schedule of workers name what they switch.
SWITCHBOARDS = {"psi/urls.py", "psi/celery.py", "psi/settings.py"}
RESOLVE = {"reverse", "reverse_lazy", "redirect", "resolve_url"}
# A code of another kind that is spelled as one of the audit trail: the due kind of mail.
HOMONYMS = {("sites/engine/outbox.py", "NOTICE")}


def lower_files() -> list[Path]:
    """Return the files of psi, and of the rooms of sites on which every app leans."""
    files = [file for folder in ("psi", "sites/engine", "sites/gate") for file in (BASE / folder).rglob("*.py")]
    return [file for file in files if file.relative_to(BASE).as_posix() not in SWITCHBOARDS]


def texts(file: Path) -> Iterator[str]:
    """Yield the strings of a module that are no docstrings."""
    tree = ast.parse(file.read_text())
    documented = ast.Module | ast.ClassDef | ast.FunctionDef
    docs = {
        id(node.body[0].value) for node in ast.walk(tree) if isinstance(node, documented) and ast.get_docstring(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.value


def url_names(patterns: list[URLPattern | URLResolver] | None = None) -> Iterator[str]:
    """Yield the names of the addresses whose views a higher app has."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            yield from url_names(pattern.url_patterns)
        elif pattern.name and pattern.callback.__module__.split(".")[0] in HIGHER:
            yield pattern.name


def audit_codes() -> set[str]:
    """Return the codes of entries for which a higher app has words."""
    rooms = [file for app in HIGHER for file in (BASE / app).glob("*/audit_words.py")]
    codes = set()
    for room in rooms:
        module = importlib.import_module(".".join(room.relative_to(BASE).with_suffix("").parts))
        codes |= {key if isinstance(key, str) else key[0] for key in getattr(module, "WORDS", {})}
    return codes


def tables() -> set[str]:
    """Return the names of the tables of higher apps."""
    return {model._meta.db_table for app in HIGHER for model in apps.get_app_config(app).get_models()}


def addressed(file: Path) -> Iterator[str]:
    """Yield the URL names that a module asks the resolver for or compares the resolver's answer with."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in RESOLVE and node.args:
            parts: list[ast.expr] = [node.args[0]]
        elif isinstance(node, ast.Compare) and "url_name" in ast.unparse(node):
            parts = [node.left, *node.comparators]
        else:
            continue
        for part in parts:
            yield from (each.value for each in ast.walk(part) if isinstance(each, ast.Constant))


def test_no_lower_room_names_an_address_of_a_higher_app() -> None:
    names = set(url_names())
    assert {"requests", "my", "figures", "safety", "public"} <= names
    named = {(file.relative_to(BASE).as_posix(), name) for file in lower_files() for name in addressed(file)}
    assert ("sites/gate/middleware.py", "second_factor") in named
    assert {(file, name) for file, name in named if name in names} == set()


def test_no_lower_room_names_an_audit_code_of_a_higher_app() -> None:
    codes = audit_codes()
    assert {"RECEIVED", "INVITED", "TRAINED", "ARRANGED"} <= codes
    named = {(file.relative_to(BASE).as_posix(), text) for file in lower_files() for text in texts(file)}
    assert {(file, text) for file, text in named if text in codes} == HOMONYMS


def test_no_lower_room_names_a_table_of_a_higher_app() -> None:
    names = tables()
    assert {"referrals_referral", "training_peersupporter", "matching_match"} <= names
    found = {
        (file.relative_to(BASE).as_posix(), name)
        for file in lower_files()
        for text in texts(file)
        for name in names
        if name in text
    }
    assert found == set()


def test_the_wall_names_no_room() -> None:
    """`psi.tenancy` knows the table of sites, for their time zones, and nothing else that is not its own."""
    labels = {config.label for config in apps.get_app_configs() if config.label != "psi"}
    found = {text for text in texts(BASE / "psi/tenancy.py") if text.split(".")[0].split("_")[0] in labels}
    assert found == {"sites.Site"}


@pytest.mark.parametrize(
    ("slug", "roles", "labels"),
    [
        ("north", {Role.ADMINISTRATOR}, ["Today", "Requests", "Peer supporters", "Training", "Figures", "Program"]),
        ("north", {Role.LEAD}, ["Peer supporters", "Training", "Figures"]),
        ("north", {Role.SUPPORTER}, ["My matches", "My training"]),
        ("north", {Role.ADVISOR}, ["Figures"]),
        (
            "province",
            {Role.ADMINISTRATOR, Role.SUPPORTER},
            [
                "Today",
                "Requests",
                "Peer supporters",
                "My matches",
                "My training",
                "Training",
                "Figures",
                "Sites",
                "Operations",
                "Program",
            ],
        ),
    ],
)
def test_the_menu_has_one_order(world: World, slug: str, roles: set[Role], labels: list[str]) -> None:
    site = Site.objects.get(slug="province") if slug == "province" else world.north
    entries = navigation.menu(RequestFactory().get("/"), site, roles)
    assert [label for label, _url, _current in entries] == labels


def test_the_nearest_entry_of_the_menu_is_where_one_is(world: World) -> None:
    request = RequestFactory().get(f"/{world.north.slug}/my/training/")
    entries = navigation.menu(request, world.north, {Role.SUPPORTER})
    assert [(label, current) for label, _url, current in entries] == [("My matches", False), ("My training", True)]


def test_two_entries_cannot_have_one_place_in_the_menu() -> None:
    with pytest.raises(ValueError, match="another and today want the same place"):
        navigation.register(Entry(10, _("Another"), "another", frozenset({Role.LEAD})))


def test_a_second_sentence_for_an_audit_code_is_refused() -> None:
    before = audit_words.registered()
    with pytest.raises(ValueError, match="Two rooms have words for DENIED"):
        audit_words.register({"DENIED": _("Was refused a page, says another")})
    assert audit_words.registered() == before


def test_every_audit_code_that_is_written_out_has_words() -> None:
    recorded = set()
    for app in ("sites", *HIGHER):
        for file in (BASE / app).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == "audit.record":
                    recorded |= {each.value for each in ast.walk(node.args[0]) if isinstance(each, ast.Constant)}
    assert len(recorded) > 40
    assert sorted(recorded - {key if isinstance(key, str) else key[0] for key in audit_words.registered()}) == []
