"""Naming a place for a code, and noting what was done to be known."""

from typing import Any

from django import forms
from django.utils.timezone import localdate
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from psi import tenancy
from referrals.promotion.models import AccessPoint, Promotion
from sites.engine.forms import ModelForm, bare_helper
from sites.tenants.models import Site


class AccessPointForm(ModelForm[AccessPoint]):
    """A place where a code will hang or be sent."""

    use_required_attribute = False

    class Meta:
        model = AccessPoint
        fields = ("name",)
        labels = {"name": _("Where will it hang, or be sent?")}
        help_texts = {"name": _("Such as “Lounge, 3 East”, “Newsletter, May”, “AGM”. Only you see this.")}
        error_messages = {
            "name": {
                "required": _("Enter where it will hang or be sent."),
                "max_length": _("Keep this to 60 characters."),
            }
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = bare_helper(self)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if AccessPoint.objects.filter(name__iexact=name).exists():
            raise forms.ValidationError(gettext("This place has a code already. Give this one another name."))
        return name


class PaletteForm(ModelForm[Site]):
    """The colour of what a site prints, from the checked list."""

    use_required_attribute = False

    class Meta:
        model = Site
        fields = ("palette",)
        labels = {"palette": _("Colour of what you print")}
        error_messages = {"palette": {"required": _("Choose a colour.")}}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = bare_helper(self)


class PromotionForm(ModelForm[Promotion]):
    """Something done to be known: when, what, and how many it reached."""

    use_required_attribute = False

    class Meta:
        model = Promotion
        fields = ("on", "kind", "audience")
        labels = {"on": _("Date"), "kind": _("What was it?"), "audience": _("How many people did it reach?")}
        help_texts = {"audience": _("A rough number will do.")}
        widgets = {"on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")}
        error_messages = {
            "on": {
                "required": _("Enter the date, such as 2026-09-17."),
                "invalid": _("Enter a date such as 2026-09-17."),
            },
            "kind": {"required": _("Choose what it was.")},
            "audience": {
                "invalid": _("Enter a whole number."),
                "min_value": _("Enter a whole number, 0 or more."),
                "max_value": _("Enter a number up to 100,000."),
            },
        }

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, prefix="promotion")
        self.fields["audience"] = forms.IntegerField(
            label=self.fields["audience"].label,
            help_text=self.fields["audience"].help_text,
            required=False,
            min_value=0,
            max_value=100_000,
            error_messages=self.Meta.error_messages["audience"],
        )
        self.helper = bare_helper(self)

    def clean_on(self) -> Any:
        on = self.cleaned_data["on"]
        if on.year < 2000 or (on - localdate(tenancy.now())).days > 366:
            raise forms.ValidationError(gettext("Enter a date within a year from now, or in the past."))
        return on
