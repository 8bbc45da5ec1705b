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
    table = tablib.Dataset(headers=list(headers))
    for row in rows:
        table.append([safe(cell) for cell in row])
    body = table.export(kind)
    content = "\ufeff" + body if isinstance(body, str) else body
    disposition = {"Content-Disposition": f'attachment; filename="{name}.{kind}"', "Cache-Control": "no-store"}
    return HttpResponse(content, content_type=TYPES[kind], headers=disposition)
