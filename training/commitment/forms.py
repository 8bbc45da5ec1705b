"""How much a supporter takes on, breaks, and the words of the agreement."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from sites.engine.forms import bare_helper


class PledgeForm(forms.Form):
    """How many matches at most."""

    use_required_attribute = False
    cap_year = forms.IntegerField(
        label=_("Matches a year, at most"),
        help_text=_("Four to seven is typical."),
        min_value=1,
        max_value=50,
        error_messages=dict.fromkeys(
            ("required", "invalid", "min_value", "max_value"), _("Enter a whole number, 1 to 50.")
        ),
    )
    cap_live = forms.IntegerField(
        label=_("Matches at a time, at most"),
        min_value=1,
        max_value=10,
        error_messages=dict.fromkeys(
            ("required", "invalid", "min_value", "max_value"), _("Enter a whole number, 1 to 10.")
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = bare_helper(self)


class UntilForm(forms.Form):
    """The last day of a break."""

    use_required_attribute = False
    until = forms.DateField(
        label=_("Until and with"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages=dict.fromkeys(("required", "invalid"), _("Enter a date such as 2026-09-17.")),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = bare_helper(self)


class AgreementForm(forms.Form):
    """A new wording of the agreement."""

    use_required_attribute = False
    text = forms.CharField(
        label=_("The agreement"),
        max_length=6000,
        widget=forms.Textarea(attrs={"rows": 16}),
        error_messages={
            "required": _("Enter the words of the agreement."),
            "max_length": _("Keep this to %(limit_value)d characters; it has %(show_value)d."),
        },
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = bare_helper(self)
