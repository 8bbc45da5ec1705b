"""Claims, batches, rates and certificates: the payee's statement, the administrators' page, and who verifies."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from psi import tenancy
from sites.engine import audit, spreadsheets
from sites.engine.forms import bare_helper, posted_id, status_of
from sites.engine.moves import Refused
from sites.gate import saved_form
from sites.gate.permissions import for_roles, public
from sites.gate.requests import SiteRequest
from sites.gate.second_factor import confirm_first
from sites.reference.models import Rate
from sites.tenants.models import Role, Site
from training.credits import certificates, statement
from training.credits import claims as pay
from training.credits.models import Batch, Claim
from training.sessions import transitions as sessions
from training.sessions.models import Enrolment

HEADERS = ("claim", "name", "day of service", "session", "minutes", "rate", "amount")


@for_roles(Role.SUPPORTER)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def my_statement(request: SiteRequest) -> HttpResponse:
    """Hours, credits and pay of one's own; claiming is a press."""
    if request.method == "POST":
        at = _holder(request, request.POST.get("at", ""))
        number = posted_id(request.POST.get("number", ""))
        try:
            if request.POST.get("do") == "claim":
                made = pay.claim(number, at=at, user_id=request.user.pk, by=request.actor)
                messages.success(request, gettext("Claimed: $%(amount)s.") % {"amount": made.amount})
            elif request.POST.get("do") == "withdraw":
                pay.withdraw(number, at=at, user_id=request.user.pk, by=request.actor)
                messages.success(request, gettext("The claim is withdrawn."))
            else:
                raise Http404("No such press.")
        except (Enrolment.DoesNotExist, Claim.DoesNotExist):
            raise Http404("Nothing of theirs.") from None
        return redirect("my_statement", request.site.slug)
    rows = statement.lines(request.site, request.user.pk)
    context = {
        "lines": rows,
        "totals": statement.totals(rows),
        "holders": sorted({line.at.pk: line.at for line in rows if line.credits}.values(), key=lambda at: at.pk),
        "show_crisis": True,
    }
    return render(request, "training/my_statement.html", context)


@for_roles(Role.SUPPORTER)
@require_safe
def my_statement_file(request: SiteRequest) -> HttpResponse:
    """The same as a file."""
    headers = ("day", "session", "held by", "hours", "credits", "pay", "claim")
    rows = [
        (
            line.day.isoformat(),
            line.title,
            line.at.name,
            f"{Decimal(line.minutes) / 60:.2f}",
            f"{line.credits:.2f}",
            f"{line.amount:.2f}" if line.amount is not None else "",
            line.claim.get_state_display() if line.claim else "",
        )
        for line in statement.lines(request.site, request.user.pk)
    ]
    return spreadsheets.file("statement", "csv", headers, rows)


@for_roles(Role.SUPPORTER)
@require_safe
@never_cache
def certificate(request: SiteRequest, at: str) -> HttpResponse:
    """The certificate as PDF; asking for it issues it, and asking again gives the same."""
    holder = _holder(request, at)
    made = certificates.issue(request.user.pk, at=holder, by=request.actor)
    with tenancy.site_scope(holder.pk):
        body = certificates.pdf(made, holder)
    headers = {"Content-Disposition": f'inline; filename="certificate-{made.code}.pdf"'}
    return HttpResponse(body, content_type="application/pdf", headers=headers)


