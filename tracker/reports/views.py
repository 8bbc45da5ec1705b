"""The reports as PDF, in one press: a site's own, a release's, and the annual evaluation."""

from datetime import date

from django.http import Http404, HttpResponse
from django.utils.timezone import localdate
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from psi import tenancy
from sites.engine import audit
from sites.gate.permissions import for_roles
from sites.gate.requests import SiteRequest
from sites.gate.second_factor import confirm_first
from sites.tenants.models import Role
from tracker.figures import periods, reporting_periods
from tracker.figures import views as figure_views
from tracker.releases import tables as release_tables
from tracker.reports import province as province_reports
from tracker.reports import site as site_reports


@for_roles(Role.ADMINISTRATOR, Role.LEAD)
@require_safe
@never_cache
@confirm_first
def site_report(request: SiteRequest, year: str) -> HttpResponse:
    """A site's report of a fiscal year that is over, after the second factor; the trail says who took it."""
    if request.site.is_province:
        raise Http404("The province reports what is published.")
    years = figure_views.reportable_years(localdate(tenancy.now()), figure_views.first_counted_month())
    report_year = next((candidate for candidate in years if candidate.code == year), None)
    if report_year is None:
        raise Http404("No such fiscal year, it is not over, or nothing was counted by then.")
    audit.record("EXPORTED", "REPORT", None, by=request.actor)
    return _file(
        site_reports.printed_report(request.site, report_year), f"{request.site.slug}-report-{report_year.code}"
    )


@for_roles(Role.ADMINISTRATOR, Role.ADVISOR)
@require_safe
def release_report(request: SiteRequest, quarter: date) -> HttpResponse:
    """The report of a published release."""
    if release := release_tables.published_release(quarter):
        return _file(
            province_reports.pdf(province_reports.report_of_release(release)), f"report-{periods.code(quarter)}"
        )
    raise Http404("No such release.")


@for_roles(Role.ADMINISTRATOR, Role.ADVISOR)
@require_safe
def evaluation_report(request: SiteRequest, year: str) -> HttpResponse:
    """The annual evaluation of a fiscal year whose last quarter is published."""
    for first in release_tables.evaluated_years():
        if reporting_periods.fiscal_year(first).code == year:
            return _file(province_reports.pdf(province_reports.annual_evaluation(first)), f"evaluation-{year}")
    raise Http404("No such fiscal year, or its last quarter is not published.")


def _file(body: bytes, name: str) -> HttpResponse:
    return HttpResponse(
        body, content_type="application/pdf", headers={"Content-Disposition": f'attachment; filename="{name}.pdf"'}
    )
