"""The tables of a published release as files, for coordinators and advisors."""

from datetime import date
from typing import Any

from django.http import Http404, HttpResponse
from django.views.decorators.http import require_safe

from sites.models import Role
from sites.permissions import for_roles
from tracker import exports, periods, published
from tracker.published import Table
from tracker.release_models import Release
from training import tables


@for_roles(Role.ADMINISTRATOR, Role.ADVISOR)
@require_safe
def book(request: Any, quarter: date) -> HttpResponse:
    """Every table of a release in one file; the first sheet is the dictionary."""
    release, found = _release(quarter)
    sheets = [("Dictionary", *exports.dictionary(release, found))]
    sheets += [(table.code, exports.HEADERS, exports.lines(table)) for table in found]
    return tables.book(f"figures-{periods.code(quarter)}", sheets)


@for_roles(Role.ADMINISTRATOR, Role.ADVISOR)
@require_safe
def sheet(request: Any, quarter: date, table: str) -> HttpResponse:
    """One table of a release, or the dictionary of them all."""
    release, found = _release(quarter)
    name = f"figures-{periods.code(quarter)}-{table}"
    if table == "dictionary":
        return tables.file(name, "csv", *exports.dictionary(release, found))
    for one in found:
        if one.code.lower() == table:
            return tables.file(name, "csv", exports.HEADERS, exports.lines(one))
    raise Http404("No such table.")


def _release(quarter: date) -> tuple[Release, list[Table]]:
    if release := published.released(quarter):
        return release, published.tables(release)
    raise Http404("No such release.")
