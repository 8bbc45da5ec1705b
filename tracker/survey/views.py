"""Five questions for whoever holds the receipt of a request that has ended."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from matching.physician import views as status
from referrals.requests.models import Referral
from sites.engine.moves import Refused
from sites.gate import language
from sites.gate.permissions import public
from sites.gate.requests import SiteRequest
from tracker.survey import transitions as survey
from tracker.survey.models import AnswerChoice

QUESTIONS = {
    "in_time": _("Were you contacted in time?"),
    "safe": _("Did you feel safe with your peer?"),
    "helpful": _("Was it helpful?"),
    "recommend": _("Would you recommend it to a colleague?"),
    "again": _("Would you use it again?"),
}


class SurveyForm(forms.Form):
    """The five questions, any of which may be left out."""

    use_required_attribute = False

    def __init__(self, data: Any = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        for question, label in QUESTIONS.items():
            field: Any = forms.ChoiceField(
                label=label, choices=AnswerChoice.choices, required=False, widget=forms.RadioSelect, initial=""
            )
            # The page says it once for all five.
            field.say_optional = False
            self.fields[question] = field

    def clean(self) -> None:
        if not self.errors and not any(self.cleaned_data.values()):
            raise forms.ValidationError(gettext("Answer at least one question, or leave this page."))

    def answers(self) -> dict[str, str]:
        return {question: code for question, code in self.cleaned_data.items() if code}


@dataclass(kw_only=True)
class _Answering(status.ReceiptSearch):
    """A receipt followed to the request it stands for, with what was answered, if anything was."""

    answers: dict[str, str] | None

    def answer_here(self, *, local: bool) -> dict[str, Any] | None:
        referral = self.request_of_receipt()
        if referral is None:
            return None
        self.moved_to = referral.handed_to_id
        if referral.state == Referral.State.HANDED_OVER:
            return None
        try:
            if self.answers is not None:
                survey.answer(referral.pk, self.answers)
                return {"thanks": True}
            survey.check_may_answer(referral)
        except Refused as refused:
            return {"closed": refused.sentence}
        return {"sealed": self.press.sealed()}


@public
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def survey_page(request: SiteRequest) -> HttpResponse:
    """Ask the five questions, and take the answers. Without a receipt there is nothing to see here.

    What was answered is kept on the page when the receipt must be typed again.
    """
    if request.method != "POST":
        return redirect(reverse("status", args=[request.site.slug]) + language.link_query(request))
    press, receipt = status.press_from(request)
    form = SurveyForm(request.POST if "do" in request.POST else None, initial=request.POST.dict())
    answers = form.answers() if form.is_bound and form.is_valid() else None
    page = _Answering(press=press, site=request.site, answers=answers).answer() if press else None
    if page is None and press and "sealed" in request.POST:
        page = {"closed": gettext("Nothing of this request is kept any more.")}
    elif page is None and press:
        receipt.add_error("receipt", status.receipt_not_found())
    context = {"form": form, "receipt": None if page else receipt, **(page or {})}
    invalid = not page or ("sealed" in page and form.errors)
    return render(request, "tracker/survey.html", context, status=422 if invalid else 200)
