"""Public pages: what this is, the request form, and what happens next. No script, no account."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import localdate
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from psi import tenancy, vault
from psi.sealed import CookieCarrier
from referrals.promotion import access_points
from referrals.public import cached_form
from referrals.public.forms import RequestForm, without_control_characters
from referrals.requests import queries, receiving
from referrals.wording import texts as wording
from sites.gate import language, slowdown
from sites.gate.permissions import public
from sites.gate.requests import SiteRequest
from sites.tenants.queries import province
from training.supporters import queries as roster

# Buttons of the page between a form and its sending.
GO_ON, BACK = "go_on", "back"
RECEIPT = CookieCarrier("receipt", seconds=600, name="receipt")


@public
@require_safe
@cache_control(max_age=60)
def public_page(request: SiteRequest) -> HttpResponse:
    """A site's own page: how it works, who may listen, both ways in, and what people ask."""
    return render(request, "referrals/public.html", public_context(request))


def public_context(
    request: SiteRequest, *, point: str = "", texts: Sequence[wording.Texts] | None = None
) -> dict[str, Any]:
    """Return what the public page shows.

    Args:
        request: of any page of the site; its language is the page's.
        point: the code by which the page was opened.
        texts: what to say in place of what is published, for a preview.
    """
    site, spoken = request.site, _language_code()
    page_texts = wording.page_texts(texts or wording.published_layers(site), spoken)
    faces, in_all = (
        roster.few(spoken, localdate(tenancy.now()).toordinal()) if site.takes_requests or texts else ([], 0)
    )
    return _pause_context(request) | {
        "open": site.takes_requests,
        "office": queries.office(site),
        "start_query": _start_query(request, point),
        "page_texts": page_texts,
        "faces": faces,
        "in_all": in_all,
    }


def _start_query(request: HttpRequest, point: str) -> str:
    query = QueryDict(mutable=True)
    if point:
        query["from"] = point
    if language.link_query(request):
        query[language.PARAMETER] = request.GET[language.PARAMETER]
    return f"?{query.urlencode()}" if query else ""


def _language_code() -> str:
    return (get_language() or "en")[:2]


@public
@require_safe
@cache_control(max_age=60)
def peers(request: SiteRequest) -> HttpResponse:
    """Everyone who agreed to be shown, a page at a time."""
    if not request.site.takes_requests:
        return render(request, "referrals/closed.html", _pause_context(request) | {"pathway": "reach-in", "typed": []})
    page = Paginator(roster.published().select_related("profile"), roster.PAGE).get_page(request.GET.get("page"))
    context = {
        "faces": roster.faces(list(page.object_list), _language_code()),
        "shown": page,
        "start_query": _start_query(request, access_points.clean_code(request.GET.get("from", ""))),
    }
    return render(request, "referrals/peers.html", context)


@public
@require_safe
@cache_control(max_age=60, private=True)
def access_page(request: SiteRequest, code: str) -> HttpResponse:
    """The same page, opened by a printed code. A code nobody knows opens it too, and counts for nothing."""
    point = access_points.clean_code(code)
    if request.method == "GET" and "prefetch" not in request.headers.get("Sec-Purpose", ""):
        access_points.count(point, "opened")
    return render(request, "referrals/public.html", public_context(request, point=point))


# Checked by the view itself: a form that waited too long is given back, filled.
@csrf_exempt
@public
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def request_page(request: SiteRequest) -> HttpResponse:
    """The request form. Nothing is stored before it is sent, and a double press makes one request."""
    site = request.site
    if not (site.takes_requests and site.reach_in):
        return render(
            request,
            "referrals/closed.html",
            _pause_context(request) | {"pathway": "reach-in", "typed": _fields_for_province(request)},
        )
    point = access_points.clean_code(request.GET.get("from", ""))
    if request.method != "POST":
        if saved := slowdown.restore(request):
            return _form(request, _bound_form(request, saved), waited=True)
        if point and request.method == "GET":
            access_points.count(point, "started")
        return HttpResponse(cached_form.request_page(request))
    return _send(request, point)


