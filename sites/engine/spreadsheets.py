"""Tables that leave the house as files: CSV or XLSX by tablib, with cells that no spreadsheet takes for a formula."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import tablib
from django.http import HttpResponse

TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
RISKY = re.compile(r"'*[=+\-@\t\r]")  # with apostrophes before it, so that one can be taken off again


def safe(cell: Any) -> Any:
    """Return a cell that is text, and nothing else, to whoever opens the file (OWASP, CSV injection)."""
    return f"'{cell}" if isinstance(cell, str) and RISKY.match(cell) else cell


def file(name: str, kind: str, headers: Sequence[str], rows: Iterable[Sequence[Any]]) -> HttpResponse:
    """Return a download.

    Args:
        name: of the file, without its end.
        kind: "csv" or "xlsx".
    """
    body = _sheet("", headers, rows).export(kind)
    return _download(f"{name}.{kind}", TYPES[kind], "\ufeff" + body if isinstance(body, str) else body)


def book(name: str, sheets: Iterable[tuple[str, Sequence[str], Iterable[Sequence[Any]]]]) -> HttpResponse:
    """Return a download as XLSX with a sheet for each (title, headers, rows).

    Args:
        name: of the file, without its end.
    """
    body = tablib.Databook([_sheet(*sheet) for sheet in sheets]).export("xlsx", column_width="adaptive")
    return _download(f"{name}.xlsx", TYPES["xlsx"], body)


def _sheet(title: str, headers: Sequence[str], rows: Iterable[Sequence[Any]]) -> tablib.Dataset:
    table = tablib.Dataset(headers=list(headers), title=title)
    for row in rows:
        table.append([safe(cell) for cell in row])
    return table


def _download(name: str, kind: str, content: str | bytes) -> HttpResponse:
    disposition = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return HttpResponse(content, content_type=kind, headers=disposition)
