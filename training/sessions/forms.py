"""Forms of those who hold a session."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.forms.utils import from_current_timezone
from django.utils.functional import lazy
from django.utils.timezone import localdate, localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from psi import tenancy
from sites.engine.forms import bare_helper
from training.sessions import materials
from training.sessions.models import Session

FAR = timedelta(days=3653)


def _whole(least: int, most: int) -> dict[str, Any]:
    # Put together when it is shown, in the language of whoever reads it, and not when this module is loaded.
    limits = {"least": least, "most": most}
    text = lazy(lambda: gettext("Enter a whole number, %(least)s to %(most)s.") % limits, str)()
    messages = dict.fromkeys(("required", "invalid", "min_value", "max_value"), text)
    return {"min_value": least, "max_value": most, "error_messages": messages}


class SessionForm(forms.Form):
    """What, when, where, for how many. Times are of the site that holds it."""

    use_required_attribute = False

    kind = forms.ChoiceField(
        label=_("What is it?"), choices=Session.Kind.choices, error_messages={"invalid_choice": _("Choose one.")}
    )
    day = forms.DateField(
        label=_("Day"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages=dict.fromkeys(("required", "invalid"), _("Enter a date such as 2026-09-17.")),
    )
    time = forms.TimeField(
        label=_("Starts at"),
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        error_messages=dict.fromkeys(("required", "invalid"), _("Enter a time such as 18:30.")),
    )
    minutes = forms.IntegerField(label=_("Minutes"), help_text=_("Foundations 150, Practice 90."), **_whole(15, 600))
    place = forms.CharField(
        label=_("Where"),
        help_text=_("A room, or “Online”."),
        max_length=120,
        error_messages={"required": _("Say where, or “Online”.")},
    )
    link = forms.URLField(
        label=_("Link to join"),
        help_text=_("Only those enrolled see it."),
        max_length=300,
        required=False,
        assume_scheme="https",
        error_messages={"invalid": _("Enter a whole address, such as https://example.org/room.")},
    )
    capacity = forms.IntegerField(label=_("Places"), **_whole(1, 500))
    approval = forms.CharField(
        label=_("UBC CPD session id"), help_text=_("It stands on the certificate."), max_length=20, required=False
    )

    def __init__(self, data: Any = None, *, session: Session | None = None) -> None:
        initial: dict[str, Any] = {"minutes": 150, "place": "Online", "capacity": 20}
        if session is not None:
            start = localtime(session.starts_at)
            names = ("kind", "minutes", "place", "link", "capacity", "approval")
            initial = {name: getattr(session, name) for name in names} | {"day": start.date(), "time": start.time()}
        super().__init__(data, initial=initial)
        self.helper = bare_helper(self)

    def clean(self) -> dict[str, Any]:
        """Put day and time together; a time that the clocks pass over, or show twice, is refused."""
        cleaned = super().clean() or self.cleaned_data
        if "day" in cleaned and "time" in cleaned:
            if cleaned["day"] > localdate(tenancy.now()) + FAR:
                self.add_error("day", gettext("Choose a day within the next ten years."))
                return cleaned
            try:
                cleaned["starts_at"] = from_current_timezone(datetime.combine(cleaned["day"], cleaned["time"]))
            except forms.ValidationError:
                self.add_error("time", gettext("The clocks change in that hour. Please choose another time."))
        return cleaned

    def facts(self) -> dict[str, Any]:
        """Return the columns of a session."""
        return {name: value for name, value in self.cleaned_data.items() if name not in ("day", "time")}


class MaterialForm(forms.Form):
    """A file, and what it is called."""

    use_required_attribute = False

    name = forms.CharField(
        label=_("What is it called?"), max_length=80, error_messages={"required": _("Say what it is called.")}
    )
    file = forms.FileField(label=_("File"), error_messages={"required": _("Choose a file.")})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helper = bare_helper(self)

    def clean_file(self) -> tuple[str, bytes]:
        """Return kind and content."""
        sent = self.cleaned_data["file"]
        return materials.read(sent, sent.size)