def _send(request: SiteRequest, point: str) -> HttpResponse:
    """Take a form that was sent: store it, or give it back with what is to change, or ask to wait."""
    site = request.site
    # Pages that hand back what was posted can show all of it.
    posted = without_control_characters(request.POST)
    request.POST = posted  # type: ignore[assignment]  # the stubs know none that is made by hand
    stale = slowdown.lacks_csrf(request)
    if stale:
        # It may have been filled by a stranger's page, who must not know the key of what is sent next.
        posted, key = posted.copy(), uuid.uuid4()
        posted["key"], posted[slowdown.TICKET] = str(key), slowdown.ticket_for(request, key)
    form = _bound_form(request, posted)
    if language.PARAMETER in posted or BACK in posted:
        # The other language, or the way back: everything typed comes along, and nothing is said of it yet.
        form.fill()
        return _form(request, form)
    if slowdown.is_honeypot_filled(request):
        return redirect(_sent_url(request))
    if stale or not form.is_valid():
        return _form(request, form, stale=stale, status=403 if stale else 422)
    if form.out_of_scope and GO_ON not in posted:
        return render(request, "referrals/interruption.html", {"carried": _hidden_fields(posted)})
    content = repr((form.answers(), form.identity(), form.outside, sorted(form.consent_texts())))
    digest = vault.digest("said", content).hex()
    before = _confirmation(request)
    if before and before.digest == digest:
        # Back, and sent again: the browser has a new key for the same form.
        return slowdown.forget(request, redirect(_sent_url(request)))
    if wait := slowdown.wait(request, form.cleaned_data["key"]):
        return slowdown.waiting_page(request, wait, form.fields_to_save(), _("Send my request"))
    receipt = receiving.submit(
        form.answers(),
        form.identity(),
        site=site,
        at=province() if form.outside else site,
        key=form.cleaned_data["key"],
        texts=form.consent_texts(),
        point=point,
    )
    return slowdown.forget(request, _redirect_with_receipt(request, Confirmation(receipt, digest, form.outside)))


def _fields_for_province(request: SiteRequest) -> list[tuple[str, str]]:
    """Return what was typed into a form whose door was closed meanwhile, to be taken to the province's form."""
    if request.site.is_province:
        return []
    return _hidden_fields(without_control_characters(request.POST), "key", slowdown.TICKET, "departments", "avoid")


def _hidden_fields(posted: QueryDict, *without: str) -> list[tuple[str, str]]:
    """Return what was posted as hidden fields for the next page, without what each page has of its own."""
    own = ("csrfmiddlewaretoken", language.PARAMETER, BACK, GO_ON, *without)
    return [(name, value) for name, values in posted.lists() if name not in own for value in values]


def _bound_form(request: SiteRequest, data: QueryDict) -> RequestForm:
    return RequestForm(data, **cached_form.form_arguments(request.site))


def _form(request: HttpRequest, form: RequestForm, *, status: int = 200, **context: Any) -> HttpResponse:
    """Give back a form with what was typed, its ticket included."""
    context |= {"form": form, "ticket": form.data.get(slowdown.TICKET, "")}
    return render(request, "referrals/request.html", context, status=status)


def _pause_context(request: SiteRequest) -> dict[str, Any]:
    """Return what a page of a closed site says of why it is closed."""
    return {"paused": not request.site.takes_requests and queries.has_requests()}


@dataclass(frozen=True)
class Confirmation:
    """What the browser that sent a form carries for ten minutes, encrypted: `digest` is the form's."""

    receipt: str
    digest: str
    outside: bool


def _sent_url(request: SiteRequest) -> str:
    return reverse("sent", args=[request.site.slug]) + language.link_query(request)


def _redirect_with_receipt(request: SiteRequest, confirmed: Confirmation) -> HttpResponse:
    """Redirect to the confirmation; the receipt travels sealed, for ten minutes, to the form and that page alone."""
    response = redirect(_sent_url(request))
    sealed = RECEIPT.seal(vars(confirmed), request.site.pk)
    return RECEIPT.put(response, sealed, path=reverse("request", args=[request.site.slug]))


def _confirmation(request: SiteRequest) -> Confirmation | None:
    carried = RECEIPT.read(request, request.site.pk)
    return None if carried is None else Confirmation(**carried)


@public
@require_safe
@never_cache
def sent(request: SiteRequest) -> HttpResponse:
    """The confirmation with its receipt, readable for ten minutes in the browser that sent the form."""
    confirmed = _confirmation(request)
    outside = confirmed is not None and confirmed.outside
    context = {
        "receipt": confirmed.receipt.replace(" ", "") if confirmed else "",
        "outside": outside or request.site.is_province,
        "office": queries.office(province() if outside else request.site),
        "perhaps_outside": confirmed is None and not request.site.is_province,
    }
    return render(request, "referrals/sent.html", context)


@public
@require_safe
@cache_control(max_age=60)
def colleague(request: SiteRequest) -> HttpResponse:
    """What someone can do who is concerned about a colleague."""
    site = request.site
    if not (site.takes_requests and site.reach_out):
        return render(request, "referrals/closed.html", _pause_context(request) | {"pathway": "reach-out", "typed": []})
    return render(request, "referrals/colleague.html")
