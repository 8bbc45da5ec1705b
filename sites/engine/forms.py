"""What every form of staff pages shares: helpers, statuses, a form filled again."""

from typing import TYPE_CHECKING, Any

from crispy_forms.helper import FormHelper
from django import forms
from django.http import HttpRequest, QueryDict

if TYPE_CHECKING:
    ModelForm = forms.ModelForm
else:

    class ModelForm(forms.ModelForm):
        """The form of a row, which takes its model as its stub does: `ModelForm[Site]`."""

        def __class_getitem__(cls, _model: Any) -> type:
            return cls


def bare_helper(form: forms.BaseForm) -> FormHelper:
    """Return the crispy helper of a form whose template writes `<form>` and the CSRF token itself.

    A switch is on or off; that it is optional needs no word.
    """
    for field in form.fields.values():
        if isinstance(field, forms.BooleanField):
            field.say_optional = False  # type: ignore[attr-defined]
    helper = FormHelper()
    helper.form_tag = False
    helper.disable_csrf = True
    return helper


def posted_id(text: str) -> int:
    """Return what was sent as a number, such as the key of a row; 0 for anything else, and no row has it."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0


def status_of(request: HttpRequest, form: forms.BaseForm) -> int:
    """Return 422 for a form that was sent and cannot be taken, else 200."""
    return 422 if request.method == "POST" and form.errors else 200


def changed_fields(form: ModelForm[Any]) -> list[str]:
    """Return the names of the model's columns that a valid form changes."""
    return [name for name in form.changed_data if name in (form._meta.fields or ())]


class RefillableForm(forms.Form):
    """A form that keeps what was typed when the other language is asked for."""

    use_required_attribute = False

    def fill(self, data: QueryDict) -> None:
        """Show what was typed without judging it."""
        for name, field in self.fields.items():
            self.initial[name] = field.widget.value_from_datadict(data, self.files, name)
