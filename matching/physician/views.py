"""The physician's own look: how a request stands, by the receipt they typed, and what they may press there."""

from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from matching.invitations import rematch
from matching.invitations.alerts import OPEN_STATES
from matching.matches.contact_window import is_missed, window_ends
from matching.matches.models import LIVE, Match
from matching.physician import transitions as physician_moves
from matching.physician.forms import StatusForm
from psi import tenancy
from psi.sealed import Carrier
from referrals.requests.models import Referral
from referrals.requests.queries import office
from referrals.requests.receipts import receipt_digest
from sites.engine.audit import PUBLIC
from sites.engine.models import AuditEntry
from sites.engine.moves import MOVED_ON, Refused
from sites.gate.permissions import public
from sites.gate.requests import SiteRequest
from sites.reference.models import TextVersion
from sites.reference.queries import current_text
from sites.tenants.models import Role, Site
from sites.tenants.queries import province

State = Referral.State
# How long a page may be pressed before the receipt is asked for again.
CARRIER = Carrier("status", seconds=600)


@dataclass(frozen=True)
class Press:
    """What a button carries, encrypted, in place of the receipt: for one site, and the match that was on the page."""

    site: int
    digest: str
    match: int = 0

    def sealed(self) -> str:
        return CARRIER.seal(vars(self), self.site)


def receipt_not_found() -> str:
    """Return what is said of a receipt that leads nowhere."""
    return _("We do not find this receipt. Please check its sixteen digits.")


def press_from(request: SiteRequest) -> tuple[Press | None, StatusForm]:
    """Return what the pressed button carried, or what the typed receipt stands for, and the form that asks for it.

    Nothing comes of a button that is too old, or another site's; the form then says so.
    """
    if "sealed" in request.POST:
        if (press := _pressed(request)) is not None:
            return press, StatusForm()
        missing = _("Nothing was done: this page forgets your receipt after ten minutes. Please type it again.")
        return None, StatusForm({}, missing=missing)
    form = StatusForm(request.POST or None)
    if form.is_bound and form.is_valid():
        if digest := receipt_digest(form.cleaned_data["receipt"]):
            return Press(request.site.pk, digest.hex()), form
        form.add_error("receipt", receipt_not_found())
    return None, form


def _pressed(request: SiteRequest) -> Press | None:
    carried = CARRIER.open(request.POST["sealed"], request.site.pk)
    return None if carried is None else Press(**carried)


@public
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def status(request: SiteRequest) -> HttpResponse:
    """Ask for the receipt, and answer on the same page. A receipt is looked for here, then at the province."""
    press, form = press_from(request)
    pressed = "sealed" in request.POST
    context: dict[str, Any] = {
        "form": form,
        "office": office(request.site),
        "perhaps_outside": not request.site.is_province,
    }
    # The receipt does not stay on the screen.
    do = request.POST.get("do", "") if pressed else ""
    answer = _Visit(press=press, site=request.site, do=do).answer() if press else None
    if answer:
        context |= answer | {"form": StatusForm()}
    elif pressed and press:
        context["message"] = _("Nothing of this request is kept any more.")
    elif press:
        form.add_error("receipt", receipt_not_found())
    return render(request, "matching/status.html", context, status=422 if form.errors else 200)


@dataclass(kw_only=True)
class ReceiptSearch(ABC):
    """A receipt followed to where its request stands: here, at the province, or where it was handed to.

    Attributes:
        moved_to: id of the site it was handed to.
    """

    press: Press
    site: Site
    moved_to: int | None = None

    def answer(self) -> dict[str, Any] | None:
        """Return what the page shows; None when the receipt leads nowhere (any more)."""
        answer = self.answer_here(local=not self.site.is_province) or self._from_elsewhere(province().pk)
        # A linked site may have handed it on to the province; nobody hands on from there.
        while answer is None and (to := self.moved_to) is not None:
            self.moved_to = None
            answer = self._from_elsewhere(to)
        return answer

    @abstractmethod
    def answer_here(self, *, local: bool) -> dict[str, Any] | None:
        """Look in the current site; None when the receipt is not known there, or leads on (`moved_to`)."""

    def request_of_receipt(self) -> Referral | None:
        """Return the request of the receipt at the current site."""
        return Referral.objects.filter(receipt_digest=bytes.fromhex(self.press.digest)).first()

    def _from_elsewhere(self, site_id: int) -> dict[str, Any] | None:
        with tenancy.site_scope(site_id):
            return self.answer_here(local=False)


