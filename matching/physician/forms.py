"""A receipt, typed."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class StatusForm(forms.Form):
    """A receipt, typed."""

    use_required_attribute = False

    receipt = forms.CharField(
        label=_("Receipt"),
        help_text=_("Four groups of four digits. Spaces do not matter."),
        max_length=40,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={"required": _("Enter the sixteen digits of your receipt.")},
    )

    def __init__(self, data: Any = None, *, missing: str = "") -> None:
        super().__init__(data)
        if missing:
            self.fields["receipt"].error_messages["required"] = missing
