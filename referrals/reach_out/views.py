"""Pages of a reach-out: for whoever tells of a physician, for the physician who gets an offer, and words of welcome."""

import base64
import uuid
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from psi import tenancy
from psi.sealed import Carrier
from referrals.promotion import printing
from referrals.reach_out import transitions as reach_out
from referrals.reach_out.forms import AGREED, YES, CodeForm, NotifierForm, OfferForm
from referrals.requests.models import Consent, ReachOut
from referrals.requests.queries import office
from sites.engine import audit, bilingual, outbox
from sites.engine.moves import Refused
from sites.gate import language, slowdown
from sites.gate.permissions import for_roles, public
from sites.gate.requests import SiteRequest
from sites.reference.queries import current_text
from sites.tenants.models import Role, Site

# How long a page behind a code may be pressed before the code is asked for again.
CARRIER = Carrier("offer", seconds=1800)


def _language_code() -> str:
    return (get_language() or "en")[:2]


# Checked by the view itself: a form that waited too long is given back, filled.
@csrf_exempt
@public
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def tell(request: SiteRequest) -> HttpResponse:
    """Tell of a colleague. First whether they agreed, by a link of its own; what is asked for follows from it."""
    site = request.site
    if not (site.takes_requests and site.reach_out):
        return redirect(reverse("colleague", args=[site.slug]) + language.link_query(request))
    agreed = request.GET.get("agreed", "")
    if agreed not in dict(AGREED):
        choices = [(_query(request, code), label) for code, label in AGREED]
        return render(request, "referrals/tell.html", {"choices": choices})
    text = current_text("NOTIFIED", _language_code())
    if request.method != "POST":
        if saved := slowdown.restore(request):
            return _form(request, NotifierForm(saved, agreed=agreed == YES, text=text), waited=True)
        key = uuid.uuid4()
        form = NotifierForm(agreed=agreed == YES, text=text, key=key)
        return _form(request, form, ticket=slowdown.ticket_for(request, key))
    posted: QueryDict = request.POST
    stale, switching = slowdown.lacks_csrf(request), language.PARAMETER in posted
    if stale:
        # It may have been filled by a stranger's page, who must not know the key of what is sent next.
        posted, key = posted.copy(), uuid.uuid4()
        posted["key"], posted[slowdown.TICKET] = str(key), slowdown.ticket_for(request, key)
    form = NotifierForm(None if switching else posted, agreed=agreed == YES, text=text)
    if switching:
        form.fill(posted)
        return _form(request, form, ticket=posted.get(slowdown.TICKET, ""))
    after = reverse("thanks", args=[site.slug]) + language.link_query(request)
    if slowdown.is_honeypot_filled(request):
        return redirect(after)
    if stale or not form.is_valid():
        return _form(request, form, stale=stale, status=403 if stale else 422)
    if wait := slowdown.wait(request, form.cleaned_data["key"]):
        return slowdown.waiting_page(request, wait, form.fields, _("Tell the program"))
    reach_out.notify(form.answers(), form.identity(), site=site, key=form.cleaned_data["key"], text=text)
    return slowdown.forget(request, redirect(after))


def _query(request: HttpRequest, agreed: str) -> str:
    query = request.GET.copy()
    query["agreed"] = agreed
    return f"?{query.urlencode()}"


def _form(request: HttpRequest, form: NotifierForm, *, status: int = 200, **context: Any) -> HttpResponse:
    """Give back a form with what was typed, its ticket included."""
    context = {"ticket": form.data.get(slowdown.TICKET, "")} | context
    names = ("key", "notifier", "own_name", "name", "email", "phone", "event", "word")
    context |= {"form": form, "fields": [form[name] for name in names if name in form.fields]}
    return render(request, "referrals/tell.html", context, status=status)


@public
@require_safe
@cache_control(max_age=60)
def thanks(request: SiteRequest) -> HttpResponse:
    """What every notifier reads, whatever follows. It is the same page for everyone."""
    return render(request, "referrals/thanks.html")


