"""Bring locale/fr up to date with what the code and the templates say; `--check` says only whether it is.

Python files and templates name their sentences themselves; specialties are data, read from the reference table.
Without GNU gettext: Babel reads and writes, Django turns a template into what Babel can read.
"""

import argparse
import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
CATALOGUE = ROOT / "locale" / "fr" / "LC_MESSAGES" / "django.po"
APPS = ("psi", "sites", "training", "referrals", "matching", "tracker", "demo")
REFERENCE = ROOT / "sites" / "reference" / "reference.toml"
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
# No dates and no names: the log has them, and the file stays as it is where nothing changed.
HEADERS = [
    ("Project-Id-Version", "psi"),
    ("Language", "fr"),
    ("MIME-Version", "1.0"),
    ("Content-Type", "text/plain; charset=UTF-8"),
    ("Content-Transfer-Encoding", "8bit"),
    ("Plural-Forms", "nplurals=2; plural=(n > 1);"),
]

Sentence = tuple[str, str | tuple[str, ...], str | None]  # the file, its text (or singular and plural), its context


class French(Catalog):
    """The catalogue, with the headers above in place of those that Babel makes up."""

    # As Django's own French has it; Babel knows a third form, for millions.
    num_plurals = 2
    plural_expr = "(n > 1)"
    mime_headers = HEADERS


def python_files() -> list[Path]:
    """Return the apps' files in their order; migrations say nothing to people."""
    return [file for app in APPS for file in sorted((ROOT / app).rglob("*.py")) if "migrations" not in file.parts]


def templates() -> list[Path]:
    """Return pages and mail in their order."""
    return sorted(file for file in (ROOT / "templates").rglob("*") if file.suffix in {".html", ".txt"})


def sentences() -> Iterator[Sentence]:
    """Yield every sentence that may be shown in another language, with the file it stands in."""
    sources = [(file, file.read_text()) for file in python_files()]
    # The indentation of a page is none that Python would accept.
    sources += [
        (file, re.sub(r"(?m)^[ \t]+", "", templatize(file.read_text(), origin=str(file)))) for file in templates()
    ]
    for file, source in sources:
        # What a template becomes is no whole program: Babel reads tokens, and a string it cannot end is its own fault.
        for _line, text, _comments, context in extract("python", BytesIO(source.encode()), KEYWORDS, (), {}):
            yield str(file.relative_to(ROOT)), text, context
    for name in tomllib.loads(REFERENCE.read_text())["specialties"].values():
        yield str(REFERENCE.relative_to(ROOT)), name, None


def renew(before: Catalog) -> Catalog:
    """Return the catalogue of today's sentences, each with the translation it had.

    Only files are named, not lines: a catalogue that changes with every line added is not read in a review.
    """
    after = French(
        locale="fr", header_comment="# French. `make messages` brings it up to date and compiles it.", fuzzy=False
    )
    for file, text, context in sentences():
        known = before.get(text, context)
        kept = known is not None and type(known.id) is type(text)
        after.add(text, known.string if kept else None, locations=[(file, None)], context=context)
    return after


def unmarked(before: Catalog, after: Catalog) -> list[str]:
    """Return what has a translation, stands in the code, and would be lost since no call of gettext names it."""
    lost = {
        message.id
        for message in before
        if message.id and message.string and isinstance(message.id, str) and not after.get(message.id, message.context)
    }
    words = {
        node.value
        for file in python_files()
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant)
    }
    return sorted(lost & words)


def written(catalogue: Catalog) -> bytes:
    file = BytesIO()
    write_po(file, catalogue, width=0, sort_output=True, ignore_obsolete=True, include_lineno=False)
    return file.getvalue()


def compiled(catalogue: Catalog) -> bytes:
    file = BytesIO()
    write_mo(file, catalogue)
    return file.getvalue()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail where something would change")
    check = parser.parse_args().check
    with CATALOGUE.open("rb") as file:
        before = read_po(file, locale="fr")
    after = renew(before)
    if lost := unmarked(before, after):
        print("These are translated and in use; mark them with gettext_noop where they stand:", *lost, sep="\n  ")
        return 1
    files = {CATALOGUE: written(after), CATALOGUE.with_suffix(".mo"): compiled(after)}
    changed = [path for path, content in files.items() if path.read_bytes() != content]
    if check:
        if changed:
            print("locale/fr is not what the code says: run `make messages`.")
        return int(bool(changed))
    for path in changed:
        path.write_bytes(files[path])
    waiting = sum(1 for message in after if message.id and not message.string)
    print(f"locale/fr: {len(after)} sentences, {waiting} of them in English alone.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
