"""The tracker: closed lists, one screen, one thumb, under a minute."""

import uuid
from datetime import date
from typing import Any

from django import forms
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sites.engine.forms import bare_helper
from sites.engine.plain_text import PlainField
from tracker.conversations.choices import Minutes, Resource, Way
from tracker.conversations.models import BaseRemark
from tracker.conversations.transitions import LATER, Conversation

# What an eye takes from its neighbours is still there for whoever listens.
LENGTHS = [
    (
        code,
        format_html('{}<span class="vh"> minutes</span>', label.removesuffix(" minutes"))
        if label.endswith(" minutes")
        else label,
    )
    for code, label in Minutes.choices
]
LATER_CODE = str(LATER)
NUMBERS = [("1", _("First")), ("2", _("Second")), ("3", _("Third")), (LATER_CODE, _("Fourth or later"))]
SCALE = [(str(n), str(n)) for n in range(1, 6)]


def month_name(month: date) -> str:
    """Return a month in words. Of the two that are open at once, the name alone says which."""
    return date_format(month, "F")


class TalkForm(forms.Form):
    """When, how and how long people talked: in one of the months that are open, this one unless said otherwise."""

    use_required_attribute = False

    key = forms.UUIDField(
        widget=forms.HiddenInput,
        error_messages=dict.fromkeys(("required", "invalid"), _("Please load this page anew, and send it again.")),
    )
    month = forms.TypedChoiceField(
        label=_("In which month?"),
        coerce=date.fromisoformat,
        widget=forms.RadioSelect,
        error_messages=dict.fromkeys(("required", "invalid_choice"), _("Choose one of these months.")),
    )

    way = forms.ChoiceField(
        label=_("How did you talk?"),
        choices=Way.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose how you talked.")},
    )
    minutes = forms.ChoiceField(
        label=_("How long, in minutes?"),
        choices=LENGTHS,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose about how long it was.")},
    )

    def __init__(self, data: Any = None, *, months: list[date], **kwargs: Any) -> None:
        super().__init__(data, initial={"key": uuid.uuid4(), "month": months[0].isoformat()}, **kwargs)
        self.months = months
        field: Any = self.fields["month"]
        field.wrapper_class = "beside"
        field.choices = [(month.isoformat(), month_name(month)) for month in months]
        if len(months) == 1:
            del self.fields["month"]
        self.helper = bare_helper(self)

    def chosen_month(self) -> date:
        month: date = self.cleaned_data.get("month", self.months[0])
        return month


class ConversationForm(TalkForm):
    """That a conversation happened, not what was said.

    A fourth asks whether it was one: the Physician Health Program is the better place by then (program overview).
    """

    field_order = ("month", "number", "beyond")

    number = forms.ChoiceField(
        label=_("Which conversation was it?"),
        choices=NUMBERS,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose which conversation it was.")},
    )
    ease = forms.ChoiceField(
        label=_("How easy was it for you?"),
        help_text=_("1 not, 5 very"),
        choices=SCALE,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a number for how easy it was.")},
    )
    strain = forms.ChoiceField(
        label=_("How hard was it on you?"),
        help_text=_("1 hardly, 5 a lot"),
        choices=SCALE,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a number for how hard it was on you.")},
    )
    resources = forms.MultipleChoiceField(
        label=_("What did you point to?"),
        choices=Resource.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    wants_debrief = forms.BooleanField(label=_("I would like a debrief"), required=False)
    safety_steps = forms.ChoiceField(
        label=_("I followed the safety steps"),
        choices=[("no", _("No")), ("yes", _("Yes"))],
        widget=forms.RadioSelect,
        error_messages={"required": _("Say whether you followed the safety steps.")},
    )
    beyond = forms.BooleanField(
        label=_("Yes, it was the fourth or a later one"),
        required=False,
    )
    beyond.say_optional = False  # type: ignore[attr-defined]

    def __init__(self, data: Any = None, *, recorded: frozenset[int], **kwargs: Any) -> None:
        """Show what was recorded so far.

        Args:
            recorded: the numbers of the conversations that are recorded.
        """
        super().__init__(data, **kwargs)
        self.recorded = recorded
        if labels := [str(label) for code, label in NUMBERS if int(code) in recorded]:
            self.fields["number"].help_text = gettext("recorded: %(numbers)s") % {"numbers": ", ".join(labels)}
        self.initial = {**self.initial, "number": str(min(max(recorded, default=0) + 1, 4))}
        # What was recorded stands beside the question.
        noted = "noted" if labels else ""
        for name, beside in (("number", noted), ("ease", "scale"), ("strain", "scale"), ("safety_steps", "beside")):
            field: Any = self.fields[name]
            field.wrapper_class = beside

    def clean_number(self) -> str:
        number: str = self.cleaned_data["number"]
        if number != LATER_CODE and int(number) in self.recorded:
            raise forms.ValidationError(gettext("This one is recorded already. Choose another, or go back."))
        return number

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("number") == LATER_CODE and not cleaned.get("beyond"):
            self.add_error("beyond", gettext("Please tick that it was the fourth or a later one, or choose another."))
        return cleaned

    def conversation(self) -> Conversation:
        data = self.cleaned_data
        return Conversation(
            number=int(data["number"]),
            way=Way(data["way"]),
            minutes=Minutes(data["minutes"]),
            ease=int(data["ease"]),
            strain=int(data["strain"]),
            resources=tuple(Resource(code) for code in data["resources"]),
            wants_debrief=data["wants_debrief"],
            safety_steps=data["safety_steps"] == "yes",
            month=self.chosen_month(),
        )


class InformalForm(TalkForm):
    """An informal contact: when, how and how long. Nobody is named."""


class RemarkForm(forms.Form):
    """A remark for the box that knows neither who nor about whom."""

    use_required_attribute = False

    text = PlainField(
        label=_("Your remark"),
        help_text=format_lazy(_("At most {most} characters."), most=BaseRemark.MAX_LENGTH),
        max_length=BaseRemark.MAX_LENGTH,
        rows=6,
        error_messages={"required": _("Write a remark, or go back.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = bare_helper(self)
