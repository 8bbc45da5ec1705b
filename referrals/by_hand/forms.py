"""The request form as an administrator fills it for someone who phones."""

from dataclasses import replace
from typing import Any

from django import forms
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from referrals.public.forms import AGREEMENTS, NOT_LISTED, OUTSIDE, RequestForm
from referrals.requests.identity import Identity
from referrals.requests.models import EventKind, Referral
from referrals.requests.request_facts import RequestAnswers
from sites.reference.models import TextVersion


class ByHandForm(RequestForm):
    """The questions of the public form, read out by the administrator; what is agreed to is agreed by voice."""

    pathway = forms.ChoiceField(
        label=_("How did it come?"),
        choices=[
            (Referral.Pathway.REACH_IN, _("They asked: a call, an email, in person")),
            (Referral.Pathway.REACH_OUT, _("We offered it after an event, and they agreed")),
        ],
        widget=forms.RadioSelect,
        error_messages=NOT_LISTED | {"required": _("Choose how it came.")},
    )
    event = forms.ChoiceField(
        label=_("After what?"),
        help_text=_("Only where you offered it after an event."),
        choices=[("", _("Choose one")), *EventKind.choices],
        required=False,
        error_messages=NOT_LISTED,
    )
    spoken = forms.ChoiceField(
        label=_("In which language did you read them what they agree to?"),
        choices=[("en", _("English")), ("fr", _("French"))],
        widget=forms.RadioSelect,
        error_messages=NOT_LISTED | {"required": _("Choose the language.")},
    )

    def __init__(self, data: Any = None, *, french: dict[str, TextVersion], **more: Any) -> None:
        super().__init__(data, **more)
        self.french = french
        # Nobody reads this page but the administrator, who is told on it when to name the Physician Health Program.
        del self.fields["looking_for"]
        for name, purpose in AGREEMENTS.items():
            if name in self.fields:
                self.fields[name].help_text = format_html('<span lang="fr">{}</span>', french[purpose].text)
        if "peer_from" in self.fields:
            here: Any = self.fields["peer_from"]
            here.widget.choice_hints = {OUTSIDE: gettext("The provincial team finds the peer. It leaves your list.")}
        rest = [name for name in self.fields if name not in AGREEMENTS]
        self.order_fields(["key", "pathway", "event", *(name for name in rest if name != "spoken"), "spoken"])

    def plain(self) -> list[forms.BoundField]:
        return [self["pathway"], self["event"], *super().plain()]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("event") and cleaned.get("pathway") == Referral.Pathway.REACH_IN:
            self.add_error("event", _("Leave this out where they asked themselves."))
        return cleaned

    def answers(self) -> RequestAnswers:
        answers = super().answers()
        return RequestAnswers(
            **vars(answers) | {"pathway": self.cleaned_data["pathway"], "event": self.cleaned_data["event"] or None}
        )

    def identity(self) -> Identity:
        return replace(super().identity(), language=self.cleaned_data["spoken"])

    def consent_texts(self) -> dict[str, TextVersion]:
        texts = super().consent_texts()
        return {purpose: self.french[purpose] for purpose in texts} if self.cleaned_data["spoken"] == "fr" else texts
