"""Numbers for someone who needs help now, the province's and a site's own: how old a check is, who may change what."""

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.timezone import get_current_timezone, localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as __
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from psi import tenancy
from sites import audit, kept_form, queries, today
from sites.forms import bare_helper, status_of
from sites.models import PROVINCE_SLUG, CrisisLine, LocalCrisisLine, Role
from sites.permissions import for_roles

KIND = "CRISIS"
# Days since a number was last called (rules.md, Crisis).
AMBER, RED = 90, 180
REFERENCE = Path(__file__).parent / "reference" / "reference.toml"


@dataclass(frozen=True)
class Checked:
    """A number and the age of its last check; `tone` is "", "soon" (amber) or "late" (red)."""

    line: CrisisLine | LocalCrisisLine
    days: int
    words: str
    tone: str


def checked(lines: Sequence[CrisisLine | LocalCrisisLine]) -> list[Checked]:
    """Return these numbers with their ages."""
    on = localdate(tenancy.now())
    return [_checked(line, (on - line.verified_on).days) for line in lines]


def _checked(line: CrisisLine | LocalCrisisLine, days: int) -> Checked:
    days = max(days, 0)
    words = ngettext("called %(n)s day ago", "called %(n)s days ago", days) % {"n": days} if days else _("called today")
    return Checked(line, days, words, "late" if days >= RED else "soon" if days >= AMBER else "")


def register_today() -> None:
    """Tell *Today* which numbers want calling: coordinators of the provincial ones, administrators of their own."""
    today.register(_rows)


def _rows(slug: str) -> Iterable[today.Item]:
    provincial = slug == PROVINCE_SLUG
    url = reverse("crisis_numbers") if provincial else reverse("local_numbers", args=[slug])
    where = (
        _("%(name)s stands on every public page. Please call it, and say that it is right.")
        if provincial
        else _("%(name)s stands on your public pages. Please call it, and say that it is right.")
    )
    return [
        today.Item(
            datetime.combine(one.line.verified_on, time.min, get_current_timezone()) + timedelta(days=RED),
            _("Is %(number)s still right?") % {"number": one.line.number},
            where % {"name": one.line.label},
            _("Open the list"),
            url,
            tone=one.tone,
            chip=one.words,
            chip_tone="late" if one.tone == "late" else "warm",
        )
        for one in checked(queries.crisis_lines() if provincial else queries.local_crisis_lines())
        if one.tone
    ]


@cache
def _written() -> dict[str, dict[str, Any]]:
    """Return code → what the program itself says, as on the pages that need no database."""
    return {entry["code"]: entry for entry in tomllib.loads(REFERENCE.read_text())["crisis"]}


def differs(line: CrisisLine) -> bool:
    """Return whether the pages shown when the server is in trouble say something else than the list."""
    return any(getattr(line, name) != value for name, value in _written()[line.code].items() if name != "verified_on")


