"""How the code is written, where ruff and mypy do not look."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

BASE = Path(settings.BASE_DIR)
APPS = ("psi", "sites", "training", "referrals", "matching", "tracker", "demo")


def trees() -> Iterator[tuple[str, ast.Module]]:
    """Yield every file of the apps, migrations left out, with its syntax tree."""
    for app in APPS:
        for file in sorted((BASE / app).rglob("*.py")):
            if "migrations" not in file.parts:
                yield str(file.relative_to(BASE)), ast.parse(file.read_text())


def test_a_request_has_a_type_of_its_own() -> None:
    """SiteRequest or AccountRequest (sites/gate/requests.py) behind the access middleware, else HttpRequest."""
    seen, loose = 0, []
    for file, tree in trees():
        for node in ast.walk(tree):
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
                if argument.arg.strip("_") == "request":
                    seen += 1
                    words = ast.unparse(argument.annotation) if argument.annotation else ""
                    if "Request" not in words or "Any" in words:
                        loose.append(f"{file}:{node.lineno} {node.name}")
    assert seen > 200
    assert loose == []


# Why an import may stand inside a function; `*/apps.py` imports for the first reason (pyproject.toml).
REASONS = {"needs the app registry", "loaded by who does the work alone"}


def test_an_import_inside_a_function_has_a_reason() -> None:
    seen, wrong = 0, []
    for folder in (*APPS, "bench", "mutants", "tests"):
        for file in sorted((BASE / folder).rglob("*.py")):
            for line in file.read_text().splitlines():
                if re.match(r"\s+(from|import) .*# noqa:", line):
                    seen += 1
                    if line.partition("# noqa: PLC0415  ")[2] not in REASONS:
                        wrong.append(f"{file.relative_to(BASE)}: {line.strip()}")
    assert seen > 3
    assert wrong == []
