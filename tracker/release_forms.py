"""What a coordinator asks for when a quarter is released."""

import uuid
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from sites.forms import bare_helper
from tracker.release_models import Wanted

TABLES = ("months", "by_month", "reasons", "pathways", "sites", "process")


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

    def __init__(self, data: Any = None, *, without: str = "") -> None:
        """Tick every table but one.

        Args:
            without: name of the field of what a refused release said to leave out.
        """
        super().__init__(data, initial={"key": uuid.uuid4(), **{name: name != without for name in TABLES}})
        self.helper = bare_helper(self)

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if not any(said.get(name) for name in TABLES if name != "by_month"):
            raise forms.ValidationError(_("Tick at least one table."))
        return said

    def wanted(self) -> Wanted:
        """Return what was ticked."""
        return Wanted(**{name: said for name, said in self.cleaned_data.items() if name != "key"})
