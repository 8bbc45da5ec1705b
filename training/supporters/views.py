"""What supporters show of themselves: their own page about it, and the photo the public sees."""

import base64

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_http_methods, require_safe

from sites.engine.forms import status_of
from sites.gate import saved_form
from sites.gate.permissions import for_roles, public
from sites.gate.requests import SiteRequest
from sites.tenants.models import Role
from training.supporters import photos, public_page, queries, transitions
from training.supporters.forms import AboutMeForm, PageForm
from training.supporters.models import PeerSupporter, Photo


@for_roles(Role.SUPPORTER)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def my_page(request: SiteRequest) -> HttpResponse:
    """A supporter's own words and photo, and the agreement to show them."""
    mine = PeerSupporter.objects.filter(user_id=request.user.pk).first()
    if mine is None or mine.state == PeerSupporter.State.LEFT:
        return render(request, "training/my_page.html", {"form": None, "show_crisis": True})
    initial = {"bio": mine.bio, "bio_fr": mine.bio_fr, "shown": mine.published}
    removing = request.POST.get("do") == "remove_photo"
    if removing:
        public_page.remove_photo(mine.pk, by=request.actor)
        messages.success(request, _("Your photo is deleted. What you typed is not saved yet."))
        form = PageForm(initial={name: request.POST.get(name, "") for name in initial})
    else:
        form = PageForm(saved_form.data_for(request, "bio"), request.FILES or None, initial=initial)
    if request.method == "POST" and not removing:
        if form.is_valid():
            shown = public_page.save_page(mine.pk, by=request.actor, **form.cleaned_data).published
            messages.success(
                request,
                _("Saved. You are on the public page.") if shown else _("Saved. You are not on the public page."),
            )
            return redirect("my_page", request.site.slug)
        # A browser does not give a file back: a good photo is saved although something else has to be mended.
        if (image := form.cleaned_data.get("photo")) and (form.cleaned_data["shown"] or not mine.published):
            public_page.put_photo(mine.pk, image, by=request.actor)
    photo = Photo.objects.filter(supporter=mine).values_list("image", flat=True).first()
    context = {
        "form": form,
        "published": mine.published,
        # In the page itself: an address would have to be guarded.
        "photo": f"data:{photos.TYPE};base64,{base64.b64encode(photo).decode()}" if photo else "",
        "show_crisis": True,
    }
    return render(request, "training/my_page.html", context, status=status_of(request, form))


@public
@require_safe
@cache_control(max_age=86400, private=True, immutable=True)
def photo(request: SiteRequest, digest: str) -> HttpResponse:
    """The photo of a supporter who is on the public page. For one who is not, the address does not exist."""
    image = queries.photo(digest) if request.site.takes_requests else None
    if image is None:
        raise Http404("No such photo.")
    return HttpResponse(image, content_type=photos.TYPE, headers={"Content-Disposition": "inline"})


@for_roles(Role.SUPPORTER)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def about_me(request: SiteRequest) -> HttpResponse:
    """What a supporter says of themselves: read and changed by nobody else, and used to meet wishes alone."""
    form = AboutMeForm(
        saved_form.data_for(request),
        instance=get_object_or_404(PeerSupporter.objects.exclude(state="LEFT"), user_id=request.user.pk),
    )
    if request.method == "POST" and form.is_valid():
        transitions.save_self_description(
            form.instance.pk,
            form.columns(),
            codes=form.codes(),
            evaluated=form.cleaned_data["evaluated"],
            by=request.actor,
        )
        messages.success(request, _("Saved."))
        return redirect("my", request.site.slug)
    return render(request, "training/about_me.html", {"form": form}, status=status_of(request, form))
