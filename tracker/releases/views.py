"""The province's releases: advisors read what is published, coordinators prepare, preview and publish."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.timezone import localdate
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
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
from tracker.releases.models import Release, ReleaseCell
from tracker.releases.options import MONTH, PART_OF_TABLE, PARTS

State, Table = Release.State, Release.Table
# What somebody could have worked out (tracker.releases.attack_model), in words that say no more than the kind of it.
DISCLOSED = {
    "ALL": _("how many requests came in a month, a quarter or a year, or on one pathway"),
    "SITE": _("how many requests one site had"),
    "SITE_PATH": _("how many requests one site had on one pathway"),
    "SET": _("how many requests gave the very same reasons"),
    "R": _("how often one reason was mentioned"),
    "N": _("how many requests did not mention one reason"),
    "SR": _("how often one reason was mentioned at one site"),
    "CONTACT": _("how many contacts were made in time, or late"),
    "TALK": _("how many conversations there were"),
    "SV": _("how some physicians answered the survey"),
}


def figures(request: HttpRequest) -> HttpResponse:
    """The published figures of the province. What is not published stands nowhere on the page."""
    return render(request, "tracker/province.html", province_context())


def province_context() -> dict[str, Any]:
    """Return what the page of the province shows."""
    files = exports.release_files()
    return {
        "tables": release_tables.over_time(),
        "shelves": [each for each in files if each.tables],
        "bare": [each.words for each in files if not each.tables],
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
    listed = list(Release.objects.order_by("-pk")[:100])
    context = {
        "form": form,
        "releases": [(each, periods.label(each.quarter, periods.last_month(each.quarter))) for each in listed],
        "on_its_way": next((each for each in listed if each.state in (State.CHECKING, State.READY)), None),
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
        return redirect("releases" if request.POST.get("do") == "drop" else "release", *_page(request, release))
    context = {
        "release": release,
        "quarter": periods.label(release.quarter, periods.last_month(release.quarter)),
        "tables": release_tables.tables(release) if release.state in (State.READY, State.PUBLISHED) else [],
        # In steps of ten: how many hidden counts there are is nobody's business.
        "progress": release.done * 10 // release.total * 10 if release.total else 0,
        "waiting": postponed_tables(release),
        "refused": refusal_sentence(release),
        "most": release_tables.smallest_count() - 1,
    }
    return render(request, "tracker/release.html", context)


def _page(request: HttpRequest, release: Release) -> list[int]:
    return [] if request.POST.get("do") == "drop" else [release.pk]


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


def postponed_tables(release: Release) -> list[str]:
    """Return in words the tables that were asked for, and are not in a release that passed: what is in them waits."""
    if release.state not in (State.READY, State.PUBLISHED):
        return []
    cells = ReleaseCell.objects.filter(release=release)
    published = set(cells.values_list("table", flat=True).distinct())
    if cells.filter(table=Table.MONTHS, first=F("last")).exists():
        published.add(MONTH)
    out = set() if release.with_months else {MONTH}
    if not periods.closes_fiscal_year(release.quarter):
        out.add(Table.SITES)
    return [str(part.label) for part in PARTS if getattr(release, part.column) and part.table not in published | out]


def refusal_sentence(release: Release) -> str:
    """Return in words why a release did not pass, and what to coarsen; empty if it was not refused."""
    if release.state != State.REFUSED or not release.found:
        return ""
    if release.found == releases.NOTHING:
        return gettext("No request has been counted in these months.")
    if release.found == releases.FAILED:
        return gettext(
            "The check broke off, so nothing can be told. Please tell the people who run this program: their log says"
            " more. Then prepare the quarter again."
        )
    if release.found == releases.CONTRADICTS:
        return gettext(
            "The counts of a site contradict each other, or what was published before. Nothing can be told until that"
            " is mended; the people who run this program can see more in their log."
        )
    kind = release.found if release.found in DISCLOSED else release.found.split("_")[0]
    why = gettext(
        "Together with everything published or previewed before, somebody could work out %(what)s,"
        " a number between 1 and %(most)s."
    ) % {"what": DISCLOSED[kind], "most": release_tables.smallest_count() - 1}
    if release.remedy:
        what = gettext(
            "Untick “%(table)s” and prepare the quarter again. That table waits, and is told for a longer period."
        )
        return f"{why} {what % {'table': PART_OF_TABLE[release.remedy].label}}"
    return f"{why} {_('No table alone helps: untick several, and prepare the quarter again.')}"


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
    """How the figures are made, and how they are attacked before they are told. In plain words."""
    return render(request, "tracker/methods.html", {"sections": text.sections()})


@for_roles(Role.ADMINISTRATOR, Role.LEAD, Role.ADVISOR)
@require_safe
def figures_page(request: SiteRequest) -> HttpResponse:
    """A site's own figures, from its rollups; at the province, what was released, and nothing else."""
    if request.site.is_province:
        return figures(request)
    return figure_views.page(request)
