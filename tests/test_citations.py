"""What the documents say of the code and the code of the documents: every citation leads somewhere, both ways."""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
APPS = ("psi", "sites", "training", "referrals", "matching", "tracker", "demo")
RULES = ROOT / "docs" / "rules.md"
DECISIONS = ROOT / "docs" / "decisions"
SHAPE = {
    "__init__",
    "models",
    "queries",
    "rules",
    "transitions",
    "due",
    "today",
    "notices",
    "opening",
    "audit_words",
    "navigation",
    "forms",
    "views",
    "urls",
}
CITED = re.compile(r"docs/[\w./-]*\w(?:#[\w-]+)?")
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s]+)\)")


def documents() -> list[Path]:
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


@cache
def sources() -> dict[Path, str]:
    """Return the code: what is not a document and may cite one."""
    folders = [ROOT / name for name in (*APPS, "tests", "bench", "mutants", "templates", "deploy")]
    found = [
        path for folder in folders for path in folder.rglob("*") if path.suffix in (".py", ".html", ".txt", ".sql")
    ]
    found += [ROOT / name for name in ("Makefile", "pyproject.toml", ".pre-commit-config.yaml", "docker-compose.yml")]
    return {path: path.read_text() for path in found if path != Path(__file__)}


@cache
def anchors(path: Path) -> list[str]:
    """Return the anchors of a document: its headings as GitHub makes them, and those set by hand."""
    text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ +(.+)$", text, re.MULTILINE)
    slugs = [re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings]
    return slugs + re.findall(r'<a id="([\w-]+)">', text)


def is_there(target: str, beside: Path) -> bool:
    """Whether a file, a folder, or a decision by its number is there, with the anchor if one is named."""
    name, _hash, anchor = target.partition("#")
    path = (beside / name).resolve()
    if re.fullmatch(r"\d{4}", path.name):
        path = next(path.parent.glob(f"{path.name}-*.md"), path)
    return path.exists() and (not anchor or anchor in anchors(path))


def lost(targets: Iterator[tuple[Path, str]], beside: Path | None = None) -> list[str]:
    return sorted(
        f"{path.relative_to(ROOT)}: {target}" for path, target in targets if not is_there(target, beside or path.parent)
    )


def test_what_the_code_cites_is_there() -> None:
    citations = ((path, target) for path, text in sources().items() for target in CITED.findall(text))
    assert lost(citations, ROOT) == []


def test_links_between_documents_lead_somewhere() -> None:
    links = (
        (path, target if target[0] != "#" else path.name + target)
        for path in documents()
        for target in LINK.findall(path.read_text())
    )
    assert lost(links) == []


def test_files_that_documents_name_are_there() -> None:
    named = (
        (path, name)
        for path in documents()
        for name in re.findall(
            r"`([\w.-]+/(?:[\w.-]+/)*(?:[\w-]+\.(?:py|toml|json|html|typ|svg|sql|md|po|mo))?)`", path.read_text()
        )
        if not name.startswith((".", "CHANGELOG")) and path.name != "CHANGELOG.md"
    )
    assert lost(named, ROOT) == []


# Rules


def rules() -> dict[str, str]:
    """Return anchor → text of each rule."""
    parts = re.split(r"^### +(.+)$", RULES.read_text(), flags=re.MULTILINE)[1:]
    titles, texts = parts[::2], [re.split(r"^## ", text, flags=re.MULTILINE)[0] for text in parts[1::2]]
    slugs = [re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles]
    return dict(zip(slugs, texts, strict=True))


def test_every_rule_says_its_source_and_its_code() -> None:
    bare = [name for name, text in rules().items() if not re.search(r"^- Source: \S.*?^- Code: `", text, re.M | re.S)]
    assert bare == []


def test_every_rule_is_cited_where_it_says_that_it_stands() -> None:
    """A file that holds a rule cites it; what the rule names there, such as a constant, is there."""
    missing = []
    for rule, text in rules().items():
        where = text[text.index("- Code:") :]
        for path, names in re.findall(r"`([\w/]+\.py)`((?: `\w+`)*)", where.replace("\n ", "")):
            source = sources()[ROOT / path]
            missing += [
                f"{rule}: {path} {name}" for name in re.findall(r"\w+", names) if not re.search(rf"\b{name}\b", source)
            ]
            if names and f"docs/rules.md#{rule}" not in re.findall(CITED, source):
                missing.append(f"{path} does not cite #{rule}")
    assert missing == []


def test_every_constant_of_a_rule_cites_it() -> None:
    """The citation stands with the constant: in its line, or at most six lines from where it begins."""
    far = []
    for rule, text in rules().items():
        for path, names in re.findall(r"`([\w/]+\.py)`((?: `\w+`)*)", text[text.index("- Code:") :].replace("\n ", "")):
            lines = sources()[ROOT / path].splitlines()
            for name in re.findall(r"`([A-Z_]+)`", names):
                defined = re.compile(rf"(?:\w+, )*{name}\b(?:, \w+)*(?:: [^=]+)? = ")
                at = next(number for number, line in enumerate(lines) if defined.match(line))
                near = "\n".join(lines[max(at - 6, 0) : at + 1]) + "\n" + _until_closed(lines[at:])
                if f"docs/rules.md#{rule}" not in CITED.findall(near):
                    far.append(f"{path}: {name} does not cite #{rule}")
    assert far == []


