"""Cover while an administrator is away: somebody of the site gets the role for those days, and the mail with it.

The provincial team cannot cover a site, for it may not see who asked there (docs/decisions/0017-leave-and-lending.md).
"""

from datetime import date, datetime, time, timedelta

from django.utils.timezone import localdate, make_aware
from django.utils.translation import gettext as _

from psi import tenancy
from sites.engine import agenda, audit
from sites.engine.audit import Actor
from sites.engine.moves import Refused
from sites.people import transitions as people
from sites.tenants.models import Cover, Membership, Role, Site

KIND = "COVER"
LONGEST = timedelta(days=366)  # docs/rules.md#cover


def register() -> None:
    """Register the handler that begins and ends cover."""
    agenda.register(KIND, handle)


def arrange(away_id: int, by_id: int, starts_on: date, ends_on: date, *, by: Actor) -> Cover:
    """Let `by_id` do the work of an administrator from one day to and with another.

    Raises:
        Refused: no such days, one person for both, somebody who is not of the site, or arranged already.
    """
    site_id, today = tenancy.current_site_id(), localdate(tenancy.now())
    Site.objects.select_for_update(no_key=True).get(pk=site_id)
    if not today <= ends_on or ends_on < starts_on:
        raise Refused("DAYS_PAST", _("Please choose days that are still to come, the first before the last."))
    if ends_on - max(starts_on, today) > LONGEST:
        raise Refused("COVER_TOO_LONG", _("Cover lasts a year at most. For longer, invite another administrator."))
    if away_id == by_id:
        raise Refused("COVERS_THEMSELVES", _("Please choose somebody else."))
    members = Membership.objects.filter(site_id=site_id, ended_at=None, user__is_active=True)
    if (
        not members.filter(user_id=by_id).exists()
        or not members.filter(user_id=away_id, role=Role.ADMINISTRATOR).exists()
    ):
        raise Refused("NO_ROLE", _("They have no role here any more."))
    if Cover.objects.filter(away_id=away_id, over=False).exists():
        raise Refused("COVER_ARRANGED", _("Cover is arranged already. End it to arrange another."))
    cover = Cover.objects.create(away_id=away_id, by_id=by_id, starts_on=starts_on, ends_on=ends_on)
    audit.record("COVER", "COVER", cover.pk, by=by)
    handle([cover.pk])
    return cover


def end(cover_id: int, *, by: Actor) -> None:
    """End cover now. Ending it again changes nothing."""
    cover = Cover.objects.select_for_update().get(pk=cover_id)
    if not cover.over:
        _end(cover, by)


def handle(ids: list[int]) -> None:
    """Begin the cover whose first day has come, and end what is over; handler of the agenda.

    Args:
        ids: primary keys of cover of the current site.
    """
    today = localdate(tenancy.now())
    for cover in Cover.objects.select_for_update().filter(pk__in=ids, over=False).order_by("pk"):
        if cover.ends_on < today:
            _end(cover, audit.SYSTEM)
            continue
        if cover.starts_on <= today:
            _begin(cover)
        next_day = cover.starts_on if cover.starts_on > today else cover.ends_on + timedelta(days=1)
        agenda.schedule(KIND, [cover.pk], make_aware(datetime.combine(next_day, time())))


def running() -> list[Cover]:
    """Return the current site's cover, running or to come."""
    return list(Cover.objects.filter(over=False).order_by("starts_on", "pk"))


def _begin(cover: Cover) -> None:
    site_id = tenancy.current_site_id()
    memberships = Membership.objects.filter(site_id=site_id, user_id=cover.by_id, ended_at=None)
    if cover.given_id is not None or memberships.filter(role=Role.ADMINISTRATOR).exists():
        return
    membership = memberships.order_by("pk").first()
    if membership is None:  # whoever was to cover has left: the one who is away gets the mail as before
        _end(cover, audit.SYSTEM)
        return
    cover.given = people.add_role(membership, Role.ADMINISTRATOR, by=audit.SYSTEM)
    cover.save(update_fields=["given"])


def _end(cover: Cover, by: Actor) -> None:
    cover.over = True
    cover.save(update_fields=["over"])
    agenda.cancel(KIND, [cover.pk])
    audit.record("COVER_OVER", "COVER", cover.pk, by=by)
    if cover.given is not None and cover.given.ended_at is None:
        people.end_role(cover.given, by=by)
