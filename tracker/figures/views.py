"""A site's own figures: the page of a period, and each picture as a file."""

from dataclasses import replace
from datetime import date
from typing import Any

from django.db.models import Max, Min
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.text import slugify
from django.utils.timezone import localdate
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from psi import tenancy
from sites.engine import audit, spreadsheets
from sites.gate.permissions import for_roles
from sites.gate.requests import SiteRequest
from sites.gate.second_factor import confirm_first
from sites.tenants.models import Role
from tracker.figures import charts, panels, reporting_periods
from tracker.figures.models import Rollup, RollupFill

PICTURES = {"svg": "image/svg+xml", "png": "image/png"}


def page(request: HttpRequest) -> HttpResponse:
    """The current site's figures of the period in the address, all from counts."""
    context, status = figures_context(request.GET.get("period", ""), localdate(tenancy.now()))
    return render(request, "tracker/figures.html", context, status=status)


def figures_context(code: str, today: date) -> tuple[dict[str, Any], int]:
    """Return what the page shows, and its status: 400 with a sentence when no such period can be shown."""
    wrong = ""
    try:
        period = reporting_periods.parse(code, today)
    except ValueError as error:
        period, wrong = reporting_periods.parse("", today), str(error)
    first = first_counted_month()
    filled = RollupFill.objects.aggregate(at=Max("filled_at"))
    figures = panels.figures_of(period, today)
    total = figures.total
    context = {
        "wrong": wrong,
        "period": period,
        "offered": reporting_periods.period_choices(min(first or today, period.first), today),
        "reports": reportable_years(today, first),
        "counted_at": filled["at"],
        "drawn": [(panel, charts.draw(panel.chart) if panel.has_data else None) for panel in figures.panels],
        "requests": total["REQUEST", "ALL"],
        "matched": total["MATCHED", "ALL"],
        "in_time": total["CONTACT", "IN_TIME"],
        "windows": total["CONTACT", "IN_TIME"] + total["WINDOW", "MISSED"],
        "talks": total["TALK", "ALL"],
    }
    return context, 400 if wrong else 200


def first_counted_month() -> date | None:
    """Return the first month in which something happened at the current site; None before.

    Somebody may have been trained long before there was a program.
    """
    first: date | None = Rollup.objects.exclude(measure="TRAINED").aggregate(first=Min("month"))["first"]
    return first


def reportable_years(today: date, first: date | None) -> list[reporting_periods.Period]:
    """Return the fiscal years that were over thirty days ago, and in which something was counted since `first`.

    By then late reports are in, so that a report printed twice is the same.
    """
    return [
        year
        for year in reporting_periods.finished_fiscal_years(today - reporting_periods.PUBLICATION_DELAY)
        if first and year.last >= first
    ]


@for_roles(Role.ADMINISTRATOR, Role.LEAD)
@require_safe
@never_cache
@confirm_first
def download(request: SiteRequest, panel: str, kind: str) -> HttpResponse:
    """One picture of the site's own figures as CSV, PNG or SVG, unmasked: after the second factor, and noted."""
    if request.site.is_province:
        raise Http404("The province reads what is published.")
    today = localdate(tenancy.now())
    try:
        period = reporting_periods.parse(request.GET.get("period", ""), today)
    except ValueError as error:
        raise Http404(str(error)) from error
    chosen = next((one for one in panels.figures_of(period, today).panels if one.name == panel), None)
    if chosen is None or kind not in ("csv", *PICTURES):
        raise Http404("No such picture.")
    audit.record("EXPORTED", "FIGURES", None, by=request.actor)
    name = slugify(f"{request.site.slug}-{panel}-{period.code}")
    if kind == "csv":
        headings = ("Site", "Counted", *chosen.headings)
        site_columns = (request.site.name, chosen.chart.unit)
        rows = [(*site_columns, label, "hidden" if count is None else count) for label, count in chosen.chart.rows]
        return spreadsheets.file(name, kind, headings, rows)
    chart = replace(chosen.chart, title=f"{chosen.chart.title} · {request.site.name}")
    body = charts.png(chart) if kind == "png" else charts.svg(chart).encode()
    return HttpResponse(
        body, content_type=PICTURES[kind], headers={"Content-Disposition": f'attachment; filename="{name}.{kind}"'}
    )
