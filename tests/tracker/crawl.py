"""What a reader finds on a page, in a picture or in a file; and which of it might be a count of few people."""

import csv
import io
import json
import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import tablib

from tests import printed

# Attributes that are read out, or shown by a pointer.
SPOKEN = re.compile(
    r'\b(?:title|alt|aria-[a-z-]+|data-[a-z-]+|placeholder)="([^"]*)"|<(?:meter|progress|data)\b[^>]*\bvalue="([^"]*)"'
)
UNSEEN = re.compile(r"<(script|style|head)\b.*?</\1>", re.S)
# A digit by itself: no part of a date, a telephone number, a code or a larger number.
ALONE = re.compile(r"(?<![\w.,:/&#–-])[1-9](?![\w:/–-]|[.,]\d)")
# What stands by itself, and counts nobody.
NO_COUNTS = re.compile(
    r"\b\d{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]* \d{4}"  # a day
    r"|between 1 and 9\b"  # the rule itself
    r"|\b\d / \d\b"  # which page
    r"|\bmedian \d\b"  # whole hours
    r"|\b\d(?:\.\d)? (?:hours?|percent|average)\b|\b\d %"  # a median, a share, an average
    r"|\bcohort \d\b"  # which intake of sites
)


# Where one thing ends and another begins: a number at the end of a cell is no day of the month that follows.
BETWEEN = re.compile(r"</?(?:t[dhr]|text|title|desc|li|p|h\d|d[dt]|option|div|section|caption|summary)\b[^>]*>")


def visible(page: str) -> str:
    """Return the words of a page or a drawing in one line: what is shown, and what is read out."""
    main = re.search(r"<main\b.*?</main>", page, re.S)
    shown = UNSEEN.sub(" ", main[0] if main else page)
    spoken = " ".join(" ".join(found) for found in SPOKEN.findall(shown))
    shown = BETWEEN.sub(" ¦ ", shown)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", shown) + " " + spoken).split())


def small(text: str) -> list[str]:
    """Return every number from 1 to 9 that may be a count, each with the words around it."""
    text = NO_COUNTS.sub("·", text)
    return [text[max(found.start() - 20, 0) : found.end() + 20] for found in ALONE.finditer(text)]


def read(answer: Any) -> list[str]:
    """Return the texts of an answer: a page or drawing as one, a file line by line. A new kind is not understood."""
    kind = answer["Content-Type"].split(";")[0]
    if kind in ("text/html", "image/svg+xml"):
        return [visible(answer.text)]
    if kind == "text/csv":
        return [" ".join(line) for line in csv.reader(io.StringIO(answer.text))]
    if kind == "application/json":
        return list(_lines(json.loads(answer.content)))
    if kind.endswith("spreadsheetml.sheet"):
        book = tablib.Databook().load(answer.content, "xlsx")
        return [sheet.title + " " + " ".join(map(str, line)) for sheet in book.sheets() for line in sheet]
    if kind == "application/pdf":
        return [printed.words(answer.content)]
    if kind == "image/png":
        return []  # Set from the SVG at the same address, which is read.
    raise AssertionError(f"Teach the crawl to read {kind}.")


def _lines(what: Any) -> Iterator[str]:
    """Yield the values of each object, with what they belong to left out."""
    if isinstance(what, list):
        for one in what:
            yield from _lines(one)
    elif isinstance(what, dict):
        yield " ".join(str(value) for value in what.values() if not isinstance(value, dict | list))
        for value in what.values():
            yield from _lines(value) if isinstance(value, dict | list) else ()
    else:
        yield str(what)
