"""The page on which an administrator says who does their work while they are away."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __
from django.views.decorators.http import require_http_methods

from sites import cover, kept_form, queries
from sites.accounts import confirm_first
from sites.forms import bare_helper, sent_number, status_of
from sites.models import Cover, Membership, Role
from sites.moves import Refused
from sites.permissions import for_roles

DATE = dict.fromkeys(("required", "invalid"), __("Enter a date such as 2026-09-17."))


class CoverForm(forms.Form):
    """Who, from when, until when."""

    use_required_attribute = False

    who = forms.ChoiceField(
        label=__("Who does your work meanwhile?"),
        help_text=__("They get the role of an administrator for these days, and your mail about requests."),
        error_messages=dict.fromkeys(("required", "invalid_choice"), __("Choose who covers.")),
    )
    starts_on = forms.DateField(
        label=__("First day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), error_messages=DATE
    )
    ends_on = forms.DateField(
        label=__("Last day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), error_messages=DATE
    )

    def __init__(self, data: Any = None, *, people: dict[int, str]) -> None:
        super().__init__(data)
        who: Any = self.fields["who"]
        who.choices = [("", _("Choose one")), *((str(user_id), name) for user_id, name in people.items())]
        self.helper = bare_helper(self)


@for_roles(Role.ADMINISTRATOR)
@confirm_first
@require_http_methods(["GET", "HEAD", "POST"])
def cover_page(request: Any) -> HttpResponse:
    """Arrange cover for oneself, see what is arranged, end it."""
    if request.POST.get("do") == "end":
        row = get_object_or_404(Cover, pk=sent_number(request.POST.get("cover", "")))
        cover.end(row.pk, by=request.actor)
        messages.success(request, _("Ended. Mail goes as before."))
        return redirect("today" if row.away_id == request.user.pk else "home", *_site(request, row))
    held = Membership.objects.filter(site=request.site, ended_at=None, user__is_active=True)
    names = queries.names(held.values_list("user_id", flat=True))
    others = {pk: name for pk, name in sorted(names.items(), key=lambda pair: pair[1]) if pk != request.user.pk}
    form = CoverForm(kept_form.typed(request, "who"), people=others)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            cover.arrange(request.user.pk, int(said["who"]), said["starts_on"], said["ends_on"], by=request.actor)
        except Refused as refused:
            form.add_error(None, refused.sentence)
        else:
            messages.success(request, _("Arranged. It begins and ends by itself."))
            return redirect("cover", request.site.slug)
    rows = cover.running()
    names |= queries.names({user_id for row in rows for user_id in (row.away_id, row.by_id)})
    context = {
        "form": form,
        "rows": [(row, names.get(row.away_id, ""), names.get(row.by_id, "")) for row in rows],
        "mine": any(row.away_id == request.user.pk for row in rows),
    }
    return render(request, "sites/cover.html", context, status=status_of(request, form))


def _site(request: Any, row: Cover) -> list[str]:
    """Return what the address to go to takes: whoever ended it for someone else may not be an administrator now."""
    return [request.site.slug] if row.away_id == request.user.pk else []
