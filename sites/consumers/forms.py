"""Naming an organization whose programs may read the published tables."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from sites.engine.forms import bare_helper


class ConsumerForm(forms.Form):
    """An organization, by name."""

    use_required_attribute = False

    name = forms.CharField(
        label=_("Organization"),
        max_length=80,
        help_text=_("Whose program it is. No person’s name."),
        error_messages={
            "required": _("Enter the name of the organization."),
            "max_length": _("Keep this to 80 characters."),
        },
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self.helper = bare_helper(self)
