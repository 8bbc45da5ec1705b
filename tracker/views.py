"""The supporter's tracker, and the figures of a site and of the province."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from matching.queries import matches_of
from sites import kept_form
from sites.forms import status_of
from sites.models import Role
from sites.months import open_months
from sites.permissions import for_roles
from tracker import figure_views, release_views, transitions
from tracker.forms import ConversationForm
from tracker.models import Interaction


@for_roles(Role.SUPPORTER)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def conversation(request: Any, ref: str) -> HttpResponse:
    """Record that a conversation happened, not what was said."""
    match = matches_of(request.user.pk).filter(referral__ref=ref).first()
    if match is None or match.contacted_at is None:
        raise Http404("No such match.")
    months = open_months(match.contacted_at, match.ended_at)
    if not months:
        messages.info(request, _("This was too long ago: only this month and the one before can be recorded."))
        return redirect("my_match", request.site.slug, ref)
    typed = kept_form.typed(request)
    rows = Interaction.objects.filter(match=match).values_list("number", "key")
    # The same form pressed twice is one conversation, and no second of its number.
    had = frozenset(number for number, key in rows if not typed or str(key) != typed.get("key"))
    form = ConversationForm(typed, months=months, had=had)
    if request.method == "POST" and form.is_valid():
        said = form.conversation()
        transitions.record(match.pk, said, key=form.cleaned_data["key"], by=request.actor)
        messages.success(request, _("Recorded. Thank you. Nothing of what was said is kept."))
        if said.wants_debrief:
            messages.info(request, _("The provincial team will write to you about a debrief."))
        return redirect("my_match", request.site.slug, ref)
    context = {"form": form, "match": match, "show_crisis": True}
    return render(request, "tracker/conversation.html", context, status=status_of(request, form))


@for_roles(Role.SUPPORTER, Role.ADMINISTRATOR, Role.LEAD)
@require_safe
def safety(request: Any) -> HttpResponse:
    """The safety steps on one screen: someone at risk, unsafe behaviour, whom to call."""
    return render(request, "tracker/safety.html", {"show_crisis": True})


@for_roles(Role.ADMINISTRATOR, Role.LEAD, Role.ADVISOR)
@require_safe
def figures_page(request: Any) -> HttpResponse:
    """A site's own figures, from its rollups; at the province, what was released, and nothing else."""
    if request.site.is_province:
        return release_views.figures(request)
    return figure_views.page(request)
