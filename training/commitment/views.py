"""A supporter's commitment: the agreement they sign, how much they take on, breaks, help outside, and leaving."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.formats import date_format
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from psi import tenancy
from sites.engine.forms import status_of
from sites.gate import saved_form
from sites.gate.permissions import for_roles
from sites.gate.requests import AccountRequest, SiteRequest
from sites.reference.models import TextVersion
from sites.tenants.models import Role, Site
from training.commitment import agreement
from training.commitment import transitions as commitment
from training.commitment.forms import AgreementForm, PledgeForm, UntilForm
from training.supporters import lending
from training.supporters.models import PeerSupporter


def _mine(request: AccountRequest) -> PeerSupporter:
    return get_object_or_404(PeerSupporter.objects.exclude(state="LEFT"), user_id=request.user.pk)


@for_roles(Role.SUPPORTER)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def agreement_page(request: SiteRequest) -> HttpResponse:
    """The agreement in the words in force, and the one that was signed; signing is a POST with its SHA-256."""
    mine, today = _mine(request), localdate(tenancy.now())
    if mine.home_id is not None:
        return redirect("agreement", Site.objects.get(pk=mine.home_id).slug)
    if request.method == "POST":
        until = agreement.sign(mine.pk, request.POST.get("version", ""), by=request.actor)
        messages.success(
            request, _("Thank you. Your agreement holds until %(day)s.") % {"day": date_format(until, "j F Y")}
        )
        return redirect("agreement", request.site.slug)
    signed = agreement.latest(mine)
    context = {
        "mine": mine,
        "text": agreement.text(),
        "signed": signed,
        "may_sign": agreement.may_sign(mine, today),
        "holds": mine.agreement_until is not None and mine.agreement_until >= today,
        "until": agreement.runs_until(mine, today),
        "show_crisis": True,
    }
    return render(request, "training/agreement.html", context)


@for_roles(Role.SUPPORTER)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def commitment_page(request: SiteRequest) -> HttpResponse:
    """How much, when not, where else, and leaving. Each part is a press of its own."""
    mine, do = _mine(request), request.POST.get("do", "")
    if mine.home_id is not None:
        return redirect("commitment", Site.objects.get(pk=mine.home_id).slug)
    pledge = PledgeForm(
        request.POST if do == "pledge" else None, initial={"cap_year": mine.cap_year, "cap_live": mine.cap_live}
    )
    until = UntilForm(request.POST if do == "pause" else None)
    sent = {"pledge": pledge, "pause": until}.get(do)
    if request.method == "POST" and (sent is None or sent.is_valid()):
        messages.success(request, _press(request, mine, do, sent.cleaned_data if sent else {}))
        return redirect("commitment", request.site.slug)
    today, lent = localdate(tenancy.now()), lending.lent_to(mine)
    context = {
        "mine": mine,
        "pledge": pledge,
        "until": until,
        "form": sent or pledge,
        "pausing": mine.paused_until if mine.paused_until and mine.paused_until >= today else None,
        "elsewhere": [(site, site.pk in lent) for site in lending.elsewhere(request.site)],
        "show_crisis": True,
    }
    return render(request, "training/commitment.html", context, status=status_of(request, sent or pledge))


def _press(request: SiteRequest, mine: PeerSupporter, do: str, cleaned: dict[str, Any]) -> str:
    """Make the move that was pressed, and return what came of it."""
    by, today = request.actor, localdate(tenancy.now())
    if do == "pledge":
        commitment.pledge(mine.pk, by=by, **cleaned)
        return _("Saved.")
    if do in ("pause", "week"):
        day: date = cleaned["until"] if do == "pause" else commitment.end_of_week(today)
        commitment.pause(mine.pk, day, by=by)
        return _("Nobody new until and with %(day)s. Whom you support now is not affected.") % {
            "day": date_format(day, "l j F")
        }
    if do == "resume":
        commitment.resume(mine.pk, by=by)
        return _("Welcome back. You can be asked again.")
    if do == "leave":
        day = commitment.give_notice(mine.pk, by=by)
        return _("Noted. Your last day is before %(day)s. You can change your mind until then.") % {
            "day": date_format(day, "l j F Y")
        }
    if do == "stay":
        commitment.stay(mine.pk, by=by)
        return _("We are glad that you stay.")
    if do in ("lend", "take_back"):
        at = get_object_or_404(Site, slug=request.POST.get("at", ""))
        if do == "lend":
            lending.lend(mine.pk, to=at, by=by)
            return _("Thank you. You can be asked by %(site)s as well.") % {"site": at.name}
        lending.take_back(mine.pk, at=at, by=by)
        return _("You are not asked by %(site)s any more.") % {"site": at.name}
    raise Http404("No such press.")


@for_roles(Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def agreement_text(request: SiteRequest) -> HttpResponse:
    """The province words the agreement; what was signed stays as it was, and the next signature is under the new."""
    form = AgreementForm(saved_form.data_for(request, "text"), initial={"text": agreement.text().text})
    if request.method == "POST" and form.is_valid():
        if agreement.publish(form.cleaned_data["text"], by=request.actor):
            messages.success(request, _("Published. It is what supporters sign from now on."))
        else:
            messages.info(request, _("These are the words in force already."))
        return redirect("agreement_text")
    versions = TextVersion.objects.filter(kind=agreement.KIND, language="en").order_by("-valid_from")
    return render(
        request, "training/agreement_text.html", {"form": form, "versions": versions}, status=status_of(request, form)
    )
