"""The tables of published releases as files and pictures: for coordinators and advisors; some for everybody."""

from datetime import date

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from sites.engine import spreadsheets
from sites.gate.permissions import for_roles, public
from sites.gate.requests import SiteRequest
from sites.tenants.models import Role
from tracker.figures import charts, periods
from tracker.figures.views import PICTURES
from tracker.releases import exports
from tracker.releases import tables as release_tables
from tracker.releases.models import Release
from tracker.releases.tables import Table


@for_roles(Role.ADMINISTRATOR, Role.ADVISOR)
@require_safe
def workbook(request: SiteRequest, quarter: date) -> HttpResponse:
    """Every table of a release in one file; the first sheet is the dictionary."""
    release, tables = _release(quarter)
    sheets = [("Dictionary", *exports.dictionary(release, tables))]
    sheets += [(table.code, exports.HEADERS, exports.lines(table)) for table in tables]
    return spreadsheets.book(f"figures-{periods.code(quarter)}", sheets)


@for_roles(Role.ADMINISTRATOR, Role.ADVISOR)
@require_safe
def table_csv(request: SiteRequest, quarter: date, table: str) -> HttpResponse:
    """One table of a release, or the dictionary of them all."""
    release, tables = _release(quarter)
    if table == "dictionary":
        return spreadsheets.file(
            f"figures-{periods.code(quarter)}-dictionary", "csv", *exports.dictionary(release, tables)
        )
    return _file(periods.code(quarter), tables, table, "csv")


@for_roles(Role.ADMINISTRATOR, Role.ADVISOR)
@require_safe
def table_picture(request: SiteRequest, quarter: date, table: str, kind: str) -> HttpResponse:
    """A table of a release as a picture: `kind` is svg or png."""
    return _file(periods.code(quarter), _release(quarter)[1], table, kind)


@for_roles(Role.ADMINISTRATOR, Role.ADVISOR)
@require_safe
def table_over_time(request: SiteRequest, table: str, kind: str) -> HttpResponse:
    """A table over all releases, as the page of the province shows it: `kind` is csv, svg or png."""
    return _file("all", release_tables.over_time(), table, kind)


@public
@require_safe
def public_table_csv(request: HttpRequest, quarter: date, table: str) -> HttpResponse:
    """One table of a release that everybody may read."""
    return _file(periods.code(quarter), _release(quarter, public_only=True)[1], table, "csv")


def _release(quarter: date, *, public_only: bool = False) -> tuple[Release, list[Table]]:
    if release := release_tables.published_release(quarter, public_only=public_only):
        return release, release_tables.tables(release)
    raise Http404("No such release.")


def _file(period: str, tables: list[Table], code: str, kind: str) -> HttpResponse:
    table = next((candidate for candidate in tables if candidate.code.lower() == code), None)
    name = f"figures-{period}-{code}"
    if table and kind == "csv":
        return spreadsheets.file(name, kind, exports.HEADERS, exports.lines(table))
    chart = release_tables.chart(table) if table else None
    if chart is None or not chart.rows or kind not in PICTURES:
        raise Http404("No such file.")
    body = charts.png(chart) if kind == "png" else charts.svg(chart).encode()
    headers = {"Content-Disposition": f'attachment; filename="{name}.{kind}"'}
    return HttpResponse(body, content_type=PICTURES[kind], headers=headers)
