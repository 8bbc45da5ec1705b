"""A request that came by phone, in the shared mailbox or in the corridor, written down by an administrator."""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from referrals.by_hand.forms import ByHandForm
from referrals.public import cached_form
from referrals.requests import receiving
from referrals.requests.models import Referral, ReferralConsent
from referrals.requests.receipts import receipt_digest
from sites.gate.permissions import for_roles
from sites.gate.requests import SiteRequest
from sites.tenants.models import Role
from sites.tenants.queries import province


@for_roles(Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def by_hand(request: SiteRequest) -> HttpResponse:
    """Write a request down. The answer to the POST holds the receipt; sent again, the same key gives the same one."""
    site = request.site
    if not site.takes_requests:
        return render(request, "referrals/by_hand.html")
    with translation.override("fr"):
        french = cached_form.consent_texts()
    form = ByHandForm(request.POST or None, french=french, **cached_form.form_arguments(site))
    if not form.is_valid():
        return render(request, "referrals/by_hand.html", {"form": form}, status=422 if form.is_bound else 200)
    receipt = receiving.submit(
        form.answers(),
        form.identity(),
        site=site,
        at=province() if form.outside else site,
        key=form.cleaned_data["key"],
        texts=form.consent_texts(),
        channel=ReferralConsent.Channel.VOICE,
        by=request.actor,
    )
    return receipt_page(request, receipt)


def receipt_page(request: SiteRequest, receipt: str) -> HttpResponse:
    """Show the administrator the receipt of what was just written down, to be read to the physician."""
    context = {
        "receipt": receipt.replace(" ", ""),
        "taken": Referral.objects.filter(receipt_digest=receipt_digest(receipt)).first(),
        "status_url": settings.PSI_ORIGIN + reverse("status", args=[request.site.slug]),
    }
    return render(request, "referrals/by_hand_taken.html", context)