def _until_closed(lines: list[str]) -> str:
    """Return a statement that begins in the first of these lines and ends with a bracket at its beginning."""
    rest = [number for number, line in enumerate(lines[1:], 1) if line[:1] in (")", "]", "}")]
    return "\n".join(lines[: rest[0]]) if lines[0].endswith(("(", "[", "{")) and rest else lines[0]


def test_every_rule_is_cited_by_code() -> None:
    cited = {target for text in sources().values() for target in CITED.findall(text)}
    assert [rule for rule in rules() if f"docs/rules.md#{rule}" not in cited] == []


def test_every_check_cites_its_rule() -> None:
    without = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path, text in sources().items()
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in APPS
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("check_")
        if "docs/rules.md#" not in (ast.get_docstring(node) or "")
    ]
    assert without == []


# Decisions


def decisions() -> list[Path]:
    return sorted(DECISIONS.glob("[0-9]*.md"))


@pytest.mark.parametrize("path", decisions(), ids=lambda path: path.stem)
def test_a_decision_has_question_choice_cost_and_status(path: Path) -> None:
    text = path.read_text()
    assert re.findall(r"^\*\*(\w+)\.\*\*", text, re.MULTILINE) == ["Question", "Choice", "Cost", "Status"]
    assert re.match(rf"# {path.stem[:4]} · \S", text)


def test_the_index_lists_every_decision_with_title_and_status() -> None:
    expected = []
    for path in decisions():
        text = path.read_text()
        title = text.splitlines()[0].split(" · ", 1)[1]
        status = " ".join(text.split("**Status.** ")[1].split()).rstrip(".")
        expected.append((path.stem[:4], path.name, title, status))
    index = (DECISIONS / "README.md").read_text()
    assert re.findall(r"^\| \[(\d{4})\]\(([\w.-]+)\) \| (.+?) \| (.+?) \|$", index, re.MULTILINE) == expected
    assert [number for number, *_rest in expected] == [f"{n:04}" for n in range(1, len(expected) + 1)]


# The map


def rooms() -> list[Path]:
    inits = (init.parent for app in APPS for init in (ROOT / app).glob("*/__init__.py"))
    return sorted(room for room in inits if room.name not in ("migrations", "management", "templatetags"))


def test_a_room_says_what_it_is_for() -> None:
    silent = [room for room in rooms() if not ast.get_docstring(ast.parse((room / "__init__.py").read_text()))]
    assert silent == []


def test_the_readme_names_every_room_and_its_own_files() -> None:
    """Files of the common shape need no name there; those that have one are there."""
    readme = (ROOT / "README.md").read_text()
    parts = re.split(r"^\*\*`(\w+)/`\*\*", readme, flags=re.MULTILINE)[1:]
    named = {
        f"{app}/{room}": set(re.findall(r"`([\w.]+)`", own))
        for app, text in zip(parts[::2], parts[1::2], strict=True)
        for room, own in re.findall(r"^\| `(\w+)` \| .*? \| ?(.*?) ?\|$", text, re.MULTILINE)
    }
    there = {
        f"{room.parent.name}/{room.name}": {path.name for path in room.iterdir() if path.is_file()}
        for room in rooms()
        if room.parent.name not in ("psi", "demo")
    }
    assert sorted(named) == sorted(there)
    own = {room: {name for name in files if name.split(".")[0] not in SHAPE} for room, files in there.items()}
    assert {room: own[room] - named[room] for room in there if own[room] - named[room]} == {}
    assert {room: named[room] - there[room] for room in there if named[room] - there[room]} == {}


def test_readme_and_picture_have_the_rooms_in_the_order_of_their_imports() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = {each["containers"][0]: each["layers"] for each in contracts if each["name"].startswith("Rooms of")}
    there = {(room.parent.name, room.name) for room in rooms()}
    order = {app: [name for name in layers[app] if (app, name) in there] for app in APPS if app in layers}
    readme, page = (ROOT / "README.md").read_text(), (ROOT / "docs" / "architecture.md").read_text()
    for app in ("sites", "training", "referrals", "matching", "tracker"):
        table = readme.split(f"**`{app}/`**")[1].split("\n**`")[0]
        assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == order[app]
        assert f'<br>{" · ".join(order[app])}"]' in page


def test_the_architecture_page_is_read_in_ten_minutes() -> None:
    assert len((ROOT / "docs" / "architecture.md").read_text().split()) <= 1500


# The glossary


def glossary() -> list[list[str]]:
    rows = re.findall(r"^\| (.+) \|$", (ROOT / "docs" / "glossary.md").read_text(), re.MULTILINE)
    return [row for row in (line.split(" | ") for line in rows) if row[0] != "English"]


def test_the_glossary_says_in_french_what_the_pages_say() -> None:
    catalogue = (ROOT / "locale/fr/LC_MESSAGES/django.po").read_text().replace('"\n"', "").casefold()
    plain = [row[1] for row in glossary() if not row[1].startswith("*")]
    assert [word for word in plain if not re.search(rf"\b{re.escape(word.casefold())}s?\b", catalogue)] == []


def test_every_word_of_the_glossary_is_explained() -> None:
    assert [row for row in glossary() if len(row) != 4 or not all(row[:3])] == []
