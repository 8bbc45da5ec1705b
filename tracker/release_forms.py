"""What a coordinator asks for when a quarter is released."""

import uuid
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as __

from sites.forms import bare_helper
from tracker.release_models import Wanted


class PrepareForm(forms.Form):
    """Which tables the release has. What is left out waits, and is told for a longer period the next time."""

    use_required_attribute = False

    key = forms.UUIDField(
        widget=forms.HiddenInput,
        error_messages=dict.fromkeys(("required", "invalid"), __("Please load this page anew, and send it again.")),
    )
    months = forms.BooleanField(label=__("How many requests there were"), required=False)
    by_month = forms.BooleanField(label=__("The same by month"), required=False)
    reasons = forms.BooleanField(label=__("Reasons"), required=False)
    pathways = forms.BooleanField(label=__("Pathways"), required=False)
    sites = forms.BooleanField(label=__("Sites, where a fiscal year closes"), required=False)
    process = forms.BooleanField(label=__("How the program works"), required=False)

    def __init__(self, data: Any = None) -> None:
        tables = ("months", "by_month", "reasons", "pathways", "sites", "process")
        super().__init__(data, initial={"key": uuid.uuid4(), **dict.fromkeys(tables, True)})
        self.helper = bare_helper(self)

    def wanted(self) -> Wanted:
        """Return what was ticked."""
        return Wanted(**{name: said for name, said in self.cleaned_data.items() if name != "key"})
