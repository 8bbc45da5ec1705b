"""The province records which sites may share: two of them, under an information-sharing agreement with dates."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.timezone import localdate
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from psi import tenancy
from sites.engine.forms import bare_helper, posted_id, status_of
from sites.gate import saved_form
from sites.gate.permissions import for_roles
from sites.gate.requests import SiteRequest
from sites.tenants.models import Link, Role, Site
from training.supporters import lending

SITE: Any = {
    "queryset": Site.objects.none(),
    "empty_label": _("Choose one"),
    "error_messages": {"required": _("Choose a site.")},
}
DATE = dict.fromkeys(("required", "invalid"), _("Enter a date such as 2026-09-17."))


class LinkForm(forms.Form):
    """Two sites, where their agreement is filed, and from when until when it holds."""

    use_required_attribute = False

    one = forms.ModelChoiceField(label=_("One site"), **SITE)
    other = forms.ModelChoiceField(label=_("The other site"), **SITE)
    reference = forms.CharField(
        label=_("Where the information-sharing agreement is filed"),
        max_length=40,
        error_messages={"required": _("Say where the agreement is filed. Without one, two sites share nothing.")},
    )
    signed_on = forms.DateField(
        label=_("Signed on"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), error_messages=DATE
    )
    ends_on = forms.DateField(
        label=_("Last day"),
        help_text=_("Leave this empty if it has no end."),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages=DATE,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("one", "other"):
            field: Any = self.fields[name]
            field.queryset = Site.objects.exclude(kind=Site.Kind.PROVINCE).order_by("name")
            field.label_from_instance = lambda site: site.name
        self.helper = bare_helper(self)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("one") and cleaned.get("one") == cleaned.get("other"):
            self.add_error("other", gettext("Choose two different sites."))
        if cleaned.get("signed_on") and cleaned["signed_on"] > localdate(tenancy.now()):
            self.add_error("signed_on", gettext("Record the agreement once it is signed."))
        if cleaned.get("signed_on") and cleaned.get("ends_on") and cleaned["ends_on"] < cleaned["signed_on"]:
            self.add_error("ends_on", gettext("The last day is before the day it was signed."))
        return cleaned


@for_roles(Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def links_page(request: SiteRequest) -> HttpResponse:
    """The list of linked sites; recording an agreement links two, ending it parts them the same day."""
    if request.POST.get("do") == "end":
        link = get_object_or_404(Link, pk=posted_id(request.POST.get("link", "")))
        lending.unlink(link, by=request.actor)
        messages.success(request, gettext("Ended. Nothing more is shared between them."))
        return redirect("links")
    form = LinkForm(saved_form.data_for(request, "reference"))
    if request.method == "POST" and form.is_valid():
        lending.link(by=request.actor, **form.cleaned_data)
        messages.success(
            request, gettext("Recorded. The two sites can hand requests and lend supporters to each other.")
        )
        return redirect("links")
    today = localdate(tenancy.now())
    links = [
        (link, link.ends_on is None or link.ends_on >= today)
        for link in Link.objects.select_related("one", "other").order_by("one__name", "other__name")
    ]
    return render(request, "training/links.html", {"form": form, "links": links}, status=status_of(request, form))
