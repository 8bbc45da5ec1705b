"""The roster as a file: shown before it is imported, and exported with the same columns."""

from collections import Counter
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from psi.sealed import Carrier
from sites.engine import audit, spreadsheets
from sites.engine.forms import bare_helper, status_of
from sites.gate.permissions import for_roles
from sites.gate.requests import SiteRequest
from sites.gate.second_factor import confirm_first
from sites.tenants.models import Role
from training.roster import files as roster_files
from training.roster import imports
from training.roster.files import Table

# How long a file that was shown may be imported.
CARRIER = Carrier("roster", seconds=1800)
# A form of more than 2.5 MB is not taken.
MOST_SEALED = 2_000_000


class RosterFileForm(forms.Form):
    """A file with one line for each supporter."""

    use_required_attribute = False

    file = forms.FileField(
        label=_("Roster as CSV or XLSX"),
        help_text=_("At most 2 MB and 2,000 rows. Nothing is changed before you have seen what it would change."),
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".csv,.xlsx"}),
        error_messages=dict.fromkeys(("required", "invalid", "missing"), _("Choose a file.")),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = bare_helper(self)

    def clean_file(self) -> Table:
        """Return the rows of the file."""
        try:
            return roster_files.read(self.cleaned_data["file"].read(roster_files.MOST_BYTES + 1))
        except roster_files.Unreadable as error:
            raise forms.ValidationError(str(error)) from error


@for_roles(Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def roster_import(request: SiteRequest) -> HttpResponse:
    """Choose a file, see what each row would change, and import exactly that."""
    form = RosterFileForm(request.POST or None, request.FILES or None)
    table: Table | None = None
    if "sealed" in request.POST:
        form = RosterFileForm()
        table, shown = _opened(request)
        if table is None:
            messages.info(request, gettext("That was shown too long ago. Please choose the file again."))
            return redirect("roster_import", request.site.slug)
        try:
            rows = imports.carry_out(table, shown, by=request.actor)
        except imports.Changed:
            messages.info(
                request, gettext("Something changed meanwhile, and nothing was imported. Please look once more.")
            )
        else:
            messages.success(request, _summary(rows))
            return redirect("supporters", request.site.slug)
    elif request.method == "POST" and form.is_valid():
        table = form.cleaned_data["file"]
    context: dict[str, Any] = {"form": form, "columns": roster_files.COLUMNS}
    if table is not None:
        context |= _preview(request, form, table)
    return render(request, "training/roster_import.html", context, status=status_of(request, form))


def _preview(request: SiteRequest, form: RosterFileForm, table: Table) -> dict[str, Any]:
    rows = imports.preview(table)
    sealed = _sealed(request, table, imports.fingerprint(rows))
    if len(sealed) > MOST_SEALED:
        form.add_error("file", gettext("This file is larger than 2 MB. A roster takes at most 2,000 rows."))
        return {}
    kinds = Counter(row.kind for row in rows)
    return {
        "rows": [row for row in rows if row.kind != imports.SAME],
        "same": kinds[imports.SAME],
        "wrong": kinds[imports.WRONG],
        "changing": kinds[imports.CHANGED],
        "invited": kinds[imports.NEW],
        "sealed": sealed,
    }


def _summary(rows: list[imports.Row]) -> str:
    kinds = Counter(row.kind for row in rows)
    counts = {"new": kinds[imports.NEW], "changed": kinds[imports.CHANGED], "same": kinds[imports.SAME]}
    return gettext("Imported. Invited: %(new)s. Changed: %(changed)s. Unchanged: %(same)s.") % counts


def _sealed(request: SiteRequest, table: Table, shown: str) -> str:
    """Return the rows as they were read, for the page that shows them; only the same person's press opens it."""
    return CARRIER.seal([table, shown], request.site.pk, request.user.pk)


def _opened(request: SiteRequest) -> tuple[Table | None, str]:
    carried = CARRIER.open(request.POST["sealed"], request.site.pk, request.user.pk)
    if carried is None:
        return None, ""
    table, shown = carried
    return [(number, cells) for number, cells in table], shown


@for_roles(Role.ADMINISTRATOR)
@require_safe
@never_cache
@confirm_first
def roster_export(request: SiteRequest, kind: str) -> HttpResponse:
    """The roster as a file, after the second factor; an entry of the audit trail says who took it."""
    if kind not in spreadsheets.TYPES:
        raise Http404("No such kind of file.")
    audit.record("EXPORTED", "ROSTER", None, by=request.actor)
    return spreadsheets.file("roster", kind, roster_files.COLUMNS, imports.exported())
