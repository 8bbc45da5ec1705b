"""Naming a place for a code, and noting what was done to be known."""

from typing import Any

from django import forms
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __

from psi import tenancy
from referrals.promotion.models import AccessPoint, Promotion
from sites.engine.forms import bare_helper
from sites.tenants.models import Site


class AccessPointForm(forms.ModelForm):
    """A place where a code will hang or be sent."""

    use_required_attribute = False

    class Meta:
        model = AccessPoint
        fields = ("name",)
        labels = {"name": __("Where will it hang, or be sent?")}
        help_texts = {"name": __("Such as “Lounge, 3 East”, “Newsletter, May”, “AGM”. Only you see this.")}
        error_messages = {
            "name": {
                "required": __("Enter where it will hang or be sent."),
                "max_length": __("Keep this to 60 characters."),
            }
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = bare_helper(self)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if AccessPoint.objects.filter(name__iexact=name).exists():
            raise forms.ValidationError(_("This place has a code already. Give this one another name."))
        return name


class PaletteForm(forms.ModelForm):
    """The colour of what a site prints, from the checked list."""

    use_required_attribute = False

    class Meta:
        model = Site
        fields = ("palette",)
        labels = {"palette": __("Colour of what you print")}
        error_messages = {"palette": {"required": __("Choose a colour.")}}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = bare_helper(self)


class PromotionForm(forms.ModelForm):
    """Something done to be known: when, what, and how many it reached."""

    use_required_attribute = False

    class Meta:
        model = Promotion
        fields = ("on", "kind", "audience")
        labels = {"on": __("Date"), "kind": __("What was it?"), "audience": __("How many people did it reach?")}
        help_texts = {"audience": __("A rough number will do.")}
        widgets = {"on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")}
        error_messages = {
            "on": {
                "required": __("Enter the date, such as 2026-09-17."),
                "invalid": __("Enter a date such as 2026-09-17."),
            },
            "kind": {"required": __("Choose what it was.")},
            "audience": {
                "invalid": __("Enter a whole number."),
                "min_value": __("Enter a whole number, 0 or more."),
                "max_value": __("Enter a number up to 100,000."),
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
            raise forms.ValidationError(_("Enter a date within a year from now, or in the past."))
        return on