class VerifyForm(forms.Form):
    """What stands on a certificate."""

    use_required_attribute = False

    code = forms.CharField(
        label=_("Code"),
        help_text=_("Twelve letters and digits, at the foot of the certificate."),
        max_length=30,
        error_messages={"required": _("Enter the code.")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    surname = forms.CharField(
        label=_("Surname on the certificate"),
        max_length=80,
        error_messages={"required": _("Enter the surname.")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


@public
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def verify(request: HttpRequest) -> HttpResponse:
    """Anyone who holds a certificate may ask whether it is one of ours. Nothing is told without code and surname."""
    form, found = VerifyForm(request.POST or None), None
    if form.is_valid():
        found = certificates.verify(form.cleaned_data["code"], form.cleaned_data["surname"])
        if found is None:
            form.add_error(None, gettext("No certificate has this code and surname. Please check both."))
    return render(request, "training/verify.html", {"form": form, "found": found}, status=status_of(request, form))


@for_roles(Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def pay_page(request: SiteRequest) -> HttpResponse:
    """Claims to decide on, what is approved, and the batches that were given to be paid."""
    if request.method == "POST":
        _decide(request)
        return redirect("pay", request.site.slug)
    waiting = list(
        Claim.objects.filter(state=Claim.State.SUBMITTED).select_related("enrolment__session").order_by("pk")
    )
    for claim in waiting:
        seat = claim.enrolment
        now = min(seat.attended_minutes or 0, seat.session.minutes)
        claim.own = claim.user_id == request.user.pk  # type: ignore[attr-defined]
        claim.fits = seat.state == Enrolment.State.ATTENDED and claim.minutes == now  # type: ignore[attr-defined]
    approved = list(Claim.objects.filter(state=Claim.State.APPROVED).order_by("pk"))
    context = {
        "waiting": waiting,
        "approved": approved,
        "total": sum((claim.amount for claim in approved), Decimal(0)),
        "batches": Batch.objects.order_by("-number")[:50],
        "whys": [choice for choice in Claim.Why.choices if choice[0] != Claim.Why.NONE],
    }
    return render(request, "training/pay.html", context)


def _decide(request: SiteRequest) -> None:
    do = request.POST.get("do", "")
    if do == "batch":
        made = pay.make_batch(by=request.actor)
        messages.success(request, gettext("Batch %(n)s is made. Download it below.") % {"n": made.number})
        return
    found = get_object_or_404(Claim, pk=posted_id(request.POST.get("claim", "")))
    if do == "approve":
        pay.approve(found.pk, by=request.actor)
        messages.success(request, gettext("Approved."))
    elif do == "refuse":
        pay.refuse(found.pk, request.POST.get("why", ""), by=request.actor)
        messages.success(request, gettext("Refused. They see why on their statement."))
    else:
        raise Http404("No such press.")


@for_roles(Role.ADMINISTRATOR)
@confirm_first
@require_safe
def batch_file(request: SiteRequest, number: int, kind: str) -> HttpResponse:
    """A batch as CSV or XLSX, for whoever pays."""
    batch = get_object_or_404(Batch, number=number)
    if kind not in spreadsheets.TYPES:
        raise Http404("No such kind of file.")
    claims = Claim.objects.filter(batch=batch).select_related("enrolment__session").order_by("pk")
    rows = [
        (
            claim.pk,
            claim.name,
            claim.served_on.isoformat(),
            str(claim.enrolment.session.get_kind_display()),
            claim.minutes,
            f"{claim.hourly:.2f}",
            f"{claim.amount:.2f}",
        )
        for claim in claims
    ]
    audit.record("EXPORT", "BATCH", batch.pk, by=request.actor)
    return spreadsheets.file(f"payment-batch-{batch.number}", kind, HEADERS, rows)


class RateForm(forms.Form):
    """A rate, and from when it holds."""

    use_required_attribute = False

    hourly = forms.DecimalField(
        label=_("Dollars an hour"),
        min_value=Decimal("0.01"),
        max_digits=7,
        decimal_places=2,
        error_messages=dict.fromkeys(
            ("required", "invalid", "min_value", "max_digits", "max_decimal_places", "max_whole_digits"),
            _("Enter an amount such as 176.18."),
        ),
    )
    valid_from = forms.DateField(
        label=_("From"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages=dict.fromkeys(("required", "invalid"), _("Enter a date such as 2026-09-17.")),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = bare_helper(self)


@for_roles(Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def rates(request: SiteRequest) -> HttpResponse:
    """The province's rates with their dates: one is added, none is changed."""
    form = RateForm(saved_form.data_for(request, "hourly"))
    if request.method == "POST" and form.is_valid():
        try:
            pay.add_rate(form.cleaned_data["hourly"], form.cleaned_data["valid_from"], by=request.actor)
        except Refused as refused:
            form.add_error("valid_from", refused.sentence)
        else:
            messages.success(request, gettext("Added."))
            return redirect("rates")
    context = {"form": form, "rates": Rate.objects.order_by("-valid_from")}
    return render(request, "training/rates.html", context, status=status_of(request, form))


def _holder(request: SiteRequest, slug: str) -> Site:
    return get_object_or_404(Site, pk__in=[site.pk for site in sessions.holding_sites(request.site)], slug=slug)
