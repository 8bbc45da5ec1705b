"""The tables of published releases as files and pictures: for coordinators and advisors; some for everybody."""

from datetime import date
from typing import Any

from django.http import Http404, HttpResponse
from django.views.decorators.http import require_safe

from sites.models import Role
from sites.permissions import for_roles, public
from tracker import charts, exports, periods, published
from tracker.figure_views import PICTURES
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
    if table == "dictionary":
        return tables.file(f"figures-{periods.code(quarter)}-dictionary", "csv", *exports.dictionary(release, found))
    return _file(periods.code(quarter), found, table, "csv")


@for_roles(Role.ADMINISTRATOR, Role.ADVISOR)
@require_safe
def picture(request: Any, quarter: date, table: str, kind: str) -> HttpResponse:
    """A table of a release as a picture: `kind` is svg or png."""
    return _file(periods.code(quarter), _release(quarter)[1], table, kind)


@for_roles(Role.ADMINISTRATOR, Role.ADVISOR)
@require_safe
def over_time(request: Any, table: str, kind: str) -> HttpResponse:
    """A table over all releases, as the page of the province shows it: `kind` is csv, svg or png."""
    return _file("all", published.over_time(), table, kind)


@public
@require_safe
def public_sheet(request: Any, quarter: date, table: str) -> HttpResponse:
    """One table of a release that everybody may read."""
    return _file(periods.code(quarter), _release(quarter, public_only=True)[1], table, "csv")


def _release(quarter: date, *, public_only: bool = False) -> tuple[Release, list[Table]]:
    if release := published.released(quarter, public_only=public_only):
        return release, published.tables(release)
    raise Http404("No such release.")


def _file(of: str, found: list[Table], code: str, kind: str) -> HttpResponse:
    table = next((each for each in found if each.code.lower() == code), None)
    name = f"figures-{of}-{code}"
    if table and kind == "csv":
        return tables.file(name, kind, exports.HEADERS, exports.lines(table))
    chart = published.chart(table) if table else None
    if chart is None or not chart.rows or kind not in PICTURES:
        raise Http404("No such file.")
    body = charts.png(chart) if kind == "png" else charts.svg(chart).encode()
    headers = {"Content-Disposition": f'attachment; filename="{name}.{kind}"'}
    return HttpResponse(body, content_type=PICTURES[kind], headers=headers)