@public
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def offer(request: HttpRequest, token: str) -> HttpResponse:
    """Behind the link of an offer: a field for the code, then the offer. Opening it changes nothing."""
    try:
        site_id, target, referral_id = outbox.read_locator(token)
    except signing.BadSignature as error:
        raise Http404("Not one of our links.") from error
    if target != ReachOut.KIND:
        raise Http404("Not the link of an offer.")
    if request.method != "POST":
        return render(request, "referrals/offer_code.html", {"form": CodeForm()})
    with tenancy.site_scope(site_id):
        site = Site.objects.get(pk=site_id)
        with timezone.override(site.time_zone):
            return (
                _answer_offer(request, site, referral_id)
                if _code_was_entered(request)
                else _submit_code(request, site, referral_id)
            )


def _code_was_entered(request: HttpRequest) -> bool:
    """Whether the code was typed for this offer not long ago, as the page says it was."""
    return CARRIER.open(request.POST.get("sealed", ""), request.path) is not None


def _submit_code(request: HttpRequest, site: Site, referral_id: int) -> HttpResponse:
    """The code was typed: count it when it is wrong, show the offer when it is right."""
    form, context = CodeForm(request.POST), {}
    if form.is_valid():
        try:
            if reach_out.is_right_code(referral_id, form.cleaned_data["code"]):
                return _offer_page(request, site, referral_id, OfferForm())
            form.add_error("code", _("This is not the code. Please check its sixteen digits."))
        except reach_out.Locked:
            context["locked"] = True
    return render(request, "referrals/offer_code.html", {"form": form} | context, status=422)


def _offer_page(request: HttpRequest, site: Site, referral_id: int, form: OfferForm) -> HttpResponse:
    try:
        reach_out.lock_offer(referral_id)
    except Refused:
        return render(request, "referrals/answered.html", {"gone": True, "office": office(site)})
    context = {
        "form": form,
        "where": site,
        "office": office(site),
        "consent": current_text(Consent.MATCH, _language_code()).text,
        "sealed": CARRIER.seal(True, request.path),
    }
    return render(request, "referrals/offer.html", context, status=422 if form.errors else 200)


def _answer_offer(request: HttpRequest, site: Site, referral_id: int) -> HttpResponse:
    """A button of the offer was pressed: yes, no, or the other language."""
    form = OfferForm(None if language.PARAMETER in request.POST else request.POST)
    if not form.is_bound:
        form.fill(request.POST)
    answer = request.POST.get("do") if form.is_bound else ""
    context: dict[str, Any] = {"where": site, "office": office(site)}
    try:
        if answer == "no":
            reach_out.decline(referral_id, by=audit.PUBLIC)
            return render(request, "referrals/answered.html", context)
        if answer == "yes" and form.is_valid():
            text = current_text(Consent.MATCH, _language_code())
            receipt = reach_out.accept(referral_id, form.answers(), form.identity(), text=text)
            context["receipt"] = receipt.replace(" ", "")
            return render(request, "referrals/answered.html", context)
    except Refused:
        return render(request, "referrals/answered.html", context | {"gone": True})
    return _offer_page(request, site, referral_id, form)


@for_roles(Role.ADMINISTRATOR, Role.LEAD)
@require_safe
def welcome(request: SiteRequest) -> HttpResponse:
    """Words for newcomers and for those who come back, to read out, copy or print, in both languages."""
    address = settings.PSI_ORIGIN + reverse("public", args=[request.site.slug])
    scripts = []
    for code in bilingual.LANGUAGES:
        with override(code):
            scripts.append((code, _script(request.site, address)))
    picture = base64.b64encode(printing.qr_svg(address)).decode()
    return render(request, "referrals/welcome.html", {"scripts": scripts, "address": address, "picture": picture})


def _script(site: Site, address: str) -> list[str]:
    """Return the paragraphs of the script in the language in force."""
    return [
        _("Welcome, and welcome back if you have been away."),
        _(
            "Here we check in on everyone who joins us or comes back, whatever the reason."
            " Starting somewhere, and starting again, is a lot for anybody."
        ),
        _(
            "%(site)s has peer supporters: colleagues, all of them physicians, who were trained to listen. If you would"
            " like one, they talk with you one to three times, in confidence. It is not therapy, mentoring or an"
            " evaluation, and nobody takes notes."
        )
        % {"site": site.name},
        _("You need no reason, and nobody will ask for one. You may ask for someone from outside our region."),
        _("Now or in half a year: the form is here, and takes two minutes. %(address)s") % {"address": address},
        _("And if you would rather not, that is just as well. Nobody will know, and nobody will ask again."),
    ]
