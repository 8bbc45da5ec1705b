"""Small closed-list forms of the administrator, the supporter and the status page."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as __

from referrals.models import Referral


class CloseForm(forms.Form):
    """How a request ended: of the list, what can be true for it."""

    use_required_attribute = False

    outcome = forms.ChoiceField(
        label=__("How did it end?"),
        choices=Referral.Outcome.choices,
        widget=forms.RadioSelect,
        error_messages={"required": __("Choose how it ended."), "invalid_choice": __("Choose how it ended.")},
    )

    def __init__(self, data: Any = None, *, supported: bool) -> None:
        super().__init__(data)
        if not supported:
            choices = [choice for choice in Referral.Outcome.choices if choice[0] != Referral.Outcome.DONE]
            self.fields["outcome"].choices = choices  # type: ignore[attr-defined]


class StatusForm(forms.Form):
    """A receipt, typed."""

    use_required_attribute = False

    receipt = forms.CharField(
        label=__("Receipt"),
        help_text=__("Four groups of four digits. Spaces do not matter."),
        max_length=40,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={"required": __("Enter the sixteen digits of your receipt.")},
    )

    def __init__(self, data: Any = None, *, missing: str = "") -> None:
        super().__init__(data)
        if missing:
            self.fields["receipt"].error_messages["required"] = missing
