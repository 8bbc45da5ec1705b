"""The request form: four required fields, closed lists, and nowhere to write what happened."""

import uuid
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from referrals.models import Consent, Reason, Wish
from referrals.transitions import Ask, Identity
from sites.models import Site, TextVersion
from training.models import Department, Practice, Stage

HERE, OUTSIDE = "HERE", "OUTSIDE"
MOST_WISHES = 3
# What someone in a corridor may pass by, folded away under these words.
FOLDS = (
    (__("Tell us more, if you like"), ("best_time", "practice")),
    (__("Who your peer should be, or should not, if you like"), ("departments", "avoid_names", "wishes")),
)


class RequestForm(forms.Form):
    """A physician asks for a peer (reach-in)."""

    use_required_attribute = False  # our own words come back with everything that was typed

    key = forms.UUIDField(
        widget=forms.HiddenInput,
        error_messages=dict.fromkeys(("required", "invalid"), __("Please load this page anew, and send it again.")),
    )
    peer_from = forms.ChoiceField(
        label=__("Where should your peer come from?"),
        choices=[(HERE, __("My own community")), (OUTSIDE, __("Outside my region"))],
        widget=forms.RadioSelect,
        error_messages={"required": __("Choose where your peer should come from.")},
    )
    name = forms.CharField(
        label=__("Your name"),
        help_text=__("What should your peer call you? A made-up name is fine, as long as you answer to it."),
        max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages={
            "required": __("Enter a name. It may be one you made up."),
            "max_length": __("Keep this to 80 characters."),
        },
    )
    phone = forms.CharField(
        label=__("Phone"),
        help_text=__(
            "Phone or email, one is enough. Your peer gets it once you are matched."
            " An administrator can open it if needed; you can see how often."
        ),
        max_length=30,
        required=False,
        validators=[
            RegexValidator(
                r"^[\d\s().+\-]*(?:(?:ext|x|#)\.?\s*\d{1,6})?$",
                __("Enter a phone number, such as 604 555 0123."),
            )
        ],
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
    )
    email = forms.EmailField(
        label=__("Email"),
        help_text=__("Employers may be able to read work mail. A personal address is safer."),
        max_length=120,
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages={"invalid": __("Enter an email address such as name@example.ca.")},
    )
    notice = forms.BooleanField(
        label=__("Send a short, neutral message there when a peer has been found"),
        required=False,
    )
    reasons = forms.MultipleChoiceField(
        label=__("What is behind your request?"),
        help_text=__("Pick any that fit. Please don’t write what happened, here or elsewhere."),
        choices=Reason.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    best_time = forms.CharField(
        label=__("Best time to call"),
        max_length=60,
        required=False,
        error_messages={"max_length": __("Keep this to 60 characters.")},
    )
    stage = forms.ChoiceField(
        label=__("Career stage"),
        choices=[("", __("Choose one")), *((v, label) for v, label in Stage.choices if v != Stage.UNSAID)],
        required=False,
    )
    practice = forms.ChoiceField(
        label=__("Kind of practice"),
        choices=[("", __("Choose one")), *((v, label) for v, label in Practice.choices if v != Practice.UNSAID)],
        required=False,
    )
    departments = forms.MultipleChoiceField(
        label=__("Where is your own work evaluated?"),
        help_text=__("We then look for a peer who does not evaluate you."),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    avoid_names = forms.CharField(
        label=__("Anyone you would rather not be matched with"),
        help_text=__("Names only. Nobody is shown them: the list of candidates leaves these people out."),
        max_length=120,
        required=False,
    )
    wishes = forms.MultipleChoiceField(
        label=__("What would you like in a peer?"),
        help_text=__("At most three. We try, but cannot promise."),
        choices=Wish.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    agree_match = forms.BooleanField(
        label=__("I agree to be matched with a peer supporter and contacted"),
        error_messages={"required": __("Tick the box to agree to be matched and contacted.")},
    )
    agree_province = forms.BooleanField(required=False)
    agree_survey = forms.BooleanField(required=False)

    def __init__(
        self,
        data: Any = None,
        *,
        site: Site,
        texts: dict[str, TextVersion],
        departments: list[Department],
        key: uuid.UUID | None = None,
    ) -> None:
        super().__init__(data, auto_id="id_%s", initial={"key": key or uuid.uuid4()})
        self.texts = texts
        for name, purpose in (
            ("agree_match", Consent.MATCH),
            ("agree_province", Consent.PROVINCE),
            ("agree_survey", Consent.SURVEY),
        ):
            self.fields[name].label = texts[purpose].text
        peer_from: Any = self.fields["peer_from"]
        peer_from.widget.choice_hints = {
            OUTSIDE: _("Your local office will not see your name. The provincial team finds the peer.")
        }
        if site.is_province:
            # Everything sent here is the province's already.
            del self.fields["peer_from"], self.fields["agree_province"]
        if departments:
            field: Any = self.fields["departments"]
            field.choices = [(str(department.pk), department.name) for department in departments]
        else:
            del self.fields["departments"]
        # One of two, or said by the fold already.
        for name in ("phone", "email", "notice", *(name for _words, names in FOLDS for name in names)):
            if name in self.fields:
                self.fields[name].say_optional = False  # type: ignore[attr-defined]

    def fill(self) -> None:
        """Show what was typed without judging it."""
        for name, field in self.fields.items():
            self.initial[name] = field.widget.value_from_datadict(self.data, self.files, name)
        self.is_bound = False

    def plain(self) -> list[forms.BoundField]:
        """Return the questions before the folds, those that must be answered first."""
        names = ("key", "peer_from", "name", "phone", "email", "notice", "reasons", "stage")
        return [self[name] for name in names if name in self.fields]

    def folds(self) -> list[tuple[str, list[forms.BoundField], bool]]:
        """Return the words, questions and state of each fold; open where something was said or is wrong."""
        folds = [(words, [self[name] for name in names if name in self.fields]) for words, names in FOLDS]
        return [(str(words), inside, any(one.errors or one.value() for one in inside)) for words, inside in folds]

    def agreements(self) -> list[forms.BoundField]:
        """Return the boxes to tick before sending."""
        return [self[name] for name in self.fields if name.startswith("agree_")]

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if not any(map(str.isalnum, name)):
            # Spaces of no width and the like: nobody could be asked for by it.
            raise forms.ValidationError(self.fields["name"].error_messages["required"])
        return name

    def clean_phone(self) -> str:
        phone: str = self.cleaned_data["phone"]
        if phone and sum(map(str.isdigit, phone)) < 7:
            raise forms.ValidationError(_("This phone number is too short. Enter all its digits."))
        return phone

    def clean_wishes(self) -> list[str]:
        wishes: list[str] = self.cleaned_data["wishes"]
        if len(wishes) > MOST_WISHES:
            raise forms.ValidationError(_("Choose at most three wishes."))
        return wishes

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        reachable = cleaned.get("phone") or cleaned.get("email")
        if not reachable and "phone" not in self.errors and "email" not in self.errors:
            self.add_error("phone", _("Enter a phone number or an email address, so that your peer can reach you."))
        return cleaned

    @property
    def outside(self) -> bool:
        """Whether the peer should come from outside the region."""
        return self.cleaned_data.get("peer_from") == OUTSIDE

    def ask(self) -> Ask:
        data = self.cleaned_data
        return Ask(
            reasons=tuple(data["reasons"]),
            stage=data["stage"] or Stage.UNSAID,
            practice=data["practice"] or Practice.UNSAID,
        )

    def identity(self) -> Identity:
        data = self.cleaned_data
        # Departments are the local site's; they mean nothing to the province's roster.
        departments = () if self.outside else tuple(int(pk) for pk in data.get("departments", ()))
        return Identity(
            name=data["name"],
            phone=data["phone"],
            email=data["email"],
            notice=data["notice"],
            best_time=data["best_time"],
            wishes=tuple(data["wishes"]),
            departments=departments,
            avoid_names=data["avoid_names"],
            language=(get_language() or "en")[:2],
        )

    def agreed(self) -> dict[str, TextVersion]:
        """Return purpose → the wording agreed to. Asking for a peer from outside is agreeing to share."""
        said = {
            Consent.MATCH: True,
            Consent.PROVINCE: self.outside or self.cleaned_data.get("agree_province", False),
            Consent.SURVEY: self.cleaned_data["agree_survey"],
        }
        return {purpose.value: self.texts[purpose] for purpose, yes in said.items() if yes}
