"""An administrator hands a request over: to the province, or to a site linked by an agreement."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from matching.invitations.alerts import OPEN_STATES
from matching.physician import transitions as physician_moves
from referrals.requests.models import Referral, ReferralConsent
from sites.engine.forms import bare_helper, status_of
from sites.gate.permissions import for_roles
from sites.gate.requests import SiteRequest
from sites.reference.models import TextVersion
from sites.reference.queries import current_text
from sites.tenants.models import Role, Site
from training.supporters import lending


class HandOverForm(forms.Form):
    """To whom, and that the physician agreed to it: with the request, or by voice to the words shown."""

    use_required_attribute = False

    to = forms.ChoiceField(
        label=_("To whom?"),
        widget=forms.RadioSelect,
        error_messages=dict.fromkeys(("required", "invalid_choice"), _("Choose to whom.")),
    )
    spoken = forms.ChoiceField(
        label=_("In which language did you read it to them?"),
        choices=[("en", _("English")), ("fr", _("French"))],
        initial="en",
        widget=forms.RadioSelect,
        required=False,
        error_messages={"invalid_choice": _("Choose the language.")},
    )
    agreed = forms.BooleanField(label=_("I read it to the physician, and they said yes"), required=False)

    def __init__(self, data: Any = None, *, places: list[Site], shared: set[str]) -> None:
        super().__init__(data)
        self.places = {place.slug: place for place in places}
        self.shared = shared
        to: Any = self.fields["to"]
        to.choices = [(place.slug, place.name) for place in places]
        to.widget.choice_hints = {slug: gettext("They agreed to this with their request.") for slug in shared}
        self.initial["to"] = places[0].slug
        self.helper = bare_helper(self)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "to" in cleaned and cleaned["to"] not in self.shared and not cleaned.get("agreed"):
            self.add_error("agreed", gettext("Read the words to the physician first, and tick this when they say yes."))
        return cleaned

    def text(self) -> TextVersion | None:
        """Return the wording that was read; None where they had agreed before."""
        if self.cleaned_data["to"] in self.shared and not self.cleaned_data["agreed"]:
            return None
        return wording(self.places[self.cleaned_data["to"]], self.cleaned_data["spoken"] or "en")


def wording(to: Site, language: str) -> TextVersion:
    """Return what a physician agrees to when their request goes there."""
    return current_text("HAND_OVER" if to.is_province else "SITE", language)


@for_roles(Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def hand_over(request: SiteRequest, ref: str) -> HttpResponse:
    """The words to read, and the press that moves the request. The site keeps only that it was handed over."""
    referral, places = get_object_or_404(Referral, ref=ref), lending.elsewhere(request.site)
    if referral.state not in OPEN_STATES or not places:
        return redirect("request_detail", request.site.slug, ref)
    shared = {place.slug for place in places if physician_moves.may_share_with(referral, place)}
    form = HandOverForm(request.POST or None, places=places, shared=shared)
    if request.method == "POST" and form.is_valid():
        to = form.places[form.cleaned_data["to"]]
        physician_moves.hand_over(
            referral.pk, to=to, text=form.text(), by=request.actor, channel=ReferralConsent.Channel.VOICE
        )
        sentence = gettext("Handed over to %(place)s. The physician’s receipt stays the same.") % {"place": to.name}
        messages.success(request, sentence)
        return redirect("request_detail", request.site.slug, ref)
    context = {
        "referral": referral,
        "form": form,
        "words": [(place.name, wording(place, "en").text, wording(place, "fr").text) for place in places],
    }
    return render(request, "matching/hand_over.html", context, status=status_of(request, form))
