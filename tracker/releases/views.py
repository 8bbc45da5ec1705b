"""The province's releases: advisors read what is published, coordinators prepare, preview and publish."""

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
from sites.engine.forms import status_of
from sites.engine.moves import Refused
from sites.gate import saved_form
from sites.gate.permissions import for_roles, public
from sites.gate.requests import SiteRequest
from sites.tenants.models import Role
from tracker.figures import methods as text
from tracker.figures import periods, reporting_periods
from tracker.figures import views as figure_views
from tracker.releases import exports
from tracker.releases import tables as release_tables
from tracker.releases import transitions as releases
from tracker.releases.forms import PrepareForm
from tracker.releases.models import Release
from tracker.releases.status import ReleaseStatus, postponed_tables, refusal_sentence

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
