"""A roster as a file: CSV or XLSX read into plain cells, and the columns with which it goes out."""

import csv
import io
import re
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any

import openpyxl
from django.utils.translation import gettext as _
from openpyxl.utils.datetime import from_excel

COLUMNS = (
    "name",
    "email",
    "practice",
    "stage",
    "specialty",
    "gender",
    "french",
    "trained_on",
    "agreement_until",
    "cap_year",
    "cap_live",
    "departments",
)
DATES = ("trained_on", "agreement_until")
MOST_BYTES = 2 * 1024 * 1024
MOST_UNPACKED = 20 * 1024 * 1024
MOST_PARTS = 200
MOST_ROWS = 2000
# Blank lines count too, so that a file of nothing ends.
MOST_LINES = 3 * MOST_ROWS
MOST_COLUMNS = 40
# What `sites.engine.spreadsheets.safe` has made of a text that a spreadsheet would take for a formula.
_GUARDED = re.compile(r"'+[=+\-@\t\r]")

Cells = dict[str, str]
Table = list[tuple[int, Cells]]


class Unreadable(Exception):
    """A file that is no roster; its sentence is shown."""


def read(data: bytes) -> Table:
    """Return (row number in the file, column → text) of every row that is not blank.

    A byte order mark, semicolons or tabs between cells, capital letters and blanks in the headings, columns in another
    order and the dates of a spreadsheet are all right. What the file calls itself is not looked at.

    Raises:
        Unreadable: it is too large, broken, without an email column, or has a column nobody knows.
    """
    if len(data) > MOST_BYTES:
        raise Unreadable(_("This file is larger than 2 MB. A roster takes at most 2,000 rows."))
    rows = _xlsx(data) if data.startswith(b"PK\x03\x04") else _csv(data)
    heading: list[str] = []
    table: Table = []
    for number, row in rows:
        cells = [_text(cell) for cell in row]
        if not any(cells):
            continue
        if not heading:
            heading = _heading(cells)
            continue
        if len(table) == MOST_ROWS:
            raise Unreadable(_("A roster takes at most 2,000 rows."))
        if any(cells[len(heading) :]):
            raise Unreadable(_("Row %(n)s has more cells than the first row has headings.") % {"n": number})
        table.append((number, {name: cell for name, cell in zip(heading, cells, strict=False) if name}))
    if not table:
        raise Unreadable(_("There is nobody in this file."))
    return table


def _heading(cells: Sequence[str]) -> list[str]:
    names = [re.sub(r"[\s-]+", "_", cell.casefold()) for cell in cells]
    while names and not names[-1]:
        names.pop()
    unknown = [cell for cell, name in zip(cells, names, strict=False) if name not in COLUMNS]
    if "email" not in names:
        raise Unreadable(_("The first row has to name the columns, one of them “email”."))
    if unknown:
        raise Unreadable(_("Nobody knows the column “%(name)s”.") % {"name": unknown[0][:40]})
    if len(set(names)) < len(names):
        raise Unreadable(_("Two columns have the same name."))
    return names


def _text(cell: Any) -> str:
    """Return a cell as it would be typed: dates as 2026-09-17, whole numbers without a point, truth as yes and no."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, datetime | date):
        return f"{cell:%Y-%m-%d}"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def _csv(data: bytes) -> Iterator[tuple[int, list[str]]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
    if "\0" in text:
        raise Unreadable(_("This is not a roster we can read. Please choose a CSV or XLSX file."))
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for number, row in enumerate(reader, 1):
            if number > MOST_LINES or len(row) > MOST_COLUMNS:
                raise Unreadable(_("A roster takes at most 2,000 rows."))
            yield number, [unguarded(cell) for cell in row]
    except csv.Error as error:
        raise Unreadable(_("This is not a roster we can read. Please choose a CSV or XLSX file.")) from error


def _xlsx(data: bytes) -> Iterator[tuple[int, list[Any]]]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as parts:
            sizes = [part.file_size for part in parts.infolist()]
        # The size a part declares is also where unpacking it stops.
        if len(sizes) > MOST_PARTS or sum(sizes) > MOST_UNPACKED:
            raise Unreadable(_("This file is larger than 2 MB. A roster takes at most 2,000 rows."))
        with warnings.catch_warnings():
            # About what a sheet holds besides cells.
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
            sheet = book.worksheets[0]
            rows = list(sheet.iter_rows(max_row=MOST_LINES, max_col=MOST_COLUMNS, values_only=True))
    except Unreadable:
        raise
    except Exception as error:
        # Whatever a library makes of a broken file, the answer is one sentence.
        raise Unreadable(_("This is not a roster we can read. Please choose a CSV or XLSX file.")) from error
    for number, row in enumerate(rows, 1):
        yield number, [unguarded(cell) if isinstance(cell, str) else cell for cell in row]


def day(text: str) -> date:
    """Return the date a cell says, also as a spreadsheet counts days; raise `ValueError` when it says none."""
    if re.fullmatch(r"[1-9]\d{4}", text):
        counted = from_excel(int(text))
        return counted.date() if isinstance(counted, datetime) else counted
    return date.fromisoformat(text)


def unguarded(text: str) -> str:
    """Return the text of a guarded cell."""
    return text[1:] if _GUARDED.match(text) else text


def listed(names: Iterable[str]) -> str:
    """Return several names as one cell, with semicolons between them."""
    out = io.StringIO()
    csv.writer(out, delimiter=";", lineterminator="").writerow(names)
    return out.getvalue()


def unlisted(cell: str) -> list[str]:
    """Return the names in a cell."""
    rows = list(csv.reader([cell], delimiter=";", skipinitialspace=True))
    return [name.strip() for row in rows for name in row if name.strip()]
