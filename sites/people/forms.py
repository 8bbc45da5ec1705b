"""Inviting somebody to a role."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from sites.engine.forms import bare_helper
from sites.tenants.models import Role


class InviteForm(forms.Form):
    """Invite a person into a role."""

    use_required_attribute = False

    name = forms.CharField(
        label=_("Name"), max_length=80, error_messages={"required": _("Enter the name they go by here.")}
    )
    email = forms.EmailField(
        label=_("Email"),
        error_messages={
            "required": _("Enter an email address for the invitation."),
            "invalid": _("Enter an email address such as name@example.ca."),
        },
    )
    role = forms.ChoiceField(label=_("Role"))

    def __init__(self, data: Any = None, *, roles: tuple[Role, ...]) -> None:
        super().__init__(data)
        field: Any = self.fields["role"]
        field.choices = [(role.value, role.label) for role in roles]
        self.helper = bare_helper(self)