@dataclass(kw_only=True)
class _Visit(ReceiptSearch):
    """One look at a request, with the one move that was pressed.

    Attributes:
        do: the button; empty once it was dealt with.
        message: what came of it.
        opened: role → how often the details were opened, at a site that handed the request over too.
    """

    do: str
    message: str = ""
    opened: Counter[str] = field(default_factory=Counter)

    def answer_here(self, *, local: bool) -> dict[str, Any] | None:
        referral = self.request_of_receipt()
        if referral is not None and self.do and not (referral.state == State.HANDED_OVER and self.do != "outside"):
            try:
                self.message = self._make_move(referral)
            except Refused as refused:
                self.message = refused.sentence
            self.do = ""
            referral = self.request_of_receipt()
            if referral is None:
                return {"message": self.message}
        if referral is None:
            return None
        self.opened.update(_times_opened(referral))
        self.moved_to = referral.handed_to_id
        return None if referral.state == State.HANDED_OVER else self._status_context(referral, local=local)

    def _make_move(self, referral: Referral) -> str:
        """Make the move and return what came of it; every check comes before the first write."""
        if self.do == "unheard":
            physician_moves.report_no_contact(referral.pk)
            return _("Thank you for telling us. The people who look after requests see it now.")
        if self.do == "known" and Match.objects.filter(pk=self.press.match, referral=referral).exists():
            rematch.request_other_peer(self.press.match, by=PUBLIC)
            return _("Thank you. This peer is told to make no contact, and somebody else is looked for.")
        if self.do == "another" and Match.objects.filter(pk=self.press.match, referral=referral).exists():
            rematch.request_other_peer(self.press.match, by=PUBLIC, why=Match.Why.WISH)
            return _("Somebody else is looked for. You need not tell your story again.")
        if self.do == "outside":
            physician_moves.hand_over(referral.pk, to=province(), text=_consent())
            return _("The provincial team has your request now. Your receipt stays the same.")
        if self.do == "withdraw":
            if physician_moves.withdraw(referral.pk):
                return _("Your request is withdrawn. Your name and everything you told us is erased.")
            return _("Your request is withdrawn. Nobody is to contact you.")
        raise Refused(*MOVED_ON)

    def _status_context(self, referral: Referral, *, local: bool) -> dict[str, Any]:
        """Return what the physician may know of the request, in the current site."""
        match = physician_moves.visible_match(referral)
        live = match if match and match.state in LIVE else None
        offers = physician_moves.available_actions(referral, live, local=local)
        survey = physician_moves.survey_status(referral, match)
        press = Press(self.site.pk, self.press.digest, live.pk if live else 0)
        return {
            "message": self.message,
            "steps": _steps(referral, match),
            "referral": referral,
            "ended": referral.state not in OPEN_STATES,
            "hear_by": window_ends(match) if match and match.state == Match.State.CONFIRMED else None,
            "over": bool(match and match.state == Match.State.CONFIRMED and is_missed(match)),
            "opened": [(_(Role(role).label), times) for role, times in sorted(self.opened.items())],
            "offers": offers,
            "consent": _consent().text if offers.outside else "",
            "survey": survey,
            "sealed": press.sealed() if offers.withdraw or survey == physician_moves.MAY_ANSWER else "",
        }


def _consent() -> TextVersion:
    """Return the wording that a press agrees to when it sends a request to the province."""
    return current_text("HAND_OVER", (get_language() or "en")[:2])


def _times_opened(referral: Referral) -> dict[str, int]:
    rows = AuditEntry.objects.filter(object_kind=Referral.KIND, object_id=referral.pk, action="READ_IDENT")
    counts = rows.values_list("role").annotate(times=Count("pk"))
    return {role: times for role, times in counts if role in Role.values}


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
    if referral.state not in OPEN_STATES:
        last = _("Withdrawn") if referral.state == State.WITHDRAWN else _("Closed")
        return [(word, "done") for word in words[: at + 1 if at > 1 else 1]] + [(last, "now")]
    return [(word, "done" if i < at else "now" if i == at else "") for i, word in enumerate(words)]
