"""Small closed-list forms of the administrator, the supporter and the status page."""

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from matching.invitations.transitions import outcome_refusal
from matching.matches.models import Match
from referrals.requests.models import Referral


class CloseForm(forms.Form):
    """How a request ended: of the list, what can be true for it."""

    use_required_attribute = False

    outcome = forms.ChoiceField(
        label=_("How did it end?"),
        choices=Referral.Outcome.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose how it ended."), "invalid_choice": _("Choose how it ended.")},
    )

    def __init__(self, data: Any = None, *, matches: list[Match]) -> None:
        super().__init__(data)
        outcomes = [(code, label) for code, label in Referral.Outcome.choices if not outcome_refusal(code, matches)]
        self.fields["outcome"].choices = outcomes  # type: ignore[attr-defined]


class CallerForm(forms.Form):
    """What a caller says they left with a request: compared with the blind indexes, never stored."""

    use_required_attribute = False

    contact = forms.CharField(
        label=_("The phone number or email address they left"),
        help_text=_("All of it, as they tell it to you. Spaces and hyphens do not matter."),
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("Enter the phone number or the email address.")},
    )

    def clean_contact(self) -> dict[str, str]:
        """Return name of the blind index → the value."""
        contact: str = self.cleaned_data["contact"]
        if "@" in contact:
            return {"email": contact}
        if sum(map(str.isdigit, contact)) < 7:
            raise forms.ValidationError(gettext("Enter a whole phone number or email address."))
        return {"phone": contact}
