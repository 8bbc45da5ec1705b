"""What an administrator keeps of a supporter."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as __

from sites.forms import bare_helper
from training.models import Department, Evaluates, PeerSupporter


class SupporterForm(forms.ModelForm):
    """A line of the roster: readiness, limits, and whose work they evaluate."""

    use_required_attribute = False

    evaluates = forms.ModelMultipleChoiceField(
        queryset=Department.objects.none(),
        label=__("Evaluates physicians of"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = PeerSupporter
        fields = (
            "state",
            "trained_on",
            "agreement_until",
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
            "state": __("State"),
            "trained_on": __("Training completed on"),
            "agreement_until": __("Agreement holds until"),
            "practice": __("Practice"),
            "stage": __("Career stage"),
            "specialty": __("Specialty"),
            "gender": __("Gender, as they describe themselves"),
            "speaks_french": __("Speaks French"),
            "cap_year": __("Matches a year, at most"),
            "cap_live": __("Matches at a time, at most"),
            "paused_until": __("Pausing until"),
        }
        widgets = {
            name: forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
            for name in ("trained_on", "agreement_until", "paused_until")
        }
        error_messages = {
            name: {"invalid": __("Enter a date such as 2026-09-17.")}
            for name in ("trained_on", "agreement_until", "paused_until")
        } | {
            name: {"required": __("Enter a number, at least 1."), "invalid": __("Enter a whole number.")}
            for name in ("cap_year", "cap_live")
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
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
        self.helper = bare_helper(self)

    def save(self, commit: bool = True) -> PeerSupporter:
        supporter: PeerSupporter = super().save(commit)
        Evaluates.objects.filter(supporter=supporter).delete()
        Evaluates.objects.bulk_create(
            Evaluates(supporter=supporter, department=department) for department in self.cleaned_data["evaluates"]
        )
        return supporter
