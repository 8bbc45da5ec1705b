"""Pages beside the recorded conversations: informal contacts, the box for remarks, the province's debriefs."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from matching.invitations.queries import matches_of
from sites.engine.forms import posted_id, status_of
from sites.engine.recording_months import open_months
from sites.gate import saved_form
from sites.gate.permissions import for_roles
from sites.gate.requests import SiteRequest
from sites.tenants.models import Role
from tracker.conversations import debriefs, informal_contacts, remarks, transitions
from tracker.conversations.choices import Minutes, Way
from tracker.conversations.forms import ConversationForm, InformalForm, RemarkForm
from tracker.conversations.models import DebriefRequest, Interaction, Remark
from training.supporters.models import PeerSupporter

ON_A_PAGE = 50


@for_roles(Role.SUPPORTER)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def informal_page(request: SiteRequest) -> HttpResponse:
    """Log a contact outside any match, about nobody."""
    form = InformalForm(saved_form.data_for(request), months=open_months())
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        way, minutes = Way(data["way"]), Minutes(data["minutes"])
        try:
            informal_contacts.log(
                month=form.chosen_month(), way=way, minutes=minutes, key=data["key"], by=request.actor
            )
        except PeerSupporter.DoesNotExist as missing:
            raise Http404("Not on the roster yet.") from missing
        messages.success(request, _("Logged. Thank you for lending an ear."))
        return redirect("my", request.site.slug)
    return render(
        request, "tracker/informal.html", {"form": form, "show_crisis": True}, status=status_of(request, form)
    )


@for_roles(Role.SUPPORTER)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def remark_page(request: SiteRequest) -> HttpResponse:
    """Put a remark into the box. The page knows of no request, and nothing is kept of who wrote it."""
    form = RemarkForm(saved_form.data_for(request))
    if request.method == "POST" and form.is_valid():
        remarks.submit(form.cleaned_data["text"])
        messages.success(request, _("Thank you. Your remark is in the box, without your name."))
        return redirect("my", request.site.slug)
    return render(request, "tracker/remark.html", {"form": form, "show_crisis": True}, status=status_of(request, form))


@for_roles(Role.ADMINISTRATOR, Role.LEAD)
@require_safe
@never_cache
def remarks_page(request: SiteRequest) -> HttpResponse:
    """What supporters put into the box, by month."""
    page = Paginator(Remark.objects.order_by("-month", "pk"), ON_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "remarks": page,
        "enough": remarks.BATCH_SIZE,
        "older_url": f"?page={page.next_page_number()}" if page.has_next() else "",
        "newest_url": request.path if page.has_previous() else "",
    }
    return render(request, "tracker/remarks.html", context)


@for_roles(Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def debriefs_page(request: SiteRequest) -> HttpResponse:
    """Supporters who would like a debrief: whom to call, and nothing of why."""
    if request.method == "POST":
        if debriefs.mark_arranged(posted_id(request.POST.get("debrief", "")), by=request.actor):
            messages.success(request, _("Noted. It is off the list."))
        else:
            messages.info(request, _("That one is not on the list any more."))
        return redirect("debriefs")
    waiting = DebriefRequest.objects.select_related("origin", "user").order_by("asked_on", "pk")
    return render(request, "tracker/debriefs.html", {"waiting": waiting})


@for_roles(Role.SUPPORTER)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def conversation(request: SiteRequest, ref: str) -> HttpResponse:
    """Record that a conversation happened, not what was said."""
    match = matches_of(request.user.pk).filter(referral__ref=ref).first()
    if match is None or match.contacted_at is None:
        raise Http404("No such match.")
    months = open_months(match.contacted_at, match.ended_at)
    if not months:
        messages.info(request, _("This was too long ago: only this month and the one before can be recorded."))
        return redirect("my_match", request.site.slug, ref)
    data = saved_form.data_for(request)
    rows = Interaction.objects.filter(match=match).values_list("number", "key")
    # The same form pressed twice is one conversation, and no second of its number.
    recorded = frozenset(number for number, key in rows if not data or str(key) != data.get("key"))
    form = ConversationForm(data, months=months, recorded=recorded)
    if request.method == "POST" and form.is_valid():
        talk = form.conversation()
        transitions.record(match.pk, talk, key=form.cleaned_data["key"], by=request.actor)
        messages.success(request, _("Recorded. Thank you. Nothing of what was said is kept."))
        if talk.wants_debrief:
            messages.info(request, _("The provincial team will write to you about a debrief."))
        return redirect("my_match", request.site.slug, ref)
    context = {"form": form, "match": match, "show_crisis": True}
    return render(request, "tracker/conversation.html", context, status=status_of(request, form))


@for_roles(Role.SUPPORTER, Role.ADMINISTRATOR, Role.LEAD)
@require_safe
def safety(request: SiteRequest) -> HttpResponse:
    """The safety steps on one screen: someone at risk, unsafe behaviour, whom to call."""
    return render(request, "tracker/safety.html", {"show_crisis": True})
