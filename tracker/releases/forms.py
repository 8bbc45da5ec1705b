"""What a coordinator asks for when a quarter is released."""

import uuid
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sites.engine.forms import bare_helper
from tracker.releases.options import MONTH, PARTS, ReleaseOptions


class PrepareForm(forms.Form):
    """Which tables the release has. What is left out waits, and is published for a longer period the next time."""

    use_required_attribute = False

    key = forms.UUIDField(
        widget=forms.HiddenInput,
        error_messages=dict.fromkeys(("required", "invalid"), _("Please load this page anew, and send it again.")),
    )

    def __init__(self, data: Any = None, *, without: str = "") -> None:
        """Tick every table but one.

        Args:
            without: what a refused release said to leave out; empty for nothing.
        """
        ticked = {part.name: part.table != without for part in PARTS}
        super().__init__(data, initial={"key": uuid.uuid4(), **ticked})
        for part in PARTS:
            self.fields[part.name] = forms.BooleanField(label=str(part.label), required=False)
        self.helper = bare_helper(self)

    def clean(self) -> dict[str, Any]:
        answers = super().clean() or {}
        ticks = (part.name for part in PARTS if part.table != MONTH)
        if not any(answers.get(name) for name in ticks):
            raise forms.ValidationError(gettext("Tick at least one table."))
        return answers

    def options(self) -> ReleaseOptions:
        """Return what was ticked."""
        return ReleaseOptions(**{name: answers for name, answers in self.cleaned_data.items() if name != "key"})
