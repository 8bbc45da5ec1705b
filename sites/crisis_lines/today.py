"""Numbers that want calling, on *Today*."""

from collections.abc import Iterable
from datetime import datetime, time, timedelta

from django.urls import reverse
from django.utils.timezone import get_current_timezone
from django.utils.translation import gettext as _

from sites.crisis_lines.checks import RED, with_age
from sites.engine import today
from sites.reference import queries as reference
from sites.tenants.models import PROVINCE_SLUG


def register() -> None:
    """Register the rows of numbers that must be called: provincial ones for coordinators, a site's for its own."""
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
        for one in with_age(reference.crisis_lines() if provincial else reference.local_crisis_lines())
        if one.tone
    ]
