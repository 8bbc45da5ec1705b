"""The contact window: 72 hours from the confirmed match, and how they stand."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from matching.matches.models import Match, WindowStep
from psi import tenancy

CONTACT_HOURS = 72  # from the confirmed match (docs/rules.md#contact-window)


def window_ends(match: Match) -> datetime:
    """Return when contact is due: 72 hours after the match was confirmed."""
    if match.confirmed_at is None:
        raise ValueError("The window opens when the match is confirmed.")
    return match.confirmed_at + timedelta(hours=CONTACT_HOURS)


def is_missed(match: Match) -> bool:
    """Return whether the 72 hours of this match were over without contact."""
    if match.confirmed_at is None:
        return False
    if match.contacted_at:
        return match.contacted_at > window_ends(match)
    # The step counts too: when time is played forward the clock on the wall is behind it.
    return match.window_step == WindowStep.MISSED or (match.ended_at or tenancy.now()) >= window_ends(match)


@dataclass(frozen=True)
class Window:
    """The contact window as it is drawn: three days, one bar (components/window_bar.html)."""

    hours_used: int
    percent_720: int
    words: str
    state: str


def window_of(match: Match) -> Window | None:
    """Return the window of a confirmed match, up to now or to the contact; None before confirmation."""
    if match.confirmed_at is None:
        return None
    until = match.contacted_at or match.ended_at or tenancy.now()
    used = max(int((until - match.confirmed_at).total_seconds() // 3600), 0)
    late = is_missed(match)
    if match.contacted_at:
        words = ngettext("contact after %(n)s hour", "contact after %(n)s hours", used) % {"n": used}
    elif late:
        used = max(used, CONTACT_HOURS)
        past = used - CONTACT_HOURS
        words = _("%(n)s h past 72") % {"n": past} if past else _("72 hours are over")
    else:
        words = _("%(n)s h left") % {"n": CONTACT_HOURS - used}
    state = "late" if late else "soon" if used >= CONTACT_HOURS - 24 and not match.contacted_at else ""
    return Window(used, min(used, CONTACT_HOURS) * 10, words, state)