class CrisisLineForm(forms.ModelForm):
    """A number, its words in both languages, and whether it takes texts. What a telephone dials follows from it."""

    use_required_attribute = False

    texts = forms.BooleanField(label=__("It takes text messages too"), required=False)
    called = forms.BooleanField(label=__("I called this number today, and it is right"), required=False)

    class Meta:
        model = CrisisLine
        fields = ("number", "label", "note", "label_fr", "note_fr")
        labels = {
            "number": __("Number, as people read it"),
            "label": __("What it is"),
            "note": __("When it answers, or how to dial it"),
            "label_fr": __("What it is, in French"),
            "note_fr": __("When it answers, or how to dial it, in French"),
        }
        error_messages = {
            "number": {"required": __("Enter the number.")},
            "label": {"required": __("Say in a few words what it is.")},
        }

    field_order = ("number", "texts", "called", "label", "note", "label_fr", "note_fr")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["texts"] = bool(self.instance.sms)
        self.fields["label_fr"].required = True
        self.fields["label_fr"].error_messages["required"] = _("Say in a few words what it is, in French.")
        self.helper = bare_helper(self)

    def clean_number(self) -> str:
        return _dialled(self.cleaned_data["number"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if {"number", "texts"} & set(self.changed_data) and "number" in cleaned and not cleaned["called"]:
            self.add_error("called", _("Call the new number before people are sent to it."))
        return cleaned

    def save(self, commit: bool = True) -> CrisisLine:
        digits = re.sub(r"\D", "", self.cleaned_data["number"])
        self.instance.tel = f"tel:{digits}"
        self.instance.sms = f"sms:{digits}" if self.cleaned_data["texts"] else ""
        if self.cleaned_data["called"]:
            self.instance.verified_on = localdate(tenancy.now())
        line: CrisisLine = super().save(commit)
        return line


def _dialled(number: str) -> str:
    if not re.fullmatch(r"[0-9][0-9 \-]{1,18}[0-9]", number):
        raise forms.ValidationError(_("Enter digits, with spaces or hyphens between them, such as 1-800-663-6729."))
    return number


class LocalLineForm(forms.ModelForm):
    """A number of the site's own, in both languages."""

    use_required_attribute = False

    class Meta:
        model = LocalCrisisLine
        fields = ("number", "label", "label_fr")
        labels = CrisisLineForm.Meta.labels
        error_messages = CrisisLineForm.Meta.error_messages | {
            "label_fr": {"required": __("Say in a few words what it is, in French.")}
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = bare_helper(self)

    def clean_number(self) -> str:
        number = _dialled(self.cleaned_data["number"])
        if LocalCrisisLine.objects.filter(number=number).exists():
            raise forms.ValidationError(_("This number is on your page already."))
        return number


@for_roles(Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def local_page(request: Any) -> HttpResponse:
    """The numbers a site adds after the provincial ones, which it cannot change."""
    if request.site.is_province:
        return redirect("crisis_numbers")
    if "remove" in request.POST:
        gone = LocalCrisisLine.objects.filter(number=request.POST["remove"][:20]).first()
        if gone:
            gone.delete()
            audit.record("LOCAL_LINE", "SITE", request.site.pk, by=request.actor)
        return redirect("local_numbers", request.site.slug)
    if "called" in request.POST:
        line = get_object_or_404(LocalCrisisLine.objects.select_for_update(), number=request.POST["called"][:20])
        _called(line, request)
        return redirect("local_numbers", request.site.slug)
    form = LocalLineForm(kept_form.typed(request))
    if request.method == "POST" and form.is_valid():
        form.instance.verified_on = localdate(tenancy.now())
        form.save()
        audit.record("LOCAL_LINE", "SITE", request.site.pk, by=request.actor)
        messages.success(request, _("Added. Every page shows it within a minute."))
        return redirect("local_numbers", request.site.slug)
    context = {"form": form, "rows": queries.crisis_lines(), "own": checked(queries.local_crisis_lines())}
    return render(request, "sites/local_numbers.html", context, status=status_of(request, form))


@for_roles(Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def numbers_page(request: Any) -> HttpResponse:
    """The list with its ages; a press says that a number was called today and is right."""
    if request.method == "POST":
        line = get_object_or_404(CrisisLine.objects.select_for_update(), code=request.POST.get("called", "")[:12])
        _called(line, request)
        return redirect("crisis_numbers")
    lines = queries.crisis_lines()
    context = {"rows": checked(lines), "other_on_static": [line for line in lines if differs(line)]}
    return render(request, "sites/crisis.html", context)


def _called(line: CrisisLine | LocalCrisisLine, request: Any) -> None:
    line.verified_on = localdate(tenancy.now())
    line.save(update_fields=["verified_on"])
    audit.record("CRISIS_OK", KIND if isinstance(line, CrisisLine) else "LOCAL_LINE", line.pk, by=request.actor)
    messages.success(request, _("Noted: %(number)s was called today.") % {"number": line.number})


@for_roles(Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def number_page(request: Any, line: str) -> HttpResponse:
    """Change one number or its words. A number that changed has been called."""
    if line not in CrisisLine.Code.values:
        raise Http404("No such number.")
    number = get_object_or_404(CrisisLine, code=line)
    form = CrisisLineForm(kept_form.typed(request), instance=number)
    if request.method == "POST" and form.is_valid():
        form.save()
        audit.record("CRISIS_SET", KIND, number.pk, by=request.actor)
        messages.success(request, _("Saved. Every page shows it within a minute."))
        return redirect("crisis_numbers")
    return render(request, "sites/crisis_number.html", {"form": form}, status=status_of(request, form))
