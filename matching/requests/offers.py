"""The administrator's side of a reach-out: who notified, and an offer that waits for the physician's answer."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _

from psi import tenancy
from referrals.by_hand import views as by_hand
from referrals.reach_out import transitions as reach_out
from referrals.requests.consents import notifier_consent
from referrals.requests.models import Consent, ReachOut, Referral
from sites.gate.permissions import for_roles
from sites.gate.post_only import post_only
from sites.gate.requests import SiteRequest
from sites.reference.queries import current_text
from sites.tenants.models import Role

posted_from_request = post_only("request_detail", lambda request, ref: get_object_or_404(Referral, ref=ref))


def context(referral: Referral) -> dict[str, Any]:
    """Return what the page of a request shows of its reach-out; nothing for one the physician sent."""
    if referral.pathway != Referral.Pathway.REACH_OUT:
        return {"offer": None, "reach_out": None, "to_ask": False}
    row = ReachOut.objects.filter(referral=referral).first()
    if row is None or referral.state != Referral.State.AWAITING_CONSENT:
        return {"offer": None, "reach_out": row, "to_ask": notifier_consent(referral) is not None}
    due = reach_out.call_due(row)
    return {
        "offer": row,
        "reach_out": row,
        "to_ask": False,
        "ends": reach_out.offer_ends_at(row),
        "call_due": due,
        "may_miss": due is not None and due <= tenancy.now(),
        "locked": row.wrong >= reach_out.MAX_WRONG_CODES,
        "consent": current_text(Consent.MATCH, "en").text,
    }


@for_roles(Role.ADMINISTRATOR)
@posted_from_request
def answer(request: SiteRequest, ref: str) -> HttpResponse:
    """Note what came of a call: yes, no, or nobody there."""
    referral_id, answer_code = get_object_or_404(Referral, ref=ref).pk, request.POST.get("said")
    if answer_code == "yes":
        return by_hand.receipt_page(request, reach_out.accept_by_voice(referral_id, by=request.actor))
    if answer_code == "no":
        reach_out.decline(referral_id, by=request.actor)
        messages.success(request, _("Noted. Everything about it is erased."))
        return redirect("requests", request.site.slug)
    if answer_code == "missed":
        reach_out.note_unanswered_call(referral_id, by=request.actor)
        messages.success(request, _("Noted. One more call after a week, then no more."))
    else:
        raise Http404("No such answer.")
    return redirect("request_detail", request.site.slug, ref)
