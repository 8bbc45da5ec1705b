"""What is asked of those who nominate, of those who would like to become a peer supporter, and of who stops it."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from sites.engine.forms import RefillableForm, bare_helper
from training.recruitment.models import Recruit
from training.recruitment.transitions import Interest, Named
from training.supporters.forms import AboutMeForm, PageForm, SupporterForm
from training.supporters.models import Department, PeerSupporter


class NominateForm(RefillableForm):
    """Name and work address of a colleague; nothing else is asked about them."""

    key = forms.UUIDField(
        widget=forms.HiddenInput,
        error_messages=dict.fromkeys(("required", "invalid"), _("Please load this page anew, and send it again.")),
    )
    name = forms.CharField(
        label=_("Your colleague’s name"),
        max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={
            "required": _("Enter the name of your colleague."),
            "max_length": _("Keep this to 80 characters."),
        },
    )
    email = forms.EmailField(
        label=_("Their work email"),
        help_text=_("If the program invites them, the invitation goes there."),
        max_length=120,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        error_messages={
            "required": _("Enter the work email of your colleague."),
            "invalid": _("Enter an email address such as name@example.ca."),
        },
    )
    nominator = forms.CharField(
        label=_("Your own name"),
        help_text=_("Only the program administrator and the physician lead can see it."),
        max_length=80,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages={"max_length": _("Keep this to 80 characters.")},
    )

    def __init__(self, data: Any = None, *, key: Any = None) -> None:
        super().__init__(data, initial={"key": key} if key else None)

    def clean_name(self) -> str:
        """Return the name on one line."""
        return " ".join(self.cleaned_data["name"].split())

    def named(self) -> Named:
        """Return what goes into the vault."""
        data = self.cleaned_data
        return Named(data["name"], data["email"].strip().lower(), data["nominator"])


class InterestForm(AboutMeForm):
    """What somebody says who would like to become a peer supporter."""

    use_required_attribute = False

    evaluates = forms.ModelMultipleChoiceField(
        queryset=Department.objects.none(),
        label=_("Departments whose physicians you evaluate"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    bio, bio_fr = PageForm.base_fields["bio"], PageForm.base_fields["bio_fr"]
    photo, shown = PageForm.base_fields["photo"], PageForm.base_fields["shown"]

    class Meta(AboutMeForm.Meta):
        fields: tuple[str, ...] = ("practice", "stage", "specialty", "gender", "speaks_french")
        labels = {
            **AboutMeForm.Meta.labels,
            **{name: SupporterForm.Meta.labels[name] for name in ("practice", "stage", "specialty")},
        }

    clean_photo = PageForm.clean_photo

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["evaluates"]
        field.queryset = Department.objects.all()
        field.label_from_instance = lambda department: department.name
        if not field.queryset:
            del self.fields["evaluates"]
        self.order_fields(
            ["practice", "stage", "specialty", "evaluates", "evaluated", "gender", "speaks_french", "languages"]
        )
        self.helper = bare_helper(self)

    def interest(self) -> Interest:
        """Return what the form says, for the move."""
        data = self.cleaned_data
        return Interest(
            line=self.columns(),
            codes=self.codes(),
            evaluates=tuple(one.pk for one in data.get("evaluates") or ()),
            evaluated=data["evaluated"],
            bio=data["bio"],
            bio_fr=data["bio_fr"],
            shown=data["shown"],
            photo=data["photo"],
        )


class StopForm(forms.Form):
    """Why an administrator or lead takes somebody off the way."""

    use_required_attribute = False

    why = forms.ChoiceField(
        label=_("Why?"),
        choices=[
            (why.value, why.label)
            for why in (Recruit.Why.OWN_WISH, Recruit.Why.NOT_NOW, Recruit.Why.NOT_FITTING, Recruit.Why.MISTAKE)
        ],
        widget=forms.RadioSelect,
        error_messages=dict.fromkeys(("required", "invalid_choice"), _("Choose why.")),
    )


def unsaved(user_id: int, profile: Any) -> PeerSupporter:
    """Return the line of the roster that an interest form would make, or the one there is from earlier."""
    return PeerSupporter.objects.filter(user_id=user_id).first() or PeerSupporter(user_id=user_id, profile=profile)
