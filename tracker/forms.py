"""The tracker: closed lists, one screen, one thumb, under a minute."""

import uuid
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as __

from sites.forms import bare_helper
from tracker.models import Minutes, Resource, Way
from tracker.transitions import Conversation

SCALE = [(str(n), str(n)) for n in range(1, 6)]


class ConversationForm(forms.Form):
    """That a conversation happened, not what was said."""

    use_required_attribute = False

    key = forms.UUIDField(
        widget=forms.HiddenInput,
        error_messages=dict.fromkeys(("required", "invalid"), __("Please load this page anew, and send it again.")),
    )
    number = forms.ChoiceField(
        label=__("Which conversation was it?"),
        choices=[("1", __("First")), ("2", __("Second")), ("3", __("Third")), ("4", __("Fourth or later"))],
        widget=forms.RadioSelect,
        error_messages={"required": __("Choose which conversation it was.")},
    )
    way = forms.ChoiceField(
        label=__("How did you talk?"),
        choices=Way.choices,
        widget=forms.RadioSelect,
        error_messages={"required": __("Choose how you talked.")},
    )
    minutes = forms.ChoiceField(
        label=__("How long?"),
        choices=Minutes.choices,
        widget=forms.RadioSelect,
        error_messages={"required": __("Choose about how long it was.")},
    )
    ease = forms.ChoiceField(
        label=__("How easy was it for you?"),
        help_text=__("1 not easy, 5 very easy"),
        choices=SCALE,
        widget=forms.RadioSelect,
        error_messages={"required": __("Choose a number for how easy it was.")},
    )
    strain = forms.ChoiceField(
        label=__("How much does it weigh on you?"),
        help_text=__("1 hardly, 5 a lot"),
        choices=SCALE,
        widget=forms.RadioSelect,
        error_messages={"required": __("Choose a number for how much it weighs on you.")},
    )
    resources = forms.MultipleChoiceField(
        label=__("What did you point to?"),
        choices=Resource.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    wants_debrief = forms.BooleanField(label=__("I would like a debrief"), required=False)
    safety_steps = forms.BooleanField(label=__("I followed the safety steps"), required=False)

    def __init__(self, data: Any = None, **kwargs: Any) -> None:
        super().__init__(data, initial={"key": uuid.uuid4()}, **kwargs)
        for name in ("ease", "strain"):
            field: Any = self.fields[name]
            field.wrapper_class = "scale"
        self.helper = bare_helper(self)

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
            safety_steps=data["safety_steps"],
        )
