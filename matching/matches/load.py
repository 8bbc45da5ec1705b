"""How much a supporter carries: counted per person in every roster at once, so that two sites exceed no cap."""

from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from matching.matches.models import Match
from psi import tenancy
from sites.engine.moves import Refused
from training.supporters.models import PeerSupporter, SupporterLoad


def add(match: Match, supporter: PeerSupporter) -> None:
    """Count the acceptance against the person's caps, and note its year on the match, which the caller saves.

    Locked last.

    Raises:
        Refused: a cap is reached, and nobody has set it aside for this match.
    """
    year = localdate(tenancy.now()).year
    SupporterLoad.objects.bulk_create([SupporterLoad(user_id=supporter.user_id, year=year)], ignore_conflicts=True)
    rows = list(SupporterLoad.objects.select_for_update().filter(user_id=supporter.user_id).order_by("year"))
    this_year = next(row for row in rows if row.year == year)
    if not match.cap_waived and sum(row.live for row in rows) >= supporter.cap_live:
        sentence = _("You are already supporting as many colleagues at a time as you said you would.")
        raise Refused("CAP_LIVE", sentence)
    if not match.cap_waived and this_year.total >= supporter.cap_year:
        raise Refused("CAP_YEAR", _("You have reached the number of matches you set for this year."))
    this_year.live += 1
    this_year.total += 1
    this_year.save(update_fields=["live", "total"])
    match.load_year = year


def remove(match: Match) -> None:
    """Count a match that ends no longer as live; the caller saves it."""
    if match.load_year is None:
        return
    load = SupporterLoad.objects.select_for_update().get(user_id=match.supporter.user_id, year=match.load_year)
    load.live -= 1
    # Someone who never reached the physician has not spent one of the year's matches.
    if match.contacted_at is None:
        load.total -= 1
    load.save(update_fields=["live", "total"])
    match.load_year = None
