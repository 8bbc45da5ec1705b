"""Changing a number for someone who needs help now: the province's, and a site's own."""

import re
from typing import Any

from django import forms
from django.utils.timezone import localdate
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from psi import tenancy
from sites.engine.forms import ModelForm, bare_helper
from sites.reference.models import CrisisLine, LocalCrisisLine


class CrisisLineForm(ModelForm[CrisisLine]):
    """A number, its words in both languages, and whether it takes texts. What a telephone dials follows from it."""

    use_required_attribute = False

    texts = forms.BooleanField(label=_("It takes text messages too"), required=False)
    called = forms.BooleanField(label=_("I called this number today, and it is right"), required=False)

    class Meta:
        model = CrisisLine
        fields = ("number", "label", "note", "label_fr", "note_fr")
        labels = {
            "number": _("Number, as people read it"),
            "label": _("What it is"),
            "note": _("When it answers, or how to dial it"),
            "label_fr": _("What it is, in French"),
            "note_fr": _("When it answers, or how to dial it, in French"),
        }
        error_messages = {
            "number": {"required": _("Enter the number.")},
            "label": {"required": _("Say in a few words what it is.")},
        }

    field_order = ("number", "texts", "called", "label", "note", "label_fr", "note_fr")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["texts"] = bool(self.instance.sms)
        self.fields["label_fr"].required = True
        self.fields["label_fr"].error_messages["required"] = gettext("Say in a few words what it is, in French.")
        self.helper = bare_helper(self)

    def clean_number(self) -> str:
        return _dialled(self.cleaned_data["number"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if {"number", "texts"} & set(self.changed_data) and "number" in cleaned and not cleaned["called"]:
            self.add_error("called", gettext("Call the new number before people are sent to it."))
        return cleaned

    def save(self, commit: bool = True) -> CrisisLine:
        digits = re.sub(r"\D", "", self.cleaned_data["number"])
        self.instance.tel = f"tel:{digits}"
        self.instance.sms = f"sms:{digits}" if self.cleaned_data["texts"] else ""
        if self.cleaned_data["called"]:
            self.instance.verified_on = localdate(tenancy.now())
        line: CrisisLine = super().save(commit)
        return line


def _dialled(number: str) -> str:
    if not re.fullmatch(r"[0-9][0-9 \-]{1,18}[0-9]", number):
        raise forms.ValidationError(
            gettext("Enter digits, with spaces or hyphens between them, such as 1-800-663-6729.")
        )
    return number


class LocalLineForm(ModelForm[LocalCrisisLine]):
    """A number of the site's own, in both languages."""

    use_required_attribute = False

    class Meta:
        model = LocalCrisisLine
        fields = ("number", "label", "label_fr")
        labels = CrisisLineForm.Meta.labels
        error_messages = CrisisLineForm.Meta.error_messages | {
            "label_fr": {"required": _("Say in a few words what it is, in French.")}
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = bare_helper(self)

    def clean_number(self) -> str:
        number = _dialled(self.cleaned_data["number"])
        if LocalCrisisLine.objects.filter(number=number).exists():
            raise forms.ValidationError(gettext("This number is on your page already."))
        return number
