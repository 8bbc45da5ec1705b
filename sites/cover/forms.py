"""Who covers, and from when until when."""

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sites.engine.forms import bare_helper

DATE = dict.fromkeys(("required", "invalid"), _("Enter a date such as 2026-09-17."))


class CoverForm(forms.Form):
    """Who, from when, until when."""

    use_required_attribute = False

    who = forms.ChoiceField(
        label=_("Who does your work meanwhile?"),
        help_text=_("They get the role of an administrator for these days, and your mail about requests."),
        error_messages=dict.fromkeys(("required", "invalid_choice"), _("Choose who covers.")),
    )
    starts_on = forms.DateField(
        label=_("First day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), error_messages=DATE
    )
    ends_on = forms.DateField(
        label=_("Last day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), error_messages=DATE
    )

    def __init__(self, data: Any = None, *, people: dict[int, str]) -> None:
        super().__init__(data)
        who: Any = self.fields["who"]
        who.choices = [("", gettext("Choose one")), *((str(user_id), name) for user_id, name in people.items())]
        self.helper = bare_helper(self)
