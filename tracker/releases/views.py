"""The province's releases: advisors read what is published, coordinators prepare, preview and publish.

Published tables come as files and pictures too, some for everybody.
"""

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.timezone import localdate
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from psi import tenancy
from sites.engine import spreadsheets
from sites.engine.forms import status_of
from sites.engine.moves import Refused
from sites.gate import saved_form
from sites.gate.permissions import for_roles, public
from sites.gate.requests import SiteRequest
from sites.tenants.models import Role
from tracker.figures import charts, periods, reporting_periods
from tracker.figures import methods as text
from tracker.figures import views as figure_views
from tracker.figures.views import PICTURES
from tracker.releases import exports
from tracker.releases import tables as release_tables
from tracker.releases import transitions as releases
from tracker.releases.forms import PrepareForm
from tracker.releases.models import Release
from tracker.releases.status import ReleaseStatus, postponed_tables, refusal_sentence
from tracker.releases.tables import Table

State = Release.State


def figures(request: HttpRequest) -> HttpResponse:
    """The published figures of the province. What is not published stands nowhere on the page."""
    return render(request, "tracker/province.html", province_context())


def province_context() -> dict[str, Any]:
    """Return what the page of the province shows."""
    files = exports.release_files()
    return {
        "tables": release_tables.over_time(),
        "files": [each for each in files if each.tables],
        "quarters_without_files": [each.words for each in files if not each.tables],
        "evaluations": [reporting_periods.fiscal_year(year) for year in release_tables.evaluated_years()],
        "most": release_tables.smallest_count() - 1,
    }


@for_roles(Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def releases_page(request: SiteRequest) -> HttpResponse:
    """All releases so far, and the form that has the next quarter prepared."""
    quarter = releases.next_quarter()
    latest = Release.objects.filter(state=State.REFUSED, quarter=quarter).order_by("-pk").first() if quarter else None
    form = PrepareForm(saved_form.data_for(request), without=(latest.remedy or "") if latest else "")
    if request.method == "POST" and form.is_valid():
        try:
            release = releases.prepare(quarter, form.options(), key=form.cleaned_data["key"], by=request.actor)
        except Refused as refused:
            form.add_error(None, refused.sentence)
        else:
            return redirect("release", release.pk)
    listed = [ReleaseStatus(release) for release in Release.objects.order_by("-pk")[:100]]
    context = {
        "form": form,
        "releases": listed,
        "on_its_way": next((status.release for status in listed if status.is_on_its_way), None),
        "quarter": quarter and periods.label(quarter, periods.last_month(quarter)),
        "opens_on": quarter and releases.opens_on(quarter),
        "open": quarter and releases.opens_on(quarter) <= localdate(tenancy.now()),
    }
    return render(request, "tracker/releases.html", context, status=status_of(request, form))


@for_roles(Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def release_page(request: SiteRequest, release_id: int) -> HttpResponse:
    """One release: how far the check is, why it was refused, what it would tell; publishing and setting aside."""
    release = get_object_or_404(Release, pk=release_id)
    if request.method == "POST":
        try:
            message = _act(request, release)
        except Refused as refused:
            messages.error(request, refused.sentence)
        else:
            messages.success(request, message)
        return redirect("releases") if request.POST.get("do") == "drop" else redirect("release", release.pk)
    status = ReleaseStatus(release)
    context = {
        "release": release,
        "status": status,
        "tables": release_tables.tables(release) if status.has_tables else [],
        "postponed": postponed_tables(release),
        "refusal": refusal_sentence(release),
        "most": release_tables.smallest_count() - 1,
    }
    return render(request, "tracker/release.html", context)


def _act(request: SiteRequest, release: Release) -> str:
    match request.POST.get("do"):
        case "publish":
            releases.publish(release.pk, public="public" in request.POST, by=request.actor)
            return gettext("Published. From now on nothing of it changes.")
        case "drop":
            releases.drop(release.pk, by=request.actor)
            return gettext("Set aside. You can prepare the quarter again.")
        case "show":
            releases.set_public(release.pk, public=True, by=request.actor)
            return gettext("Everybody can read it now.")
        case "hide":
            releases.set_public(release.pk, public=False, by=request.actor)
            return gettext("Only advisors and coordinators read it now.")
    raise Refused("UNKNOWN_BUTTON", gettext("Press one of the buttons."))


@public
@require_safe
def public_list(request: HttpRequest) -> HttpResponse:
    """The releases that everybody may read."""
    listed = [
        (each.quarter, periods.label(each.quarter, periods.last_month(each.quarter)))
        for each in release_tables.published_releases(public_only=True)
    ]
    return render(request, "tracker/published.html", {"releases": listed})


@public
@require_safe
def public_page(request: HttpRequest, quarter: date) -> HttpResponse:
    """A release that everybody may read."""
    if release := release_tables.published_release(quarter, public_only=True):
        return render(request, "tracker/published_one.html", release_context(release))
    raise Http404("No such release.")


def release_context(release: Release) -> dict[str, Any]:
    """Return what the public page of a release shows."""
    return {
        "release": release,
        "quarter": periods.label(release.quarter, periods.last_month(release.quarter)),
        "tables": release_tables.tables(release),
        "most": release_tables.smallest_count() - 1,
    }


@public
@require_safe
def methods(request: HttpRequest) -> HttpResponse:
    """How the figures are made, and how they are attacked before they are published. In plain words."""
    return render(request, "tracker/methods.html", {"sections": text.sections()})


@for_roles(Role.ADMINISTRATOR, Role.LEAD, Role.ADVISOR)
@require_safe
def figures_page(request: SiteRequest) -> HttpResponse:
    """A site's own figures, from its rollups; at the province, what was released, and nothing else."""
    if request.site.is_province:
        return figures(request)
    return figure_views.page(request)


# Files


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
