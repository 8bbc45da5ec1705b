"""The physician's own look: how a request stands, by the receipt they typed."""

from typing import Any

from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from matching.forms import StatusForm
from matching.models import LIVE, Match
from matching.transitions import window_ends
from psi import tenancy
from referrals.models import Referral
from referrals.queries import office
from referrals.receipts import receipt_digest
from sites.models import AuditEntry, Role
from sites.permissions import public
from sites.queries import province

State = Referral.State


@public
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def status(request: Any) -> HttpResponse:
    """Ask for the receipt, and answer on the same page. A receipt is looked for here, then at the province."""
    form = StatusForm(request.POST or None)
    context: dict[str, Any] = {
        "form": form,
        "office": office(request.site),
        "perhaps_outside": not request.site.is_province,
    }
    if request.method == "POST" and form.is_valid():
        digest = receipt_digest(form.cleaned_data["receipt"])
        answer = (_answer(digest) or _from_province(digest)) if digest else None
        if answer is None:
            form.add_error("receipt", _("We do not find this receipt. Please check its sixteen digits."))
        else:
            # The receipt does not stay on the screen.
            context |= answer | {"form": StatusForm()}
    return render(request, "matching/status.html", context, status=422 if form.errors else 200)


def _from_province(digest: bytes) -> dict[str, Any] | None:
    with tenancy.site_scope(province().pk):
        return _answer(digest)


def _answer(digest: bytes) -> dict[str, Any] | None:
    """Return what the physician may know of the request with this receipt, in the current site."""
    referral = Referral.objects.filter(receipt_digest=digest).first()
    if referral is None:
        return None
    match = Match.objects.filter(referral=referral, state__in=(*LIVE, Match.State.COMPLETED)).first()
    opened = (
        AuditEntry.objects.filter(object_kind=Referral.KIND, object_id=referral.pk, action="READ_IDENT")
        .values_list("role")
        .annotate(times=Count("pk"))
        .order_by("role")
    )
    return {
        "steps": _steps(referral, match),
        "ended": referral.state not in (State.OPEN, State.MATCHED),
        "hear_by": window_ends(match) if match and match.state == Match.State.CONFIRMED else None,
        "opened": [(_(Role(role).label), times) for role, times in opened if role in Role.values],
    }


def _steps(referral: Referral, match: Match | None) -> list[tuple[str, str]]:
    """Return the journey as (words, "done" | "now" | "")."""
    words = [
        _("We have your request"),
        _("Looking for a peer"),
        _("A peer has agreed"),
        _("Your peer contacts you"),
        _("In contact"),
    ]
    state = match.state if match else None
    at = 1
    if state == Match.State.ACCEPTED:
        at = 2
    elif state == Match.State.CONFIRMED:
        at = 3
    elif state in (Match.State.CONTACTED, Match.State.COMPLETED):
        at = 4
    if referral.state not in (State.OPEN, State.MATCHED):
        return [(word, "done") for word in words[: at + 1 if at > 1 else 1]] + [(_("Closed"), "now")]
    return [(word, "done" if i < at else "now" if i == at else "") for i, word in enumerate(words)]
