"""The page on which the province says which organizations' programs may read the published tables."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __
from django.views.decorators.http import require_http_methods

from sites import consumers, kept_form
from sites.accounts import confirm_first
from sites.forms import bare_helper, sent_number, status_of
from sites.models import Consumer, Role
from sites.moves import Refused
from sites.permissions import for_roles


class ConsumerForm(forms.Form):
    """An organization, by name."""

    use_required_attribute = False

    name = forms.CharField(
        label=__("Organization"),
        max_length=80,
        help_text=__("Whose program it is. No person’s name."),
        error_messages={
            "required": __("Enter the name of the organization."),
            "max_length": __("Keep this to 80 characters."),
        },
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self.helper = bare_helper(self)


@for_roles(Role.ADMINISTRATOR)
@confirm_first
@require_http_methods(["GET", "HEAD", "POST"])
def consumers_page(request: Any) -> HttpResponse:
    """Issue a token, which this answer alone shows; list and end them."""
    if request.POST.get("do") == "end":
        consumer = get_object_or_404(Consumer, pk=sent_number(request.POST.get("consumer", "")))
        consumers.end(consumer.pk, by=request.actor)
        messages.success(request, _("Ended. This token opens nothing any more."))
        return redirect("consumers")
    form, token, name = ConsumerForm(kept_form.typed(request, "name")), "", ""
    if request.method == "POST" and form.is_valid():
        name = form.cleaned_data["name"]
        try:
            token = consumers.issue(name, by=request.actor)
        except Refused as refused:
            form.add_error("name", refused.sentence)
        else:
            form = ConsumerForm()
    context = {"form": form, "token": token, "name": name, "rows": Consumer.objects.all()}
    return render(request, "sites/consumers.html", context, status=status_of(request, form) if not token else 200)
