"""The layout: every module stands in a contract of import-linter, rooms stay small, and names say what they are."""

import ast
import tomllib
from pathlib import Path

from django.conf import settings

BASE = Path(settings.BASE_DIR)
APPS = ("sites", "training", "referrals", "matching", "tracker")
CONFIGURED = tomllib.loads((BASE / "pyproject.toml").read_text())["tool"]["importlinter"]
MOST_FILES = 15  # of code in one folder, beside __init__.py and urls.py
# Who may look upward: the address list and the workers' switchboard.
UPWARD = {"psi/urls.py", "psi/celery.py"}


def modules(package: str) -> list[Path]:
    """Return the files of a package, migrations and commands of Django left out."""
    files = sorted((BASE / package).rglob("*.py"))
    return [file for file in files if not {"migrations", "management", "templatetags"} & set(file.parts)]


def layered() -> set[str]:
    """Return every module and package that a contract names with its container, dots between."""
    named = set()
    for contract in CONFIGURED["contracts"]:
        for layer in contract["layers"]:
            for each in layer.replace("|", ":").split(":"):
                name = each.strip().strip("()")
                named |= {f"{container}.{name}" for container in contract.get("containers", ())} or {name}
    return named


def test_no_module_stands_outside_a_contract() -> None:
    named = layered()
    outside = []
    for package in CONFIGURED["root_packages"]:
        for file in modules(package):
            parts = file.relative_to(BASE).with_suffix("").parts
            if parts[-1] == "__init__":
                continue
            if ".".join(parts) not in named:
                outside.append(".".join(parts))
    assert outside == []


def test_contracts_that_list_a_folder_list_it_whole() -> None:
    """Without `exhaustive` a new file would stand outside and nobody would hear of it."""
    assert [c["name"] for c in CONFIGURED["contracts"] if "containers" in c and not c.get("exhaustive")] == []


def test_no_folder_is_a_heap() -> None:
    full = {}
    for app in (*APPS, "psi", "demo"):
        for folder in {file.parent for file in modules(app)}:
            files = [file for file in folder.glob("*.py") if file.name not in ("__init__.py", "urls.py")]
            if len(files) > MOST_FILES:
                full[str(folder.relative_to(BASE))] = len(files)
    assert full == {}


def test_no_file_is_a_folder_in_disguise() -> None:
    files = [file for app in (*APPS, "psi", "demo") for file in modules(app)]
    assert [file.name for file in files if file.stem.endswith(("_views", "_models"))] == []


def test_every_room_has_its_own_addresses_and_the_project_only_includes() -> None:
    tree = ast.parse((BASE / "psi/urls.py").read_text())
    views = [call for call in ast.walk(tree) if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "path"]
    assert len(views) > 20
    assert [ast.unparse(call) for call in views if getattr(call.args[1].func, "id", "") != "include"] == []


def test_the_project_package_looks_upward_in_two_files_only() -> None:
    upward = set()
    for file in modules("psi"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in (*APPS, "demo"):
                upward.add(str(file.relative_to(BASE)))
    assert upward == UPWARD


def test_an_apps_models_are_imported_from_their_rooms() -> None:
    wrong = []
    for file in BASE.glob("*/**/*.py"):
        if ".venv" in file.parts or "migrations" in file.parts:
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module in {f"{app}.models" for app in APPS}:
                wrong.append(f"{file.relative_to(BASE)}: {node.module}")
    assert wrong == []
