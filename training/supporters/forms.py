"""What an administrator keeps of a supporter, and what supporters say of themselves."""

from datetime import date
from typing import Any, NoReturn

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sites.engine.forms import ModelForm, bare_helper
from sites.engine.plain_text import PlainField
from training.supporters import photos, readiness, self_description, trained_facts
from training.supporters.models import Department, Evaluates, Language, PeerSupporter, Trait


def _date(label: Any, invalid: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": invalid},
    )


class SupporterForm(ModelForm[PeerSupporter]):
    """A line of the roster: readiness, limits, and whose work they evaluate.

    It saves nothing: `columns` and the fields `state` and `evaluates` are for `transitions.save_line`.
    """

    use_required_attribute = False

    # Not of the model's columns: moves alone write the state, readiness alone the dates.
    state = forms.ChoiceField(label=_("State"), choices=PeerSupporter.State.choices)
    trained_on = _date(_("Training completed on"), _("Enter a date such as 2026-09-17."))
    agreement_until = _date(_("Agreement holds until"), _("Enter a date such as 2026-09-17."))
    evaluates = forms.ModelMultipleChoiceField(
        queryset=Department.objects.none(),
        label=_("Evaluates physicians of"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = PeerSupporter
        fields = (
            "practice",
            "stage",
            "specialty",
            "gender",
            "speaks_french",
            "cap_year",
            "cap_live",
            "paused_until",
        )
        labels = {
            "practice": _("Practice"),
            "stage": _("Career stage"),
            "specialty": _("Specialty"),
            "gender": _("Gender, as they describe themselves"),
            "speaks_french": _("Speaks French"),
            "cap_year": _("Matches a year, at most"),
            "cap_live": _("Matches at a time, at most"),
            "paused_until": _("Pausing until"),
        }
        widgets = {"paused_until": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")}
        error_messages = {
            "paused_until": {"invalid": _("Enter a date such as 2026-09-17.")},
            **{
                name: {"required": _("Enter a number, at least 1."), "invalid": _("Enter a whole number.")}
                for name in ("cap_year", "cap_live")
            },
        }

    field_order = ("state", *readiness.COLUMNS, *Meta.fields, "evaluates")

    def __init__(self, *args: Any, on_the_way: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.update({name: getattr(self.instance, name) for name in ("state", *readiness.COLUMNS)})
        field: Any = self.fields["evaluates"]
        field.queryset = Department.objects.all()
        field.label_from_instance = lambda department: department.name
        if self.instance.pk:
            chosen = Evaluates.objects.filter(supporter=self.instance)
            self.initial["evaluates"] = list(chosen.values_list("department_id", flat=True))
        for name in ("cap_year", "cap_live"):
            number: Any = self.fields[name]
            number.min_value = 1
            number.validators.append(forms.IntegerField(min_value=1).validators[0])
        if on_the_way:
            # Reviewed, trained and agreed, they become active by themselves; nobody skips a step for them.
            del self.fields["state"]
        elif self.instance.state != PeerSupporter.State.LEFT:
            # Leaving hands matches on and ends access: it has a button of its own.
            state: Any = self.fields["state"]
            state.choices = [choice for choice in state.choices if choice[0] != PeerSupporter.State.LEFT]
        if self.instance.home_id is not None:
            # A copy: only whose work they evaluate is this site's to say.
            for name in set(self.fields) - {"evaluates"}:
                del self.fields[name]
        self.helper = bare_helper(self)

    def clean_trained_on(self) -> date | None:
        day: date | None = self.cleaned_data["trained_on"]
        if day is not None and not trained_facts.believable(day):
            raise forms.ValidationError(gettext("That lies too far back, or ahead. Enter a date such as 2026-09-17."))
        return day

    def columns(self) -> dict[str, Any]:
        """Return the columns of `PeerSupporter` that the form changes, without the state."""
        names = (*readiness.COLUMNS, *self.Meta.fields)
        return {name: self.cleaned_data[name] for name in names if name in self.fields}

    def save(self, commit: bool = True) -> NoReturn:
        """Refuse: it would write the whole row, and undo what the supporter changed meanwhile."""
        raise NotImplementedError("training.supporters.transitions.save_line writes a line of the roster.")

    def chosen_state(self) -> str | None:
        """Return the state that was chosen; None where there is none to choose."""
        return self.cleaned_data.get("state")

    def departments(self) -> list[int]:
        """Return the ids of the departments that were ticked."""
        return [department.pk for department in self.cleaned_data["evaluates"]]


class LeavingForm(forms.Form):
    """The first day without a supporter, as an administrator knows it."""

    use_required_attribute = False

    on = forms.DateField(
        label=_("They leave on"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages=dict.fromkeys(("required", "invalid"), _("Enter a date such as 2026-09-17.")),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = bare_helper(self)


class AboutMeForm(ModelForm[PeerSupporter]):
    """What supporters say of themselves, all of it voluntary."""

    traits = forms.MultipleChoiceField(
        label=_("What is true of you?"),
        help_text=_("Tick only what you would like a colleague to be able to wish for."),
        choices=Trait.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    languages = forms.MultipleChoiceField(
        label=_("Other languages you can have a conversation in"),
        choices=[choice for choice in Language.choices if choice[0] not in (Language.ENGLISH, Language.FRENCH)],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    evaluated = PlainField(
        label=_("People you evaluate"),
        help_text=_(
            "Names or email addresses, one to a line. They are sealed: nobody reads them, and you are never asked to"
            " support one of them."
        ),
        max_length=600,
        rows=3,
        required=False,
    )

    class Meta:
        model = PeerSupporter
        fields: tuple[str, ...] = ("gender", "speaks_french")
        labels = {"gender": _("Gender"), "speaks_french": _("I speak French")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        codes = self_description.described([self.instance]).get(self.instance.pk, frozenset())
        self.initial.update(traits=sorted(codes), languages=sorted(codes))
        self.initial["evaluated"] = self_description.evaluated([self.instance]).get(self.instance.pk, "")
        for field in self.fields.values():
            field.say_optional = False  # type: ignore[attr-defined]
        self.helper = bare_helper(self)

    def columns(self) -> dict[str, Any]:
        """Return the columns of `PeerSupporter` that the form changes."""
        return {name: self.cleaned_data[name] for name in self.Meta.fields}

    def save(self, commit: bool = True) -> NoReturn:
        """Refuse: it would write the whole row."""
        raise NotImplementedError("training.supporters.transitions.save_self_description writes what they say.")

    def codes(self) -> tuple[str, ...]:
        """Return the codes of `Trait` and `Language` that were ticked."""
        return *self.cleaned_data["traits"], *self.cleaned_data["languages"]


class PageForm(forms.Form):
    """What a supporter shows of themself on the public page; the agreement is theirs alone."""

    use_required_attribute = False

    bio = PlainField(
        label=_("About you"),
        help_text=_("A few lines, in plain words: where you work, what you have been through, who may turn to you."),
        max_length=400,
        rows=5,
        required=False,
    )
    bio_fr = PlainField(
        label=_("The same in French"),
        help_text=_("Without it, the French page shows your English words."),
        max_length=400,
        rows=5,
        required=False,
    )
    photo = forms.FileField(
        label=_("Photo"),
        help_text=_("JPEG, PNG or WebP. It is cut to a square; where and when it was taken is removed."),
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp"}),
    )
    shown = forms.BooleanField(label=_("Show me on the public page: my name, these words and my photo"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = bare_helper(self)

    def clean_photo(self) -> bytes | None:
        """Return the photo as it will be shown."""
        sent = self.cleaned_data["photo"]
        return photos.redrawn(sent, sent.size) if sent else None
