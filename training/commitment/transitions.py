"""How much a supporter takes on, and when not: their own choice, in force at once, in every roster they stand in."""

from datetime import date, timedelta

from django.utils.timezone import localdate
from django.utils.translation import gettext_lazy as _

from psi import tenancy
from sites.engine import agenda, audit
from sites.engine.audit import Actor
from sites.engine.moves import Refusal, Refused, move
from sites.tenants.models import Site
from training.commitment.agreement import morning
from training.supporters import lending
from training.supporters.models import PeerSupporter
from training.supporters.public_page import ROLE_ENDED

LEAVING = "LEAVING"  # handled by `matching.invitations.leaving`: open matches are handed on
# Of a pause; whoever needs longer pauses again, or leaves (docs/rules.md#pause; docs/rules.md#pauses-and-notice).
LONGEST = timedelta(days=366)
DAY_OVER: Refusal = ("DAY_OVER", _("Please choose a day that is still to come."))


def pledge(supporter_id: int, *, cap_year: int, cap_live: int, by: Actor) -> None:
    """Set how many matches a year, and at a time, at most (program overview: four to seven a year is typical)."""
    supporter = _own(supporter_id)
    supporter.cap_year, supporter.cap_live = cap_year, cap_live
    _write(supporter, ("cap_year", "cap_live"), "PLEDGED", by)


def pause(supporter_id: int, until: date, *, by: Actor) -> None:
    """Take no new match up to and with a day.

    Raises:
        Refused: the day is over, or more than a year ahead.
    """
    supporter, today = _own(supporter_id), localdate(tenancy.now())
    if until < today:
        raise Refused(*DAY_OVER)
    if until > today + LONGEST:
        raise Refused("PAUSE_TOO_LONG", _("A break lasts a year at most. You can take another one then."))
    supporter.paused_until = until
    _write(supporter, ("paused_until",), "PAUSED", by)


def end_of_week(today: date) -> date:
    """Return the Sunday that ends the week of `today`."""
    return today + timedelta(days=6 - today.weekday())


def resume(supporter_id: int, *, by: Actor) -> None:
    """End a pause now."""
    supporter = _own(supporter_id)
    supporter.paused_until = None
    _write(supporter, ("paused_until",), "RESUMED", by)


def give_notice(supporter_id: int, *, on: date | None = None, by: Actor) -> date:
    """Say that a supporter leaves: from now on no new match; that day open ones are handed on and access ends.

    Args:
        on: the day, for an administrator who knows it; after the site's days of notice when left out.

    Raises:
        Refused: the day is over, or they have left.
    """
    supporter, today = _own(supporter_id), localdate(tenancy.now())
    day = on or today + timedelta(days=Site.objects.get(pk=tenancy.current_site_id()).notice_days)
    if day < today:
        raise Refused(*DAY_OVER)
    supporter.leaving_on = supporter.paused_until = day
    _write(supporter, ("leaving_on", "paused_until"), "NOTICE", by)
    agenda.schedule(LEAVING, [supporter.pk], tenancy.now() if day == today else morning(day))
    return day


def stay(supporter_id: int, *, by: Actor) -> None:
    """Take the notice back."""
    supporter = _own(supporter_id)
    if supporter.leaving_on is None:
        return
    supporter.leaving_on = supporter.paused_until = None
    _write(supporter, ("leaving_on", "paused_until"), "STAYS", by)
    agenda.cancel(LEAVING, [supporter.pk])


def leave(supporter_id: int, *, by: Actor) -> None:
    """Let a supporter leave the current site's roster, after their matches are handed on and their role has ended."""
    supporter = PeerSupporter.objects.select_for_update(no_key=True).get(pk=supporter_id)
    supporter.leaving_on = supporter.paused_until = None
    supporter.save(update_fields=["leaving_on", "paused_until"])
    if supporter.state != PeerSupporter.State.LEFT:  # on the way, they left with their role
        move(supporter, "leave", by=by)
    audit.record("LEFT", PeerSupporter.KIND, supporter.pk, by=by)


def _own(supporter_id: int) -> PeerSupporter:
    supporter = PeerSupporter.objects.select_for_update(no_key=True).get(pk=supporter_id)
    if supporter.state == PeerSupporter.State.LEFT:
        raise Refused(*ROLE_ENDED)
    if supporter.home_id is not None:
        raise Refused("LENT", _("Their own site keeps this, and it holds here as well."))
    return supporter


def _write(supporter: PeerSupporter, columns: tuple[str, ...], action: str, by: Actor) -> None:
    supporter.save(update_fields=columns)
    audit.record(action, PeerSupporter.KIND, supporter.pk, by=by)
    lending.mirror(supporter)
