"""The request form: four required fields, closed lists, and nowhere to write what happened."""

import unicodedata
import uuid
from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.http import QueryDict
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from referrals.requests.identity import Identity
from referrals.requests.models import Consent, ReachBy, ReachWhen, Reason, Source, Voicemail, Wish
from referrals.requests.request_facts import RequestAnswers
from sites.reference.models import Specialty, TextVersion
from sites.tenants.models import Site
from training.supporters.models import Department, Language, PeerSupporter, Practice, Stage

HERE, OUTSIDE = "HERE", "OUTSIDE"
MAX_WISHES = 3  # docs/rules.md#wishes
# What someone may be looking for that a peer is not the right help for (docs/rules.md#request-form).
LOOKING = (
    ("TALK", _("Someone to talk with")),
    ("TREATMENT", _("Treatment for my mental health")),
    ("SUBSTANCE", _("Help with substance use")),
    ("ADVICE", _("Medical advice for myself")),
)
IN_SCOPE = ("", "TALK")  # docs/rules.md#request-form
NOT_LISTED = dict.fromkeys(("invalid_choice", "invalid_list"), _("Choose from the list."))
AGREEMENTS = {"agree_match": Consent.MATCH, "agree_province": Consent.PROVINCE, "agree_survey": Consent.SURVEY}
# What someone in a corridor may pass by, folded away under these words.
FOLDS = (
    (_("How and when to reach you, if you like"), ("ways", "times", "voicemail", "talk_in")),
    (_("Who your peer should be, if you like"), ("wishes", "specialty")),
    (_("Who your peer should not be, if you like"), ("departments", "avoid", "avoid_names")),
    (_("Tell us more, if you like"), ("practice", "source")),
)


def without_control_characters(data: QueryDict) -> QueryDict:
    """Return a copy of what was posted without what nobody types: control characters and halves of characters."""
    clean = QueryDict(mutable=True)
    for name, values in data.lists():
        clean.setlist(name, ["".join(filter(_is_typed_character, value)) for value in values])
    return clean


def _is_typed_character(letter: str) -> bool:
    return letter in "\n\r\t" or unicodedata.category(letter) not in ("Cc", "Cs")


def _choice_field(label: Any, choices: Any, **more: Any) -> Any:
    """Return a question that is answered with one of a list, or not at all."""
    choices = [("", _("Choose one")), *choices]
    return forms.ChoiceField(label=label, choices=choices, required=False, error_messages=NOT_LISTED, **more)


def _checkbox_field(label: Any, choices: Any = (), **more: Any) -> Any:
    """Return a question that is answered by ticking any of a list."""
    return forms.MultipleChoiceField(
        label=label,
        choices=choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages=NOT_LISTED,
        **more,
    )


