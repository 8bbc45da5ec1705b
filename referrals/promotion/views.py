"""Staff pages about access points: which wall works, and everything to print or paste."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from referrals.promotion import access_points, embedding, printing
from referrals.promotion.forms import AccessPointForm, PaletteForm, PromotionForm
from referrals.promotion.models import AccessPoint
from sites.gate.permissions import for_roles
from sites.gate.requests import SiteRequest
from sites.tenants.models import Role, Site

MAX_CODES = 200  # codes of one site; the chart shows them all


@for_roles(Role.ADMINISTRATOR, Role.LEAD)
@require_http_methods(["GET", "HEAD", "POST"])
def codes(request: SiteRequest) -> HttpResponse:
    """All codes of the site with their counts on one chart; naming one, noting a promotion, colouring are POSTs."""
    do = request.POST.get("do")
    form = AccessPointForm(request.POST if do == "name" else None)
    promotion = PromotionForm(request.POST if do == "note" else None)
    palette = PaletteForm(request.POST if do == "colour" else None, instance=Site.objects.get(pk=request.site.pk))
    if do == "name" and form.is_valid():
        point = access_points.make(form.cleaned_data["name"], by=request.actor)
        return redirect("code", request.site.slug, point.code)
    if do == "note" and promotion.is_valid():
        access_points.add_promotion(promotion.instance, by=request.actor)
        messages.success(request, _("Noted. It is on the chart."))
        return redirect("codes", request.site.slug)
    if do == "colour" and palette.is_valid():
        access_points.set_palette(palette.instance, by=request.actor)
        messages.success(request, _("Saved."))
        return redirect("codes", request.site.slug)
    chart = access_points.chart(AccessPoint.objects.order_by("-pk")[:MAX_CODES])
    refused = next((each for each in (form, promotion, palette) if each.errors), form)
    context = {
        "form": form,
        "promotion_form": promotion,
        "palette_form": palette,
        "refused": refused,
        "chart": chart,
        "drawn": chart.drawn(),
    }
    return render(request, "referrals/codes.html", context, status=422 if refused.errors else 200)


@for_roles(Role.ADMINISTRATOR, Role.LEAD)
@require_safe
def code_page(request: SiteRequest, code: str) -> HttpResponse:
    """One code: its picture, what can be printed, and what can be pasted elsewhere."""
    point = get_object_or_404(AccessPoint, code=code)
    where = access_points.address(request.site, point)
    context = {
        "point": point,
        "address": where,
        "formats": printing.FORMATS,
        "snippets": embedding.snippets(request.site, where),
        "chart": access_points.chart([point]),
    }
    return render(request, "referrals/code.html", context)


@for_roles(Role.ADMINISTRATOR, Role.LEAD)
@require_safe
def picture(request: SiteRequest, code: str, kind: str) -> HttpResponse:
    """The code itself, as SVG or PNG."""
    if kind not in printing.PICTURES:
        raise Http404("No such picture.")
    point = get_object_or_404(AccessPoint, code=code)
    media, make = printing.PICTURES[kind]
    return _file(make(access_points.address(request.site, point)), media, f"{request.site.slug}-{code}.{kind}")


@for_roles(Role.ADMINISTRATOR, Role.LEAD)
@require_safe
def printed(request: SiteRequest, code: str, paper: str) -> HttpResponse:
    """A PDF to print, in English or, with `?lang=fr`, in French."""
    if paper not in printing.BY_NAME:
        raise Http404("No such format.")
    point = get_object_or_404(AccessPoint, code=code)
    language = "fr" if request.GET.get("lang") == "fr" else "en"
    body = printing.pdf(paper, request.site, access_points.address(request.site, point), language)
    return _file(body, "application/pdf", f"{request.site.slug}-{code}-{paper}-{language}.pdf")


def _file(body: bytes, media: str, name: str) -> HttpResponse:
    return HttpResponse(body, content_type=media, headers={"Content-Disposition": f'inline; filename="{name}"'})
