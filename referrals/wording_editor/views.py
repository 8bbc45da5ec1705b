"""Staff pages about the wording of the public page: write, preview, publish, bring back."""

from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from referrals.public import views
from referrals.wording import texts as wording
from referrals.wording.models import Wording
from referrals.wording_editor.forms import WordingForm
from sites.engine.forms import posted_id, status_of
from sites.gate import language, saved_form
from sites.gate.permissions import for_roles
from sites.gate.requests import SiteRequest
from sites.tenants import queries
from sites.tenants.models import Role

LANGUAGES = {"en": "English", "fr": "French"}
VERSIONS = 20  # as many are offered to be brought back


@for_roles(Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def wording_page(request: SiteRequest) -> HttpResponse:
    """Both languages, the draft, and what was published before; bringing back and throwing away are POSTs."""
    if "back" in request.POST:
        version = get_object_or_404(Wording.objects.filter(published=True), pk=posted_id(request.POST["back"]))
        wording.restore(version, by=request.actor)
        messages.success(request, _("That wording is on the public page again."))
        return redirect("wording", request.site.slug)
    if request.POST.get("do") == "forget":
        wording.discard_draft()
        messages.success(request, _("The draft is gone. The public page is as it was."))
        return redirect("wording", request.site.slug)
    versions = list(Wording.objects.filter(published=True).order_by("-pk")[:VERSIONS])
    names = queries.names(version.by_id for version in versions if version.by_id)
    context = {
        "languages": LANGUAGES.items(),
        "draft": wording.draft(),
        "versions": [(version, names.get(version.by_id or 0, "")) for version in versions],
    }
    return render(request, "referrals/wording.html", context)


@for_roles(Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def wording_text(request: SiteRequest, spoken: str) -> HttpResponse:
    """The texts in one language; saving them changes the draft, and leads to the preview."""
    if spoken not in LANGUAGES:
        raise Http404("No such language.")
    behind, texts = wording.fallback_layers(request.site), wording.current_texts()
    own, other = texts.get(spoken, {}), texts.get(wording.OTHER[spoken], {})
    form = WordingForm(
        saved_form.data_for(request),
        own=own,
        others={name for name in wording.NAMES if other.get(name)},
        default={name: text.text for name, text in wording.page_texts(behind, spoken).items()},
    )
    if request.method == "POST" and form.is_valid():
        wording.save_draft(spoken, form.own_texts(), by=request.actor)
        return redirect(_preview(request, spoken))
    context = {"form": form, "language": LANGUAGES[spoken], "other": LANGUAGES[wording.OTHER[spoken]]}
    return render(request, "referrals/wording_text.html", context, status=status_of(request, form))


@for_roles(Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def wording_preview(request: SiteRequest) -> HttpResponse:
    """The public page as it will be, in either language; publishing it is a POST."""
    if request.method == "POST":
        wording.publish(_moment(request.POST.get("seen", "")), by=request.actor)
        messages.success(request, _("Published. It is on the public page now."))
        return redirect("wording", request.site.slug)
    draft = wording.draft()
    if draft is None:
        messages.info(request, _("There is no draft to look at."))
        return redirect("wording", request.site.slug)
    with translation.override(language.preferred(request)):
        context = views.public_context(request, texts=[draft.texts, *wording.fallback_layers(request.site)])
        code, name = language.other_language(request)
        context |= {"draft": draft, "spoken": translation.get_language(), "open": True}
        # What the page would say of itself; staff pages have no other language.
        context |= {"other_language": code, "other_language_name": name, "switch_url": language.switch_query(request)}
        return render(request, "referrals/wording_preview.html", context)


def _preview(request: SiteRequest, code: str) -> str:
    return reverse("wording_preview", args=[request.site.slug]) + f"?{language.PARAMETER}={code}"


def _moment(text: str) -> datetime | None:
    try:
        return parse_datetime(text)
    except ValueError:
        return None