class RequestForm(forms.Form):
    """A physician asks for a peer (reach-in)."""

    use_required_attribute = False  # our own words come back with everything that was typed

    key = forms.UUIDField(
        widget=forms.HiddenInput,
        error_messages=dict.fromkeys(("required", "invalid"), _("Please load this page anew, and send it again.")),
    )
    peer_from = forms.ChoiceField(
        label=_("Where should your peer come from?"),
        choices=[(HERE, _("My own community")), (OUTSIDE, _("Outside my region"))],
        widget=forms.RadioSelect,
        error_messages=NOT_LISTED | {"required": _("Choose where your peer should come from.")},
    )
    name = forms.CharField(
        label=_("Your name"),
        help_text=_("What should your peer call you? A made-up name is fine, as long as you answer to it."),
        max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages={
            "required": _("Enter a name. It may be one you made up."),
            "max_length": _("Keep this to 80 characters."),
        },
    )
    phone = forms.CharField(
        label=_("Phone"),
        help_text=_(
            "Phone or email, one is enough. Your peer gets it once you are matched."
            " An administrator can open it if needed; you can see how often."
        ),
        max_length=30,
        required=False,
        error_messages={"max_length": _("Keep this to 30 characters.")},
        validators=[
            RegexValidator(
                r"^[\d\s().+\-]*(?:(?:ext|x|#)\.?\s*\d{1,6})?$",
                _("Enter a phone number, such as 604 555 0123."),
            )
        ],
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
    )
    email = forms.EmailField(
        label=_("Email"),
        help_text=_("Employers may be able to read work mail. A personal address is safer."),
        max_length=120,
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages={
            "invalid": _("Enter an email address such as name@example.ca."),
            "max_length": _("Keep this to 120 characters."),
        },
    )
    notice = forms.BooleanField(
        label=_("Send a short, neutral message there when a peer has been found"),
        required=False,
    )
    reasons = _checkbox_field(
        _("What is behind your request?"),
        Reason.choices,
        help_text=_("Pick any that fit. Please don’t write what happened, here or elsewhere."),
    )
    looking_for = _choice_field(_("What are you looking for?"), LOOKING, help_text=_("Your answer is not saved."))
    stage = _choice_field(_("Career stage"), [(v, label) for v, label in Stage.choices if v != Stage.UNSAID])
    practice = _choice_field(
        _("Kind of practice"), [(v, label) for v, label in Practice.choices if v != Practice.UNSAID]
    )
    source = _choice_field(
        _("Who suggested this program to you?"),
        Source.choices,
        help_text=_("We count the answers, to learn what works."),
    )
    ways = _checkbox_field(_("How may your peer reach you?"), ReachBy.choices)
    times = _checkbox_field(_("When is a good time?"), ReachWhen.choices)
    voicemail = forms.ChoiceField(
        label=_("May your peer leave a voicemail?"),
        choices=Voicemail.choices,
        required=False,
        widget=forms.RadioSelect,
        error_messages=NOT_LISTED,
    )
    talk_in = _choice_field(_("Language to talk in"), Language.choices)
    wishes = _checkbox_field(
        _("What would you like in a peer?"),
        Wish.choices,
        help_text=_("At most three. We try, but cannot promise."),
    )
    specialty = _choice_field(
        _("Your own specialty"), (), help_text=_("Only needed if you would like a peer with the same one.")
    )
    departments = _checkbox_field(
        _("Where is your own work evaluated?"), help_text=_("We then look for a peer who does not evaluate you.")
    )
    avoid = _checkbox_field(
        _("Any of these you would rather not be matched with?"),
        help_text=_("Nobody is shown your answer: the list of candidates leaves these people out."),
    )
    avoid_names = forms.CharField(
        label=_("Anyone else you would rather not be matched with"),
        help_text=_("Last names, with commas between them. Nobody is shown these either."),
        max_length=300,
        required=False,
        error_messages={"max_length": _("Keep this to 300 characters.")},
    )
    agree_match = forms.BooleanField(
        label=_("I agree to be matched with a peer supporter and contacted"),
        error_messages={"required": _("Tick the box to agree to be matched and contacted.")},
    )
    agree_province = forms.BooleanField(required=False)
    agree_survey = forms.BooleanField(required=False)

    def __init__(
        self,
        data: Any = None,
        *,
        site: Site,
        texts: dict[str, TextVersion],
        departments: Sequence[Department],
        published: Sequence[PeerSupporter],
        specialties: Sequence[Specialty],
        key: uuid.UUID | None = None,
    ) -> None:
        data = None if data is None else without_control_characters(data)
        super().__init__(data, auto_id="id_%s", initial={"key": key or uuid.uuid4()})
        self.texts = texts
        for name, purpose in AGREEMENTS.items():
            self.fields[name].label = texts[purpose].text
        peer_from: Any = self.fields["peer_from"]
        peer_from.widget.choice_hints = {
            OUTSIDE: gettext("Your local office will not see your name. The provincial team finds the peer.")
        }
        if site.is_province:
            # Everything sent here is the province's already.
            del self.fields["peer_from"], self.fields["agree_province"]
        own: dict[str, list[tuple[str, str]]] = {
            "departments": [(str(department.pk), department.name) for department in departments],
            "avoid": [(str(supporter.pk), supporter.profile.name) for supporter in published],
        }
        for name, choices in own.items():
            if choices:
                self.fields[name].choices = choices  # type: ignore[attr-defined]
            else:
                del self.fields[name]
        if "avoid" not in self.fields:
            self.fields["avoid_names"].label = gettext("Anyone you would rather not be matched with")
        # The names of specialties are data; the catalogue knows them in French.
        choices_of_specialty = [(specialty.code, gettext(specialty.name)) for specialty in specialties]
        self.fields["specialty"].choices = [("", gettext("Choose one")), *choices_of_specialty]  # type: ignore[attr-defined]
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
        names = ("key", "peer_from", "name", "phone", "email", "notice", "reasons", "looking_for", "stage")
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
            raise forms.ValidationError(gettext("This phone number is too short. Enter all its digits."))
        return phone

    def clean_wishes(self) -> list[str]:
        wishes: list[str] = self.cleaned_data["wishes"]
        if len(wishes) > MAX_WISHES:
            raise forms.ValidationError(gettext("Choose at most three wishes."))
        return wishes

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        reachable = cleaned.get("phone") or cleaned.get("email")
        if not reachable and "phone" not in self.errors and "email" not in self.errors:
            self.add_error(
                "phone", gettext("Enter a phone number or an email address, so that your peer can reach you.")
            )
        if {"CALL", "TEXT"} & set(cleaned.get("ways", ())) and not (cleaned.get("phone") or "phone" in self.errors):
            self.add_error("ways", gettext("Add a phone number above, or choose email alone."))
        if "EMAIL" in cleaned.get("ways", ()) and not (cleaned.get("email") or "email" in self.errors):
            self.add_error("ways", gettext("Add an email address above, or choose another way."))
        return cleaned

    def fields_to_save(self) -> list[str]:
        """Return the names of the questions whose answers may be kept while somebody waits."""
        return [name for name in self.fields if name != "looking_for"]

    @property
    def out_of_scope(self) -> bool:
        """Whether they look for what a peer is not the right help for. The answer goes no further."""
        return self.cleaned_data.get("looking_for", "") not in IN_SCOPE

    @property
    def outside(self) -> bool:
        """Whether the peer should come from outside the region."""
        return self.cleaned_data.get("peer_from") == OUTSIDE

    def answers(self) -> RequestAnswers:
        data = self.cleaned_data
        return RequestAnswers(
            reasons=tuple(data["reasons"]),
            stage=data["stage"] or Stage.UNSAID,
            practice=data["practice"] or Practice.UNSAID,
            source=data["source"],
        )

    def identity(self) -> Identity:
        data = self.cleaned_data
        return Identity(
            name=data["name"],
            phone=data["phone"],
            email=data["email"],
            notice=data["notice"],
            wishes=tuple(data["wishes"]),
            departments=tuple(map(int, data.get("departments", ()))),
            avoid=tuple(map(int, data.get("avoid", ()))),
            avoid_names=data["avoid_names"],
            language=(get_language() or "en")[:2],
            ways=tuple(data["ways"]),
            times=tuple(data["times"]),
            voicemail=data["voicemail"],
            talk_in=data["talk_in"],
            specialty=data["specialty"],
        )

    def consent_texts(self) -> dict[str, TextVersion]:
        """Return purpose → the wording agreed to. Asking for a peer from outside is agreeing to share."""
        given = {
            Consent.MATCH: True,
            Consent.PROVINCE: self.outside or self.cleaned_data.get("agree_province", False),
            Consent.SURVEY: self.cleaned_data["agree_survey"],
        }
        return {purpose.value: self.texts[purpose] for purpose, yes in given.items() if yes}
