"""Forms of a reach-out: what a notifier may say, the code of an offer, and what a physician adds to a yes."""

from typing import Any

from django import forms
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from referrals.public.forms import RequestForm
from referrals.reach_out.transitions import NotifierAnswers
from referrals.requests.identity import Identity
from referrals.requests.models import EventKind, Notifier, Referral
from referrals.requests.request_facts import RequestAnswers
from sites.engine.forms import RefillableForm
from sites.reference.models import TextVersion
from training.supporters.models import Practice, Stage

YES, NO, UNKNOWN = "yes", "no", "unknown"
# How the question is answered by a button of its own, before anything else is asked.
AGREED = (
    (YES, _("Yes, they want this")),
    (NO, _("No, or nobody asked them")),
    (UNKNOWN, _("I don’t know")),
)


class NotifierForm(RefillableForm):
    """Someone tells of a physician. Without the physician's word it asks for no reason and no stage.

    Args:
        agreed: the physician has agreed, as the notifier says.
        text: the wording in which they say so.
    """

    key = forms.UUIDField(
        widget=forms.HiddenInput,
        error_messages=dict.fromkeys(("required", "invalid"), _("Please load this page anew, and send it again.")),
    )
    notifier = forms.ChoiceField(
        label=_("Who are you?"),
        choices=Notifier.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose who you are.")},
    )
    own_name = forms.CharField(
        label=_("Your own name"),
        help_text=_("Only the program administrator can see it."),
        max_length=80,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages={"max_length": _("Keep this to 80 characters.")},
    )
    name = forms.CharField(
        label=_("The physician’s name"),
        max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={
            "required": _("Enter the name of the physician."),
            "max_length": _("Keep this to 80 characters."),
        },
    )
    email = forms.EmailField(
        label=_("Their business email"),
        help_text=_("Of an office or hospital, not a private one. Email or phone, one is enough."),
        max_length=120,
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        error_messages={"invalid": _("Enter an email address such as name@example.ca.")},
    )
    phone = forms.CharField(
        label=_("Their business phone"),
        max_length=30,
        required=False,
        validators=RequestForm.base_fields["phone"].validators[:1],
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off"}),
    )
    event = forms.ChoiceField(
        label=_("What is it about?"),
        help_text=_("Please don’t write or tell what happened."),
        choices=[("", _("Choose one")), *EventKind.choices],
        required=False,
    )
    word = forms.BooleanField(error_messages={"required": _("Tick the box, or go back and choose another answer.")})

    def __init__(self, data: Any = None, *, agreed: bool, text: TextVersion, key: Any = None) -> None:
        super().__init__(data, initial={"key": key} if key else None)
        self.agreed = agreed
        self.fields["word"].label = text.text
        if not agreed:
            del self.fields["event"], self.fields["word"]
        for name in ("email", "phone"):
            self.fields[name].say_optional = False  # type: ignore[attr-defined]

    clean_name = RequestForm.clean_name
    clean_phone = RequestForm.clean_phone

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not (cleaned.get("email") or cleaned.get("phone") or {"email", "phone"} & set(self.errors)):
            self.add_error("email", gettext("Enter a business email address or a business phone number."))
        return cleaned

    def answers(self) -> NotifierAnswers:
        data = self.cleaned_data
        return NotifierAnswers(data["notifier"], self.agreed, data.get("event") or None)

    def identity(self) -> Identity:
        data = self.cleaned_data
        return Identity(
            name=data["name"],
            phone=data["phone"],
            email=data["email"],
            language=(get_language() or "en")[:2],
            notifier=data["own_name"],
        )


class CodeForm(forms.Form):
    """The code from the mail."""

    use_required_attribute = False

    code = forms.CharField(
        label=_("Your code"),
        help_text=_("The sixteen digits in the message that brought you here."),
        max_length=40,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={"required": _("Enter the sixteen digits of the code.")},
    )


class OfferForm(RefillableForm):
    """What a physician may add to a yes; nothing of it is needed."""

    phone = forms.CharField(
        label=_("Phone"),
        help_text=_("If you leave both empty, your peer reaches you the way this offer did."),
        max_length=30,
        required=False,
        validators=RequestForm.base_fields["phone"].validators[:1],
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
    )
    email = forms.EmailField(
        label=_("Email"),
        help_text=_("Employers may be able to read work mail. A personal address is safer."),
        max_length=120,
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages={"invalid": _("Enter an email address such as name@example.ca.")},
    )
    stage = forms.ChoiceField(
        label=_("Career stage"),
        choices=[("", _("Choose one")), *((v, label) for v, label in Stage.choices if v != Stage.UNSAID)],
        required=False,
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        for field in self.fields.values():
            field.say_optional = False  # type: ignore[attr-defined]

    clean_phone = RequestForm.clean_phone

    def answers(self) -> RequestAnswers:
        stage = self.cleaned_data["stage"] or Stage.UNSAID
        return RequestAnswers((), stage, Practice.UNSAID, Referral.Pathway.REACH_OUT)

    def identity(self) -> Identity:
        """Return how they want to be reached; their name is known."""
        data = self.cleaned_data
        return Identity("", phone=data["phone"], email=data["email"], language=(get_language() or "en")[:2])
